"""`voicestream evaluate`: how good is a model, or any system, on a list of trials?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from voicestream import errors
from voicestream.cli.flag import Calibration, ConfigFile, Pairs, read_settings
from voicestream.cli.terminal import ERROR, fail, fail_with
from voicestream.errors import PeerError

if TYPE_CHECKING:
    from voicestream.cli.evaluation.outcome import Outcome
    from voicestream.server.config import Settings

Kind: TypeAlias = Literal["speaker", "vad", "spoof"]
_FOLDER = Path("evaluation")


def evaluate(
    trials: Annotated[
        Path | None, typer.Argument(metavar="TRIALS", help="The list; for speech labels also its folder; none: --scores has labels.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Speaker model; repeated: they are compared, as their cards have them.")
    ] = None,
    calibration: Calibration = None,
    audio: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where the recordings are; default: beside the list.")] = None,
    scores: Annotated[Path | None, typer.Option(metavar="FILE", help="Measure these scores (speech labels: a folder) instead.")] = None,
    threshold: Annotated[float | None, typer.Option(metavar="SCORE", help="Judge this threshold on --scores.")] = None,
    enrol_s: Annotated[float | None, typer.Option(min=0.1, metavar="SECONDS", help="Enrol with the start of each recording.")] = None,
    test_s: Annotated[list[float] | None, typer.Option(min=0.1, metavar="SECONDS", help="Test the start; may be repeated.")] = None,
    condition: Annotated[Literal["as-is", "telephone"], typer.Option(help="Play a telephone line on every recording.")] = "as-is",
    kind: Annotated[Kind | None, typer.Option(help="What the list is of; default: told from its form.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="For page, figures and scores; default: evaluation.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON; files only with --out.")] = False,
    config: ConfigFile = None,
    pairs: Pairs = None,
) -> None:
    """Measure speaker trials, speech labels or attacks: error rates, their intervals, curves, and one page of it all.

    Speaker trials: lines `label enrol test` (VoxCeleb), `enrol test label` (Kaldi), `label score`, or a CSV with a header
    (label, enrol, test; several recordings of a model with ; between). Attacks: a CSV with id, file, label (bonafide, spoof),
    attack. Speech: a folder with files.csv and labels_10ms.txt; results are one number per 10 ms in FOLDER/<id>.txt.

    Exit code 2 when anything of the list has no score; what failed stands in the report.

    Examples:

      voicestream evaluate trials.txt --test-s 3 --test-s 5 --condition telephone

      voicestream evaluate trials.csv --scores another-system.csv --json
    """
    from voicestream.cli.evaluation.outcome import tell
    from voicestream.cli.recording import read_bytes

    only = model[0] if model is not None and len(model) == 1 else None
    settings = read_settings(config, pairs, model=only, calibration=calibration).settings
    if trials is None:  # `label score` lines are a list
        trials, scores = scores, None
    if trials is None:
        fail(errors.TRIAL_LIST, "TRIALS, or --scores of `label score` lines, is needed")
    listed = trials / "files.csv" if trials.is_dir() else trials
    text = read_bytes(listed).decode("utf-8", "replace")
    try:
        match kind or _kind_of(listed, text):
            case "speaker":
                outcome = _speaker(listed, text, model, audio, scores, threshold, enrol_s, test_s or [], condition, settings)
            case "vad":
                from voicestream.cli.evaluation.speech import speech_outcome

                outcome = speech_outcome(listed, text, audio or listed.parent, scores, threshold, condition, settings.vad)
            case "spoof":
                from voicestream.cli.evaluation.attack import attack_outcome
                from voicestream.models.registry import authenticity_model

                outcome = attack_outcome(listed, text, audio or listed.parent, condition, scores, threshold, authenticity_model())
    except PeerError as error:
        fail_with(error)
    tell(outcome, out or (None if json else _FOLDER), json)
    if not outcome.complete:
        raise SystemExit(ERROR)


def _kind_of(listed: Path, text: str) -> Kind:
    """Told from the list's form: labels beside it, or attacks in its header."""
    folder = listed.parent
    if listed.name == "files.csv" and ((folder / "labels_10ms.txt").is_file() or (folder / "labels").is_dir()):
        return "vad"
    header = text.partition("\n")[0].lower().split(",")
    return "spoof" if "attack" in [name.strip() for name in header] else "speaker"


def _speaker(
    listed: Path,
    text: str,
    names: list[str] | None,
    audio: Path | None,
    scores: Path | None,
    threshold: float | None,
    enrol_s: float | None,
    test_s: list[float],
    condition: Literal["as-is", "telephone"],
    settings: Settings,
) -> Outcome:
    from voicestream.cli.evaluation.series import Hearing, given_series, heard_series, listed_series
    from voicestream.cli.evaluation.speaker import speaker_outcome
    from voicestream.cli.recording import read_bytes
    from voicestream.evaluation.score import in_order, read_scores
    from voicestream.evaluation.trial import read_trials
    from voicestream.models.registry import vad_front
    from voicestream.server.voice import active_model, bare_model

    trials = read_trials(text)
    targets = sum(trial.target for trial in trials)
    title = f"{listed.name}: {targets} target and {len(trials) - targets} non-target trials"
    if scores is not None:
        told = read_bytes(scores).decode("utf-8", "replace")
        found = in_order(told, [trial.target for trial in trials])
        if found is not None:
            trials = [replace(trial, score=score) for trial, score in zip(trials, found, strict=True)]
            series = listed_series(trials, scores.name, threshold)
        else:
            series = given_series(trials, read_scores(told), scores.name, threshold)
        return speaker_outcome(title, trials, series, [], [], f"Scores of {scores.name}.")
    if all(trial.score is not None for trial in trials):
        return speaker_outcome(title, trials, listed_series(trials, listed.name, threshold), [], [], "Scores of the list.")
    if names is not None and len(names) > 1:
        models = {name: bare_model(settings, name) for name in names}
    else:
        name = settings.model if settings.calibration is None else f"{settings.model} with {settings.calibration}"
        models = {name: active_model(settings)}
    hearing = Hearing(audio or listed.parent, enrol_s, test_s, condition, settings.gate, vad_front(settings.vad))
    series, failed = heard_series(trials, models, hearing)
    lengths = f"enrolled with {_seconds(enrol_s)}, tested with {' or '.join(f'{cut:g} s' for cut in test_s) or 'the whole recording'}"
    lead = f"Heard by {', '.join(models)}; {lengths}; {'telephone line' if condition == 'telephone' else 'recordings as they are'}."
    return speaker_outcome(title, trials, series, failed, [model.card for model in models.values()], lead)


def _seconds(cut_s: float | None) -> str:
    return "whole recordings" if cut_s is None else f"{cut_s:g} s"
