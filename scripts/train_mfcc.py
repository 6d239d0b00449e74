"""Train the embedded speaker model: scripts/train_mfcc.py DATA_FOLDER [--out FOLDER].

DATA_FOLDER holds `background/` (training and calibration) and `sv/` (measured once, at the end). Writes
mfcc.safetensors and mfcc.json, the same bytes at every run once the kernels are cached (freshly compiled
ones differ in the last bits: run it twice after a change of them). Speech goes through the very front end
that the server runs. Every speaker is heard through a microphone, a telephone and a rough channel (random
equaliser, noise), and as two more speakers by playing 10 % faster and slower (V. Gupta et al., 2014).
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # sums in one order: the same weights each time

import argparse
import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import minimize
from scipy.signal import firwin, firwin2, oaconvolve, resample_poly

from voicestream.codecs.containers import decode_file
from voicestream.dsp.frontend import FrontEnd, FrontEndPlan
from voicestream.dsp.g711 import mulaw_compress, mulaw_expand
from voicestream.dsp.mfcc import FeatureOptions
from voicestream.dsp.pcm import to_float, to_int16
from voicestream.dsp.resample import resample
from voicestream.evaluation.error_rate import ErrorRates
from voicestream.models.card import Card, Measurement
from voicestream.models.speaker.calibration import regressors
from voicestream.models.speaker.mfcc import FEATURES, MfccSpeaker, Mixture, levelled, prepared
from voicestream.models.weights import Array, write_weights
from voicestream.sessions.feature_memory import FeatureMemory, Features, Speech

Samples: TypeAlias = NDArray[np.float32]
Generator: TypeAlias = np.random.Generator

GAUSSIANS, RELEVANCE, ROUNDS = 64, 6.0, 12
KEPT, DIMENSION, SHRINKAGE = 600, 150, 1.0  # principal components; of the vector; of the within-speaker scatter
CUTS_FRAMES, CUTS_EACH = (150, 300, 500, 1000), 4  # lengths a voice is learnt at, cuts of each
FOLDS = 3
WINDOW, HOP, ENROLMENT = 300, 100, 1000  # frames; as a verification session has them
TESTED_FRAMES = (100, 200, 300, 500, 1000)  # net speech the calibration is learnt at
CONDITIONS = ("microphone", "telephone", "rough")
PAIRS = ((0, 0), (1, 1), (0, 1))  # conditions of enrolment and test that are calibrated for
HELD_OUT = "background, held-out speakers of one gender and age group"
BAND = firwin(201, [300, 3400], pass_zero=False, fs=8000)
SPEEDS = ((1, 1), (9, 10), (11, 10))  # length new : old


@dataclass(frozen=True)
class Speaker:
    """Prepared speech frames (n, 40) float32 of one speaker, or of a resampled one, per condition."""

    name: str
    corpus: str
    group: tuple[str, str]  # gender and age group
    frames: tuple[Array, ...]


# ---- hearing --------------------------------------------------------------------------------------


def heard(samples: Samples, rate_hz: int) -> Array:
    """Prepared frames of a whole recording, as a session hears it."""
    return prepared(*session_rows(samples, rate_hz, FEATURES))


def session_rows(samples: Samples, rate_hz: int, features: FeatureOptions) -> tuple[Features, Speech]:
    """Rows (n, k) of a whole recording and their speech marks (n,), as a session hears it."""
    front = FrontEnd(FrontEndPlan(encoding="pcm16", rate_hz=rate_hz, analysis_hz=features.rate_hz, features=features))
    memory = FeatureMemory(rate_hz, len(samples), features.width)
    memory.add(*front.feed(to_int16(samples).tobytes()))
    memory.add(*front.flush())
    return memory.window(0, len(samples))[:2]


def read(path: Path) -> Samples:
    samples, rate_hz = decode_file(path.read_bytes())
    assert rate_hz == 16000, path
    return samples


def telephone(samples: Samples) -> Samples:
    """16 kHz -> 8 kHz as the evaluation's README describes: 300-3400 Hz, -23 dBFS, mu-law."""
    band = oaconvolve(resample(samples, 16000, 8000), BAND, mode="same")
    band *= 10 ** (-23 / 20) / max(float(np.sqrt(np.mean(band**2))), 1e-9)
    return to_float(mulaw_expand(mulaw_compress(to_int16(band.astype(np.float32)))))


