"""Train what fits a neural speaker model to microphones and telephones: scripts/train_speaker_backend.py DATA_FOLDER --model NAME.

NAME: ge2e, ecapa (installed before: `voicestream models install NAME`), or fusion for all their combinations with mfcc.
DATA_FOLDER holds `background/` (training and calibration) and `sv/` (measured once, at the end). Writes
NAME.safetensors and NAME.json, the same bytes at every run. ecapa takes a quarter of an hour of one core; with
--cache its vectors are kept between runs.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # sums in one order: the same weights each time

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import train_mfcc
from numpy.typing import NDArray
from scipy.linalg import eigh
from speaker_background import Cut, Heard, Speaker, speakers, voices
from speaker_trials import HeardOnce, Trials, calibration_errors, equal_errors, folds, joined, pairs, public_errors, scored

from voicestream.dsp.cosine import unit
from voicestream.models.card import Card, joint_sha256
from voicestream.models.installation import ORIGINS
from voicestream.models.registry import FUSIONS, network_of, speaker_model
from voicestream.models.speaker.fusion import FusedSpeaker, heard_by
from voicestream.models.speaker.mfcc import prepared
from voicestream.models.speaker.model import SpeakerModel
from voicestream.models.speaker.neural import FEATURES, NeuralSpeaker
from voicestream.models.weights import Array, sha256_of, write_weights
from voicestream.server.config import Settings

DIMENSION = {"ge2e": 150, "ecapa": 150}
SHRINKAGE = {"ge2e": 0.5, "ecapa": 0.5}  # of the scatter within speakers, towards its mean
STEP = 0.05  # of the weights of a fusion
LIMITS = "one session and one phone per trained speaker: another day or another phone costs accuracy that is not measured here"
WIDE_BAND = "trained on wide-band speech: telephones, and a telephone against a microphone, cost it most; "
CHOSEN = "the weights were chosen on the same held-out speakers that the figures of the background are of; "
TRAINED_ON = "speechocean762 (93 speakers) and LibriSpeech (251 speakers, CC BY 4.0), microphone, telephone and rough channels"
CALIBRATION = (
    "logistic regression on score and log net speech, held-out speakers against impostors of their gender and age group, "
    "even odds; threshold: even odds at 5 s"
)


class Background:
    """Cuts of all speakers, and the voices that models make of them; kept in `cache` where one is given."""

    def __init__(self, data: Path, cache: Path | None) -> None:
        self.folder, self.cache = data / "background", cache
        self.speakers: list[Speaker] = speakers(self.folder)
        self.folds = folds(self.speakers)

    def neural(self, name: str, data_folder: Path) -> tuple[list[Cut], Array]:
        """Cuts, and unit vectors of a network before any training."""
        network = network_of(name, data_folder)

        def embed(channel: Heard, cuts: Sequence[Cut]) -> Array:
            spoken = channel.rows[channel.speech]
            return np.array([network(spoken[cut.first : cut.end].reshape(-1)) for cut in cuts])

        found, vectors = self._kept(name, lambda: voices(self.folder, embed))
        return found, unit(vectors)

    def mfcc(self) -> list[Array]:
        """Unit vectors of the same cuts, for every fold those of a model that has not heard its speakers."""
        embedders: list[train_mfcc.Embedder] = []

        def embed(channel: Heard, cuts: Sequence[Cut]) -> Array:
            if not embedders:
                embedders.extend(self._mfcc_of_folds())
            frames = prepared(*heard_by(speaker_model("mfcc"), channel.rows, channel.speech))
            return np.array([[embedder(frames[cut.first : cut.end]) for embedder in embedders] for cut in cuts])

        _, vectors = self._kept("mfcc", lambda: voices(self.folder, embed))
        return [vectors[:, fold] for fold in range(len(self.folds))]

    def _mfcc_of_folds(self) -> Iterator[train_mfcc.Embedder]:
        known = train_mfcc.background(self.folder)
        for fold, tested in enumerate(self.folds):
            names = {self.speakers[number].name for number in tested}
            learnt = [one for one in known if one.name not in names]
            yield train_mfcc.Embedder(train_mfcc.train(learnt, np.random.default_rng(fold)))

    def _kept(self, name: str, make: Callable[[], tuple[list[Cut], Array]]) -> tuple[list[Cut], Array]:
        place = self.cache / f"{name}.npz" if self.cache else None
        if place is not None and place.is_file():
            with np.load(place) as kept:
                return [Cut(*row) for row in kept["cuts"].tolist()], kept["v"]
        found, vectors = make()
        if place is not None:
            np.savez(place, cuts=np.array([list(asdict(cut).values()) for cut in found]), v=vectors)
        return found, vectors


# ---- one network ----------------------------------------------------------------------------------


def train_projection(vectors: Array, owners: NDArray[np.int64], dimension: int, shrinkage: float) -> dict[str, Array]:
    """The directions in which speakers differ most, in units of how much each varies through cuts and channels."""
    x = vectors.astype(np.float64)
    centre = x.mean(axis=0)
    x -= centre
    known = np.unique(owners)
    means = np.array([x[owners == owner].mean(axis=0) for owner in known])
    off = x - means[np.searchsorted(known, owners)]
    within = off.T @ off / (len(x) - len(known))
    within += shrinkage * np.trace(within) / len(within) * np.eye(len(within))
    _, directions = eigh(np.cov(means.T), within)
    directions = directions[:, ::-1][:, :dimension]
    directions *= np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(dimension)])  # eigenvectors have no sign of their own
    return {"centre": centre.astype(np.float32), "projection": directions.astype(np.float32)}


def project(vectors: Array, arrays: dict[str, Array]) -> Array:
    return unit((vectors - arrays["centre"]) @ arrays["projection"])


def held_out(background: Background, cuts: Sequence[Cut], vectors: Array, dimension: int, shrinkage: float) -> list[Array]:
    """Voices of all cuts by the projection of each fold, which has not heard the fold's speakers."""
    owners = np.array([cut.owner for cut in cuts])
    made = []
    for tested in background.folds:
        learnt = ~np.isin(owners, list(tested))
        made.append(project(vectors, train_projection(vectors[learnt], owners[learnt], dimension, shrinkage)))
    return made


