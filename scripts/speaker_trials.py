"""Trials between background speakers, their calibration, and what is measured of a speaker model.

Used by train_speaker_backend.py.
"""

import csv
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from speaker_background import LENGTHS, MICROPHONE, TELEPHONE, Cut, Speaker
from train_mfcc import CONDITIONS, Trials, calibrate, read, telephone

from voicestream.dsp.pcm import to_int16
from voicestream.evaluation.error_rate import ErrorRates
from voicestream.evaluation.likelihood import cllr, min_cllr
from voicestream.models.card import Measurement
from voicestream.models.speaker.calibration import regressors
from voicestream.models.speaker.model import Features, SpeakerModel, Speech, Vector
from voicestream.models.weights import Array
from voicestream.sessions.enrolment import enrol
from voicestream.sessions.quality import Gate

PAIRS = ((MICROPHONE, MICROPHONE), (TELEPHONE, TELEPHONE), (MICROPHONE, TELEPHONE))  # enrolment, test
TESTED = (*LENGTHS, 2 * LENGTHS[-1])  # rows; the longest is the mean of two pieces
FOLDS = 3
ANY = Gate(net_speech_s=0.0, level_dbfs=-200.0, clipped=1.0, snr_db=-200.0, voice=0.0)
HELD_OUT = "background, held-out speakers of one gender and age group"


def folds(speakers: Sequence[Speaker]) -> list[set[int]]:
    """Numbers of the speakers of speechocean762, who have much speech, in so many equal parts."""
    names = sorted(speaker.name for speaker in speakers if speaker.corpus == "speechocean762")
    np.random.default_rng(2).shuffle(names)
    number = {speaker.name: at for at, speaker in enumerate(speakers)}
    return [{number[name] for name in names[fold::FOLDS]} for fold in range(FOLDS)]


def pairs(cuts: Sequence[Cut], speakers: Sequence[Speaker], tested: set[int]) -> Iterator[tuple[int, tuple[int, ...], bool, float, int]]:
    """Enrolment cut, tested cuts, same speaker, net speech in s, cell; impostors are of the owner's gender and age group."""
    enrolments = {(cut.owner, cut.condition): at for at, cut in enumerate(cuts) if cut.piece == -1 and cut.owner in tested}
    tests: dict[tuple[int, int, int, int], int] = {
        (cut.owner, cut.condition, cut.end - cut.first, cut.piece): at
        for at, cut in enumerate(cuts)
        if cut.piece >= 0 and cut.owner in tested
    }
    for pair, (enrolled_in, tested_in) in enumerate(PAIRS):
        for (owner, condition, length, piece), at in tests.items():
            if condition != tested_in:
                continue
            choices = [(length, (at,))]
            after = tests.get((owner, condition, length, piece + 1))
            if length == LENGTHS[-1] and after is not None:
                choices.append((2 * length, (at, after)))
            for claimed in tested:
                enrolment = enrolments.get((claimed, enrolled_in))
                if enrolment is not None and speakers[claimed].group == speakers[owner].group:
                    for rows, heard in choices:
                        yield enrolment, heard, claimed == owner, rows / 100, 100 * pair + TESTED.index(rows)


def scored(vectors: Array, found: Sequence[tuple[int, tuple[int, ...], bool, float, int]]) -> Trials:
    """The trials by unit vectors of the cuts."""
    score = [_cosine(vectors[enrolment], vectors[list(heard)].mean(axis=0)) for enrolment, heard, *_ in found]
    same, net_s, cell = (np.array(column) for column in zip(*(trial[2:] for trial in found), strict=True))
    return Trials(np.array(score), same, net_s, cell)


def joined(parts: Sequence[Trials]) -> Trials:
    return Trials(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("score", "same", "net_s", "cell")))


def _cosine(one: Vector, other: Vector) -> float:
    return float(one @ other) / float(np.linalg.norm(one) * np.linalg.norm(other))