def rough(samples: Samples, rng: Generator) -> Samples:
    """Another microphone in a noisier room: a random smooth equaliser, white or brown noise 15 to 35 dB down."""
    bands_hz = [0, 400, 800, 1600, 3200, 4800, 6400, 8000]
    gain_db = np.cumsum(rng.normal(0, 1.5, len(bands_hz)))
    band = oaconvolve(samples, firwin2(257, bands_hz, 10 ** ((gain_db - gain_db.mean()) / 20), fs=16000), mode="same")
    noise = rng.normal(size=len(band))
    if rng.random() < 0.5:
        noise = np.cumsum(noise)
        noise -= oaconvolve(noise, np.ones(800) / 800, mode="same")
    snr_db = rng.uniform(15, 35)
    noise *= np.sqrt(np.mean(band**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    louder: Samples = (0.3 * (band + noise)).astype(np.float32)
    return louder


def groups_of(folder: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Gender and age group by corpus and speaker."""
    with (folder / "speakers.csv").open() as file:
        return {(row["corpus"], row["speaker"]): (row["gender"], row["age_group"]) for row in csv.DictReader(file)}


def background(folder: Path) -> list[Speaker]:
    """Every speaker of the background at every speed."""
    rng = np.random.default_rng(1)
    groups = groups_of(folder)
    found = []
    for corpus in ("librispeech", "speechocean762"):
        for speaker in sorted((folder / corpus).iterdir()):
            whole = np.concatenate([read(path) for path in sorted(speaker.glob("*.flac"))])
            for new, old in SPEEDS:
                played = whole if new == old else resample_poly(whole, new, old).astype(np.float32)
                frames = (heard(played, 16000), heard(telephone(played), 8000), heard(rough(played, rng), 16000))
                if min(map(len, frames)) >= CUTS_FRAMES[1]:
                    found.append(Speaker(speaker.name, corpus, groups[corpus, speaker.name], frames))
    return found


# ---- training -------------------------------------------------------------------------------------


def train(speakers: Sequence[Speaker], rng: Generator) -> dict[str, Array]:
    """Mixture and projection; all that `MfccSpeaker` wants but the calibration."""
    arrays = train_mixture(np.concatenate([frames[::15] for speaker in speakers for frames in speaker.frames]), rng)
    mixture = Mixture(arrays)
    vectors, owners = [], []
    for owner, speaker in enumerate(speakers):
        for frames in speaker.frames:
            for cut in cuts(frames, rng):
                vectors.append(mixture.supervector(levelled(cut)))
                owners.append(owner)
    return arrays | train_projection(np.array(vectors, np.float64), np.array(owners))


def cuts(frames: Array, rng: Generator) -> Iterator[Array]:
    for length in CUTS_FRAMES:
        places = np.arange(len(frames) // length)
        for place in rng.choice(places, min(CUTS_EACH, len(places)), replace=False):
            yield frames[place * length : (place + 1) * length].copy()


def train_mixture(frames: Array, rng: Generator) -> dict[str, Array]:
    """Diagonal Gaussians by expectation-maximisation from random frames."""
    spread = frames.var(axis=0)
    arrays = {
        "mean": frames[rng.choice(len(frames), GAUSSIANS, replace=False)],
        "variance": np.tile(spread, (GAUSSIANS, 1)),
        "weight": np.full(GAUSSIANS, 1 / GAUSSIANS, np.float32),
        "relevance": np.array([RELEVANCE], np.float32),
    }
    for _ in range(ROUNDS):
        share = Mixture(arrays).share(frames)
        count = share.sum(axis=0, dtype=np.float64)[:, None]
        mean = share.T @ frames / count
        variance = np.maximum(share.T @ frames**2 / count - mean**2, 0.02 * spread)
        arrays |= {"mean": mean.astype(np.float32), "variance": variance.astype(np.float32)}
        arrays["weight"] = (count[:, 0] / len(frames)).astype(np.float32)
    return arrays


def train_projection(vectors: NDArray[np.float64], owners: NDArray[np.int64]) -> dict[str, Array]:
    """Principal components, then the directions in which speakers differ most in units of how much each varies."""
    centre = vectors.mean(axis=0)
    centred = vectors - centre
    _, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    axes = axes[:, ::-1][:, :KEPT]
    reduced = centred @ axes
    means = np.array([reduced[owners == owner].mean(axis=0) for owner in range(owners.max() + 1)])
    within = sum(np.cov(reduced[owners == owner].T, bias=True) for owner in range(len(means))) / len(means)
    within += SHRINKAGE * np.trace(within) / KEPT * np.eye(KEPT)
    _, directions = eigh(np.cov(means.T), within)
    directions = directions[:, ::-1][:, :DIMENSION]
    directions *= np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(DIMENSION)])  # eigenvectors have no sign of their own
    projection = axes @ directions
    offset = -(centre @ projection) - means.mean(axis=0) @ directions
    projection = projection.astype(np.float16)  # half the file, for 4 digits that nobody misses
    return {"projection": projection.astype(np.float32), "offset": offset.astype(np.float32)}


# ---- calibration ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trials:
    """Scores (n,), whether both sides are one speaker, and the net speech of the tested side."""

    score: NDArray[np.float64]
    same: NDArray[np.bool_]
    net_s: NDArray[np.float64]
    cell: NDArray[np.int64]  # pair of conditions and duration


def held_out(speakers: Sequence[Speaker], rng: Generator) -> Trials:
    """Trials between speakers that the vectors were not trained on, tested in windows as a session does."""
    names = sorted({one.name for one in speakers if one.corpus == "speechocean762"})
    rng.shuffle(names)
    rows = []
    for fold in range(FOLDS):
        tested = set(names[fold::FOLDS])
        arrays = train([one for one in speakers if one.name not in tested], np.random.default_rng(fold))
        plain = [one for one in speakers if one.name in tested and is_original(one, speakers)]
        rows += fold_trials(Embedder(arrays), [one for one in plain if min(map(len, one.frames)) >= ENROLMENT + 500])
    score, same, net_s, cell = (np.array(column) for column in zip(*rows, strict=True))
    return Trials(score, same, net_s, cell)


def is_original(one: Speaker, speakers: Sequence[Speaker]) -> bool:
    return next(other for other in speakers if other.name == one.name) is one


class Embedder:
    """Prepared frames to unit vectors, before there is a calibration."""

    def __init__(self, arrays: dict[str, Array]) -> None:
        self._arrays = arrays
        self._mixture = Mixture(arrays)

    def __call__(self, frames: Array) -> Array:
        vector: Array = self._mixture.supervector(levelled(frames.copy())) @ self._arrays["projection"] + self._arrays["offset"]
        return vector / np.linalg.norm(vector)

    def windows(self, frames: Array) -> Array:
        """Mean of the windows of a stream, as a session remembers it; of unit length."""
        starts = range(0, max(len(frames) - WINDOW, 0) + 1, HOP)
        mean: Array = np.mean([self(frames[start : start + WINDOW]) for start in starts], axis=0)
        return mean / np.linalg.norm(mean)


def fold_trials(embed: Embedder, speakers: Sequence[Speaker]) -> Iterator[tuple[float, bool, float, int]]:
    """Trials against the speaker and the impostors of the same gender and age group: one who tries resembles the owner."""
    for number, (enrolled_in, tested_in) in enumerate(PAIRS):
        models = [embed(one.frames[enrolled_in][:ENROLMENT]) for one in speakers]
        for length in TESTED_FRAMES:
            for owner, one in enumerate(speakers):
                rest = one.frames[tested_in][ENROLMENT + 50 :]
                for start in range(0, len(rest) - length + 1, max(length, 500))[:6]:
                    voice = embed.windows(rest[start : start + length])
                    for other, model in enumerate(models):
                        if speakers[other].group != one.group:
                            continue
                        yield float(model @ voice), owner == other, length / 100, 100 * number + TESTED_FRAMES.index(length)


def calibrate(trials: Trials) -> tuple[Array, float]:
    """Logistic regression, every pair of conditions and duration of equal weight at even odds; and its Cllr in bits."""
    weight = np.zeros(len(trials.score))
    for cell in np.unique(trials.cell):
        for same in (True, False):
            chosen = (trials.cell == cell) & (trials.same == same)
            weight[chosen] = 0.5 / chosen.sum()
    weight /= weight.sum()
    inputs = regressors(trials.score, trials.net_s)
    sign = np.where(trials.same, 1.0, -1.0)

    def cost(numbers: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = sign * (inputs @ numbers)
        slope = -sign * weight * 0.5 * (1 - np.tanh(0.5 * odds))
        return float(weight @ np.logaddexp(0.0, -odds)), inputs.T @ slope

    found = minimize(cost, np.zeros(inputs.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-9})
    return found.x.astype(np.float32), float(found.fun / np.log(2))


# ---- measuring ------------------------------------------------------------------------------------


def measure(model: Embedder, folder: Path, scores: Path | None) -> Iterator[Measurement]:
    """EER on the trials of `sv/`, for the model's card; `scores`: where to write them for score_sv.py."""
    with (folder / "trials.csv").open() as file:
        trials = list(csv.DictReader(file))
    same = np.array([row["target"] == "1" for row in trials])
    for condition in CONDITIONS[:2]:
        models = {path.stem: model(hear(path, condition, 10)) for path in sorted((folder / "enrol").glob("*.flac"))}
        lines = []
        for length_s in (1, 3, 5):
            voices = {path.stem: model(hear(path, condition, length_s)) for path in sorted((folder / "test").glob("*.flac"))}
            score = np.array([float(models[row["model"]] @ voices[row["test"]]) for row in trials])
            lines += [f"{row['trial']},{length_s},{value:.7f}\n" for row, value in zip(trials, score, strict=True)]
            yield Measurement(
                "eval/sv, 150 + 4350 trials, 10 s enrolled",
                f"{condition}, {length_s} s",
                "EER %",
                round(100 * ErrorRates(score, same).eer, 2),
            )
        if scores:
            (scores / f"mfcc-{condition}.csv").write_text("".join(lines))


def hear(path: Path, condition: str, length_s: int) -> Array:
    samples = read(path)[: 16000 * length_s]
    return heard(telephone(samples), 8000) if condition == "telephone" else heard(samples, 16000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "voicestream/models/speaker")
    parser.add_argument("--scores", type=Path, help="folder for the scores of the sv trials")
    options = parser.parse_args()

    speakers = background(options.data / "background")
    print(f"{len(speakers)} speakers heard, {sum(len(frames) for one in speakers for frames in one.frames) / 360000:.1f} h of speech")
    trials = held_out(speakers, np.random.default_rng(2))
    calibration, cllr = calibrate(trials)
    held = [
        Measurement(
            HELD_OUT,
            f"{'/'.join(CONDITIONS[side] for side in pair)}, {length / 100:g} s",
            "EER %",
            round(100 * ErrorRates(trials.score[here], trials.same[here]).eer, 2),
        )
        for number, pair in enumerate(PAIRS)
        for index, length in enumerate(TESTED_FRAMES)
        if (here := trials.cell == 100 * number + index).any()
    ]
    arrays = train(speakers, np.random.default_rng(FOLDS))
    weights = write_weights(arrays | {"calibration": calibration, "projection": arrays["projection"].astype(np.float16)})
    measured = [*measure(Embedder(arrays), options.data / "sv", options.scores), *held]
    measured.append(
        Measurement(
            "background, held-out speakers of one gender and age group", "1 to 10 s, microphone and telephone", "Cllr", round(cllr, 3)
        )
    )
    card = Card(
        name="mfcc", version="2", kind="speaker", rate_hz=FEATURES.rate_hz, dimension=DIMENSION,
        sha256=hashlib.sha256(weights).hexdigest(), licence="Apache-2.0",
        threshold=round(float(-calibration[0] - calibration[2] * np.log(5)) / float(calibration[1] + calibration[3] * np.log(5)), 3),
        calibration="logistic regression on score and log net speech, held-out speakers against impostors of their gender and age group, "
        "even odds; threshold: even odds at 5 s",
        trained_on="speechocean762 (93 speakers) and LibriSpeech (251 speakers, CC BY 4.0), microphone, telephone and rough channels",
        measured=tuple(measured),
        limits="one session and one phone per trained speaker: another day or another phone costs accuracy that is not measured here",
    )  # fmt: skip
    MfccSpeaker(weights, card)  # reads back
    (options.out / "mfcc.safetensors").write_bytes(weights)
    (options.out / "mfcc.json").write_text(json.dumps(asdict(card), indent=1) + "\n")
    print("\n".join(f"{row.metric} {row.value:g} {row.trials}, {row.condition}" for row in measured))
    print(f"{len(weights)} bytes, SHA-256 {card.sha256}, calibration {calibration}")


if __name__ == "__main__":
    main()
