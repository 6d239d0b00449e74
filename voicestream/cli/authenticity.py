"""`voicestream authenticity`: is this a living voice, or a synthetic or replayed one, without a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicestream.cli.flag import ConfigFile, Pairs, read_settings
from voicestream.cli.terminal import NEGATIVE, fail, fail_with
from voicestream.errors import LITTLE_SPEECH, PeerError


def authenticity(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording, any container; - is standard input.")],
    config: ConfigFile = None,
    pairs: Pairs = None,
) -> None:
    """Tell a living voice from a synthetic or replayed one: exit code 0 for a living one, 1 for another, 2 for an error.

    What it was measured to miss stands in its card: voicestream models cnn.

    Example: voicestream authenticity caller.wav || echo suspicious
    """
    from voicestream.cli.recording import read_recording
    from voicestream.cli.view import bar
    from voicestream.models.registry import authenticity_model, vad_front
    from voicestream.sessions.authenticity import judge

    settings = read_settings(config, pairs).settings
    recording = read_recording(file)
    model = authenticity_model()
    try:
        verdict = judge((recording.rate_hz, recording.messages("pcm16")), model, vad_front(settings.vad))
    except PeerError as error:
        fail_with(error)
    if verdict is None:
        fail(LITTLE_SPEECH, f"{file}: no stretch of 4 s holds 1 s of it")
    alive = verdict.score >= model.card.threshold
    told = "a living voice" if alive else "synthetic or replayed"
    print(f"{bar(verdict.probability)} {told}: probability {verdict.probability:.4f}, score {verdict.score:+.2f}")
    if not alive:
        raise SystemExit(NEGATIVE)
