"""The embedded model on speakers and a corpus apart: scripts/measure_librispeech.py DATA_FOLDER.

Trains the mfcc recipe without a third of the LibriSpeech speakers of `background/`, three times, and tests those: the
first 3 s of speech of each clip enrol, the last 3 s test, everybody against everybody. Beside it, on the same
trials: mean and deviation of the same cepstra, compared by their cosine. A few minutes of one core.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from train_mfcc import CONDITIONS, Embedder, Speaker, background, is_original, train

from voicestream.dsp.cosine import unit
from voicestream.evaluation.error_rate import ErrorRates
from voicestream.models.speaker.mfcc import levelled
from voicestream.models.weights import Array

FOLDS, ROWS = 3, 300


def scores(embed: Callable[[Array], Array], tested: list[Speaker], condition: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores of everybody's end with everybody's beginning, and whether it is theirs."""
    known = unit(np.array([embed(one.frames[condition][:ROWS]) for one in tested]))
    heard = unit(np.array([embed(one.frames[condition][-ROWS:]) for one in tested]))
    return (heard @ known.T).astype(np.float64).reshape(-1), np.eye(len(tested), dtype=np.bool_).reshape(-1)


def plain(frames: Array) -> Array:
    level = levelled(frames.copy())[:, 1:]  # without the loudness, which is taken out
    return np.concatenate((level.mean(axis=0), level.std(axis=0)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    everybody = background(options.data / "background")
    names = sorted({one.name for one in everybody if one.corpus == "librispeech"})
    np.random.default_rng(3).shuffle(names)
    found: dict[tuple[str, int], list[tuple[NDArray[np.float64], NDArray[np.bool_]]]] = {}
    for fold in range(FOLDS):
        held = set(names[fold::FOLDS])
        learnt = [one for one in everybody if one.name not in held]
        tested = [one for one in everybody if one.name in held and is_original(one, everybody)]
        tested = [one for one in tested if min(map(len, one.frames)) >= 2 * ROWS]
        systems: dict[str, Callable[[Array], Array]] = {
            "MFCC mean and deviation, cosine": plain,
            "mfcc": Embedder(train(learnt, np.random.default_rng(10 + fold))),
        }
        for name, embed in systems.items():
            for condition in range(2):
                found.setdefault((name, condition), []).append(scores(embed, tested, condition))
    for (name, condition), parts in found.items():
        score, same = (np.concatenate(column) for column in zip(*parts, strict=True))
        error = 100 * ErrorRates(score, same).eer
        print(f"EER {error:5.2f} %  {name}, {CONDITIONS[condition]}, 3 s against 3 s, {same.sum()} + {(~same).sum()} trials")


if __name__ == "__main__":
    main()
