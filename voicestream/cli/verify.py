"""`voicestream verify`: is this the voice of the template, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicestream.cli.enrol import chosen_model, enrolment_of
from voicestream.cli.flag import Calibration, ConfigFile, Model, Pairs, read_settings
from voicestream.cli.terminal import NEGATIVE, fail_with
from voicestream.errors import PeerError


def verify(
    template: Annotated[Path, typer.Argument(metavar="TEMPLATE", help="A template of `voicestream enrol` or of a server.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording, any container; - is standard input.")],
    model_name: Model = None,
    calibration: Calibration = None,
    config: ConfigFile = None,
    pairs: Pairs = None,
) -> None:
    """Compare a recording with a template: exit code 0 for the same voice, 1 for another, 2 for an error.

    The same voice is a probability of 0.5 and more or, with a calibration, a score at its threshold and above.

    Example: voicestream verify me.template who.wav && echo welcome
    """
    from voicestream.cli.recording import read_bytes
    from voicestream.cli.view import ACCEPT_PROBABILITY, bar
    from voicestream.protocols.template_text import template_bytes
    from voicestream.store.templates import unpack

    settings = read_settings(config, pairs, model=model_name, calibration=calibration).settings
    model = chosen_model(settings)
    try:
        known = unpack(template_bytes(read_bytes(template).decode("ascii", "replace")), model, settings.sealing_key())
    except PeerError as error:
        fail_with(error)
    heard = enrolment_of(file, model, settings).template
    score = model.score(known.vector, heard.vector)
    probability = model.probability(score, min(known.net_speech_s, heard.net_speech_s))
    same = probability >= ACCEPT_PROBABILITY if settings.calibration is None else score >= model.card.threshold
    print(f"{bar(probability)} {'the same voice' if same else 'another voice'}: probability {probability:.4f}, score {score:+.3f}")
    if not same:
        raise SystemExit(NEGATIVE)
