"""`voicestream calibrate`: a threshold and probabilities that are true of one's own recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from voicestream import errors
from voicestream.cli.flag import ConfigFile, Model, Pairs, read_settings
from voicestream.cli.terminal import fail, fail_with
from voicestream.errors import PeerError

if TYPE_CHECKING:
    from voicestream.cli.evaluation.hearing import Failure
    from voicestream.evaluation.operating_point import OwnTrials
    from voicestream.models.speaker.model import SpeakerModel
    from voicestream.sessions.vocabulary import Template

_FOLDER = Path("calibration")


def calibrate(
    speakers: Annotated[
        Path, typer.Argument(metavar="FOLDER_OR_CSV", help="A folder with one folder per speaker, or a CSV of speaker,file.")
    ],
    model_name: Model = None,
    fmr: Annotated[
        float, typer.Option(min=0.0001, max=0.5, metavar="SHARE", help="Strangers that may be let in: 0.01 is 1 in 100.")
    ] = 0.01,
    name: Annotated[str, typer.Option(metavar="NAME", help="What the calibration is called from now on.")] = "own",
    condition: Annotated[Literal["as-is", "telephone"], typer.Option(help="Play a telephone line on every recording.")] = "as-is",
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="For page and figures; default: calibration.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON; files only with --out.")] = False,
    config: ConfigFile = None,
    pairs: Pairs = None,
) -> None:
    """Find the threshold that lets a chosen share of strangers in, on your own recordings, and keep it under a name.

    Each recording is compared with its speaker's others, and with every other speaker. The setting calibration=NAME, or
    the flag --calibration of verify and evaluate, puts it to use. With too few trials there is no answer, but the number
    that is missing.

    Example: voicestream calibrate people/ --fmr 0.01 --name office && voicestream serve --set calibration=office
    """
    from voicestream.cli.evaluation.hearing import Wish, admitted, hear
    from voicestream.cli.evaluation.operating_point import calibration_outcome
    from voicestream.cli.evaluation.outcome import tell
    from voicestream.cli.evaluation.speakers import read_speakers
    from voicestream.evaluation.operating_point import operating_point
    from voicestream.evaluation.pairing import check_enough
    from voicestream.models.registry import vad_front
    from voicestream.server.voice import bare_model
    from voicestream.store.calibrations import calibration_path, save_calibration

    settings = read_settings(config, pairs, model=model_name, calibration="").settings
    try:
        calibration_path(settings.data_path(), name)
        files = read_speakers(speakers)
        check_enough([len(one) for one in files.values()], fmr)  # before an hour of hearing
        model = bare_model(settings, settings.model)
        wishes = {file: Wish(file, settings.model, None) for one in files.values() for file in one}
        voices = hear(wishes.values(), {settings.model: model}, condition, vad_front(settings.vad))
        heard, failed = _sorted_out(
            {speaker: {file: admitted(voices[wishes[file]], settings.gate) for file in one} for speaker, one in files.items()}
        )
        check_enough([len(one) for one in heard.values()], fmr)
        trials = own_trials(list(heard.values()), model)
        point = operating_point(trials, fmr)
    except PeerError as error:
        fail_with(error)
    calibration, outcome = calibration_outcome(name, model, condition, fmr, heard, failed, trials, point)
    try:
        place = save_calibration(settings.data_path(), calibration)
    except OSError as error:
        fail(errors.UNWRITABLE_FILE, f"{settings.data_path()}: {error.strerror}")
    outcome.document["saved"] = str(place)
    tell(outcome, out or (None if json else _FOLDER), json)
    if not json:
        print(f"saved: {place}\nuse it: voicestream serve --set calibration={name}")


def _sorted_out(
    voices: dict[str, dict[Path, Template | Failure]],
) -> tuple[dict[str, list[Template]], list[tuple[str, str]]]:
    """Voices by speaker, and the recordings that gave none: (recording, reason). Who has no voice left is left out."""
    from voicestream.cli.evaluation.hearing import Failure

    heard: dict[str, list[Template]] = {}
    failed = []
    for speaker, by_file in voices.items():
        for file, voice in by_file.items():
            if isinstance(voice, Failure):
                failed.append((f"{speaker}/{file.name}", f"{voice.code} {voice.reason}"))
            else:
                heard.setdefault(speaker, []).append(voice)
    return heard, failed


def own_trials(voices: list[list[Template]], model: SpeakerModel) -> OwnTrials:
    """Every pairing's score, and the net speech of its shorter side."""
    import numpy as np

    from voicestream.evaluation.operating_point import OwnTrials
    from voicestream.evaluation.pairing import pairings
    from voicestream.sessions.enrolment import merge

    trials = pairings([len(one) for one in voices])
    known = {
        (enrol, left_out): merge([voice for place, voice in enumerate(voices[enrol]) if place != left_out])
        for enrol, left_out in {(trial.enrol, trial.left_out) for trial in trials}
    }
    score, net_speech_s = np.empty(len(trials)), np.empty(len(trials))
    for place, trial in enumerate(trials):
        template, test = known[trial.enrol, trial.left_out], voices[trial.test][trial.tested]
        score[place] = model.score(test.vector, template.vector)
        net_speech_s[place] = min(template.net_speech_s, test.net_speech_s)
    target = np.array([trial.target for trial in trials], np.bool_)
    enrol, tested = (np.array([getattr(trial, side) for trial in trials], np.intp) for side in ("enrol", "test"))
    return OwnTrials(score, net_speech_s, target, enrol, tested)