def trials_of(background: Background, cuts: Sequence[Cut], by_fold: Sequence[Array]) -> list[Trials]:
    return [
        scored(vectors, list(pairs(cuts, background.speakers, tested))) for vectors, tested in zip(by_fold, background.folds, strict=True)
    ]


def train_backend(name: str, background: Background, data_folder: Path) -> tuple[dict[str, Array], list[Trials]]:
    cuts, vectors = background.neural(name, data_folder)
    parts = trials_of(background, cuts, held_out(background, cuts, vectors, DIMENSION[name], SHRINKAGE[name]))
    calibration, _ = train_mfcc.calibrate(joined(parts))
    arrays = train_projection(vectors, np.array([cut.owner for cut in cuts]), DIMENSION[name], SHRINKAGE[name])
    return arrays | {"calibration": calibration}, parts


# ---- several models together ----------------------------------------------------------------------


def train_fusion(
    name: str, background: Background, voices_of: dict[str, list[Array]], cuts: Sequence[Cut]
) -> tuple[dict[str, Array], list[Trials]]:
    """The weights whose calibrated scores cost least on held-out speakers, on a grid; each part is heard at all."""
    steps = round(1 / STEP)
    chosen, least = np.zeros(0), np.inf
    single = [trials_of(background, cuts, voices_of[part]) for part in FUSIONS[name]]
    whole = [joined(parts) for parts in single]
    for counts in product(range(1, steps), repeat=len(whole)):
        if sum(counts) != steps:
            continue
        weight = np.array(counts) / steps
        _, cost = train_mfcc.calibrate(mixed(whole, weight))
        if cost < least:
            chosen, least = weight, cost
    parts = [mixed(fold, chosen) for fold in zip(*single, strict=True)]
    calibration, _ = train_mfcc.calibrate(joined(parts))
    return {"weight": chosen.astype(np.float32), "calibration": calibration}, parts


def mixed(parts: Sequence[Trials], weight: NDArray[np.float64]) -> Trials:
    """Trials whose score is the weighted sum (of means of windows, whose lengths differ little between parts)."""
    first = parts[0]
    return Trials(sum(one.score * share for one, share in zip(parts, weight, strict=True)), first.same, first.net_s, first.cell)


