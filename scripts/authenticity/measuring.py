"""Error rates of a detector, and what it does on the trials of `spoof/`."""

import csv
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from authenticity.channel import microphone, telephone
from voicestream.evaluation.error_rate import ErrorRates
from voicestream.models.authenticity.cnn import CnnAuthenticity
from voicestream.models.card import Measurement

Scores = NDArray[np.float64]

CONDITIONS: Final = ("telephone", "microphone")
TRIALS: Final = "eval/spoof"


def rates(real: Scores, attacks: Mapping[str, Scores], threshold: float, trials: str, condition: str) -> Iterator[Measurement]:
    """EER pooled and per kind; at the threshold, attacks taken for real (APCER) and real speech refused (BPCER), ISO/IEC 30107-3."""
    everything = np.concatenate([*attacks.values()])
    yield Measurement(trials, f"{condition}, all attacks", "EER %", round(_equal_error_percent(real, everything), 2))
    yield Measurement(trials, condition, "BPCER %", round(100 * float((real < threshold).mean()), 2))
    for kind, found in sorted(attacks.items()):
        yield Measurement(trials, f"{condition}, {kind}", "EER %", round(_equal_error_percent(real, found), 2))
        yield Measurement(trials, f"{condition}, {kind}", "APCER %", round(100 * float((found >= threshold).mean()), 2))


def _equal_error_percent(real: Scores, fake: Scores) -> float:
    return 100 * ErrorRates(np.concatenate((real, fake)), np.arange(len(real) + len(fake)) < len(real)).eer


def spoof_trials(model: CnnAuthenticity, folder: Path, scores: Path | None) -> Iterator[Measurement]:
    """The public trials in both conditions; `scores`: where to write them for score_spoof.py."""
    with (folder / "files.csv").open() as file:
        rows = list(csv.DictReader(file))
    for condition in CONDITIONS:
        channel = telephone if condition == "telephone" else microphone
        found = [model.score(channel(soundfile.read(folder / row["file"], dtype="float32")[0])) for row in rows]
        if scores:
            lines = [f"{row['id']},{value:.6f}\n" for row, value in zip(rows, found, strict=True)]
            (scores / f"spoof-{condition}.csv").write_text("".join(lines))
        real = np.array([value for row, value in zip(rows, found, strict=True) if row["label"] == "bonafide"])
        attacks: dict[str, list[float]] = {}
        for row, value in zip(rows, found, strict=True):
            if row["label"] != "bonafide":
                attacks.setdefault(row["attack"], []).append(value)
        yield from rates(real, {kind: np.array(values) for kind, values in attacks.items()}, model.card.threshold, TRIALS, condition)


def real_time_factor(model: CnnAuthenticity, runs: int = 20) -> float:
    """CPU seconds of this thread per second of a 4 s clip, the median run."""
    clip = (0.1 * np.random.default_rng(1).normal(size=4 * model.rate_hz)).astype(np.float32)
    model.score(clip)
    spent = []
    for _ in range(runs):
        started = time.thread_time()
        model.score(clip)
        spent.append(time.thread_time() - started)
    return float(np.median(spent)) / 4
