"""Scores of speaker trials: of recordings heard by a model, of a file, or of the list itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from voicestream import errors
from voicestream.cli.evaluation.hearing import Failure, Folder, Voice, Wish, hear, together
from voicestream.cli.terminal import fail
from voicestream.cli.view import ACCEPT_PROBABILITY
from voicestream.evaluation.likelihood import log_odds
from voicestream.evaluation.speaker import Rule, Series

if TYPE_CHECKING:
    from voicestream.evaluation.condition import Condition
    from voicestream.evaluation.error_rate import Array
    from voicestream.evaluation.score import Scores
    from voicestream.evaluation.trial import Trial
    from voicestream.models.speaker.model import SpeakerModel
    from voicestream.models.vad.model import MakeFront
    from voicestream.sessions.quality import Gate
    from voicestream.sessions.vocabulary import Template


@dataclass(frozen=True, slots=True)
class Hearing:
    """How recordings are heard: what is cut off, and over what line."""

    folder: Path
    enrol_s: float | None
    test_s: Sequence[float]  # none: the whole
    condition: Condition
    gate: Gate  # what an enrolment must reach
    make_front: MakeFront


@dataclass(frozen=True, slots=True)
class Failed:
    """A recording of the list that gave no voice, and how many scores that cost."""

    recording: str
    trials: int
    reason: str


def heard_series(trials: Sequence[Trial], models: dict[str, SpeakerModel], hearing: Hearing) -> tuple[list[Series], list[Failed]]:
    """Scores of the trials by each model and length of test, and what failed."""
    if any(not trial.test or not trial.enrol for trial in trials):
        fail(errors.SCORES_NEEDED, "the list names no recordings")
    folder = Folder(hearing.folder)
    enrolments = {names: [file for name in names for file in folder.find(name, "enrol")] for names in {trial.enrol for trial in trials}}
    tests = {name: folder.find(name, "test")[0] for name in {trial.test for trial in trials}}
    cuts: Sequence[float | None] = hearing.test_s or [None]
    wishes = [Wish(file, model, hearing.enrol_s) for model in models for files in enrolments.values() for file in files]
    wishes += [Wish(file, model, cut) for model in models for file in tests.values() for cut in cuts]
    voices = hear(wishes, models, hearing.condition, hearing.make_front)
    series = []
    failed: dict[tuple[str, str], int] = {}
    for name, model in models.items():
        templates = {
            names: together([voices[Wish(file, name, hearing.enrol_s)] for file in files], hearing.gate)
            for names, files in enrolments.items()
        }
        for cut in cuts:
            heard = {test: voices[Wish(file, name, cut)] for test, file in tests.items()}
            series.append(_scored(name if cut is None else f"{name}, {cut:g} s", model, trials, templates, heard))
            for trial in trials:
                for what, voice in ((";".join(trial.enrol), templates[trial.enrol]), (trial.test, heard[trial.test])):
                    if isinstance(voice, Failure):
                        key = (what, f"{voice.code} {voice.reason}")
                        failed[key] = failed.get(key, 0) + 1
    return series, [Failed(what, count, reason) for (what, reason), count in failed.items()]


def _scored(
    name: str, model: SpeakerModel, trials: Sequence[Trial], templates: dict[tuple[str, ...], Template | Failure], heard: dict[str, Voice]
) -> Series:
    score, probability = np.full(len(trials), np.nan), np.full(len(trials), np.nan)
    for place, trial in enumerate(trials):
        known, voice = templates[trial.enrol], heard[trial.test]
        if isinstance(known, Failure) or isinstance(voice, Failure):
            continue
        test = voice.template
        score[place] = model.score(test.vector, known.vector)
        probability[place] = model.probability(float(score[place]), min(known.net_speech_s, test.net_speech_s))
    return Series(
        name,
        score,
        log_odds(probability),
        (
            Rule(f"score ≥ {model.card.threshold:.3g}", score >= model.card.threshold, model.card.threshold),
            Rule(f"probability ≥ {ACCEPT_PROBABILITY:g}", probability >= ACCEPT_PROBABILITY),
        ),
    )


def given_series(trials: Sequence[Trial], found: Sequence[Scores], name: str, threshold: float | None) -> list[Series]:
    """Scores from a file, by the name of a trial or by its two sides."""
    series = []
    for scores in found:
        keys = [next((key for key in (trial.name, (";".join(trial.enrol), trial.test)) if key in scores.score), None) for trial in trials]
        score = np.array([np.nan if key is None else scores.score[key] for key in keys])
        odds = None
        if scores.odds is not None:
            odds = np.array([np.nan if key is None else scores.odds.get(key, np.nan) for key in keys])
            score = np.where(np.isfinite(odds), score, np.nan)
        title = f"{name}, {scores.name}" if scores.name else name
        series.append(Series(title, score, odds, _given_rule(score, threshold)))
    return series


def listed_series(trials: Sequence[Trial], name: str, threshold: float | None) -> list[Series]:
    """Scores that the list itself holds."""
    score = np.array([np.nan if trial.score is None else trial.score for trial in trials])
    score[~np.isfinite(score)] = np.nan
    return [Series(name, score, None, _given_rule(score, threshold))]


def _given_rule(score: Array, threshold: float | None) -> tuple[Rule, ...]:
    return () if threshold is None else (Rule(f"score ≥ {threshold:g}", score >= threshold, threshold),)