# ---- cards ----------------------------------------------------------------------------------------


def write(
    make: Callable[[bytes, Card], SpeakerModel],
    arrays: dict[str, Array],
    card: Card,
    base: Sequence[str],
    parts: Sequence[Trials],
    options: argparse.Namespace,
) -> None:
    """Weights and card, measured with the model that `make` makes of them; `base`: SHA-256 of what they stand on."""
    weights = write_weights(arrays)
    slope = arrays["calibration"].astype(np.float64)
    even = float(-slope[0] - slope[2] * np.log(5)) / float(slope[1] + slope[3] * np.log(5))
    fields = asdict(card) | {"sha256": joint_sha256(*base, sha256_of(weights)), "threshold": round(even, 3), "measured": ()}
    model = make(weights, Card(**fields))
    dimension = len(model.embed(np.zeros((100, FEATURES.width), np.float32), np.ones(100, np.bool_)))
    measured = [*public_errors(model, options.data / "sv", options.scores), *equal_errors(joined(parts)), *calibration_errors(parts)]
    fields |= {"dimension": dimension, "measured": [asdict(one) for one in measured]}
    (options.out / f"{card.name}.safetensors").write_bytes(weights)
    (options.out / f"{card.name}.json").write_text(json.dumps(fields, indent=1) + "\n")
    print("\n".join(f"{card.name}: {row.metric} {row.value:g} {row.trials}, {row.condition}" for row in measured))
    print(
        f"{card.name}: {len(weights)} bytes, SHA-256 {sha256_of(weights)}, calibration {slope}",
        *([arrays["weight"]] if "weight" in arrays else []),
    )


def blank(name: str, limits: str, licence: str, trained_on: str) -> Card:
    return Card(
        name=name, version="1", kind="speaker", rate_hz=FEATURES.rate_hz, dimension=0, sha256="", licence=licence,
        threshold=0.0, calibration=CALIBRATION, trained_on=trained_on, limits=limits + LIMITS,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", choices=[*ORIGINS, "fusion"], required=True)
    parser.add_argument("--out", type=Path, default=Path("voicestream/models/speaker"))
    parser.add_argument("--cache", type=Path, help="keep the voices of the background here")
    parser.add_argument("--scores", type=Path, help="write the scores of `sv/` here")
    parser.add_argument("--data-folder", type=Path, default=Settings().data_path(), help="where the models are installed")
    options = parser.parse_args()
    background = Background(options.data, options.cache)
    if options.model != "fusion":
        name, origin = options.model, ORIGINS[options.model]
        arrays, parts = train_backend(name, background, options.data_folder)
        network = network_of(name, options.data_folder)
        licence = f"{origin.licence}; projection Apache-2.0"
        card = blank(name, WIDE_BAND, licence, f"network: see {origin.package}; projection: {TRAINED_ON}")
        write(partial(NeuralSpeaker, network, origin.sha256), arrays, card, [origin.sha256], parts, options)
        return
    voices_of = {"mfcc": background.mfcc()}
    cuts: list[Cut] = []
    for name in ORIGINS:
        cuts, vectors = background.neural(name, options.data_folder)
        voices_of[name] = held_out(background, cuts, vectors, DIMENSION[name], SHRINKAGE[name])
    for part, by_fold in voices_of.items():
        for row in calibration_errors(trials_of(background, cuts, by_fold)):
            print(f"{part}, trained without the tested speakers: {row.metric} {row.value:g} {row.condition}", flush=True)
    heard_once = {part: HeardOnce(speaker_model(part, options.data_folder), options.cache) for part in voices_of}
    for name, names in FUSIONS.items():
        arrays, parts = train_fusion(name, background, voices_of, cuts)
        models = [heard_once[part] for part in names]
        shares = ", ".join(f"{share:.2f} {part}" for share, part in zip(arrays["weight"], names, strict=True))
        licences = ", ".join(sorted({model.card.licence for model in models}))
        card = blank(name, CHOSEN, licences, f"parts: see their cards; weights {shares}: {TRAINED_ON}")
        write(partial(FusedSpeaker, models), arrays, card, [model.card.sha256 for model in models], parts, options)
        for model in models:
            model.keep()


if __name__ == "__main__":
    main()