def calibration_errors(parts: Sequence[Trials]) -> Iterator[Measurement]:
    """Cllr on each part's speakers with a calibration learnt from the other parts, and the least possible, per channel."""
    odds = []
    for at, part in enumerate(parts):
        numbers, _ = calibrate(joined([other for number, other in enumerate(parts) if number != at]))
        odds.append(regressors(part.score, part.net_s) @ numbers)
    whole, log_odds = joined(parts), np.concatenate(odds)
    for pair, sides in enumerate(PAIRS):
        chosen = np.isin(whole.cell, [100 * pair + TESTED.index(rows) for rows in TESTED])
        for name, value in (("Cllr", cllr), ("min Cllr", min_cllr)):
            condition = f"{'/'.join(CONDITIONS[side] for side in sides)}, 1 to 10 s"
            yield Measurement(HELD_OUT, condition, name, round(value(log_odds[chosen], whole.same[chosen]), 3))


def equal_errors(trials: Trials) -> Iterator[Measurement]:
    for pair, sides in enumerate(PAIRS):
        for at, rows in enumerate(TESTED):
            here = trials.cell == 100 * pair + at
            condition = f"{'/'.join(CONDITIONS[side] for side in sides)}, {rows / 100:g} s"
            yield Measurement(HELD_OUT, condition, "EER %", round(100 * ErrorRates(trials.score[here], trials.same[here]).eer, 2))


def public_errors(model: SpeakerModel, folder: Path, scores: Path | None) -> Iterator[Measurement]:
    """EER on the trials of `sv/`, every file heard as `voicestream enrol` does; `scores`: where to write them for score_sv.py."""
    with (folder / "trials.csv").open() as file:
        trials = list(csv.DictReader(file))
    same = np.array([row["target"] == "1" for row in trials])
    for condition in CONDITIONS[:2]:
        known = {path.stem: _voice(model, path, condition, 10) for path in sorted((folder / "enrol").glob("*.flac"))}
        lines = []
        for length_s in (1, 3, 5):
            heard = {path.stem: _voice(model, path, condition, length_s) for path in sorted((folder / "test").glob("*.flac"))}
            score = np.array([model.score(known[row["model"]], heard[row["test"]]) for row in trials])
            lines += [f"{row['trial']},{length_s},{value:.7f}\n" for row, value in zip(trials, score, strict=True)]
            error = round(100 * ErrorRates(score, same).eer, 2)
            yield Measurement("eval/sv, 150 + 4350 trials, 10 s enrolled", f"{condition}, {length_s} s", "EER %", error)
        if scores:
            (scores / f"{model.card.name}-{condition}.csv").write_text("".join(lines))


def _voice(model: SpeakerModel, path: Path, condition: str, length_s: int) -> Vector:
    samples, rate_hz = read(path)[: 16000 * length_s], 16000
    if condition == "telephone":
        samples, rate_hz = telephone(samples), 8000
    return enrol((rate_hz, [to_int16(samples).tobytes()]), model, ANY).template.vector


class HeardOnce:
    """A part whose voices are kept, in `folder` where one is given: all fusions are measured on the same files."""

    def __init__(self, part: SpeakerModel, folder: Path | None) -> None:
        self.card, self.rate_hz, self.features, self.heavy = part.card, part.rate_hz, part.features, part.heavy
        self._part, self._kept = part, dict[str, Vector]()
        self._place = folder / f"sv-{part.card.sha256[:16]}.npz" if folder else None
        if self._place is not None and self._place.is_file():
            with np.load(self._place) as kept:
                self._kept.update(kept)

    def embed(self, features: Features, speech: Speech) -> Vector:
        key = sha256(features.tobytes() + speech.tobytes()).hexdigest()
        if key not in self._kept:
            self._kept[key] = self._part.embed(features, speech)
        return self._kept[key]

    def keep(self) -> None:
        if self._place is not None:
            np.savez(self._place, **self._kept)

    def score(self, one: Vector, other: Vector) -> float:
        return self._part.score(one, other)

    def probability(self, score: float, net_speech_s: float) -> float:
        return self._part.probability(score, net_speech_s)
