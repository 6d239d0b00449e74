"""How well speech is told from the rest, frame by frame of 10 ms."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from voicestream.errors import SCORE_FILE, TRIAL_LIST, PeerError
from voicestream.evaluation.error_rate import Array, Bools, Rate

FRAME_MS: Final = 10
COLLAR_MS: Final = 50  # on either side of a change of label, where nobody agrees
POOLED: Final = "pooled"
_SHORT_FRAMES: Final = 10  # a result may lack that many at the end: they repeat the last


@dataclass(frozen=True, slots=True)
class Segmented:
    """A file of the list: its labels are `speech` (n,), and `audio` names its recording by condition, where it has one."""

    name: str
    group: str  # the noise, where the list says it
    audio: dict[str, str]


@dataclass(frozen=True, slots=True)
class SegmentationReport:
    """The figures of one file, or of all of them; shares are 0..1."""

    name: str
    auc: float  # NaN where a label does not occur
    f1: float
    accuracy: float
    miss: Rate
    false_alarm: Rate


def read_segmented(text: str) -> list[Segmented]:
    """The files of a `files.csv`: the column id, and file, file16k or file8k; `PeerError` VS1040 for anything else."""
    rows = list(csv.DictReader(text.lstrip("\ufeff").splitlines()))
    if not rows or "id" not in rows[0]:
        raise PeerError(TRIAL_LIST, "a list of labelled files needs a header with id")
    columns = {"as-is": ("file", "file16k"), "telephone": ("file8k",)}
    return [
        Segmented(
            row["id"],
            row.get("noise") or "",
            {condition: row[name] for condition, names in columns.items() for name in names if row.get(name)},
        )
        for row in rows
    ]


def read_labels(text: str) -> Bools:
    """One digit per 10 ms, 1 is speech, (n,); `PeerError` VS1040 for other characters."""
    digits = "".join(text.split())
    if not digits or set(digits) - {"0", "1"}:
        raise PeerError(TRIAL_LIST, "labels are one digit 0 or 1 per 10 ms")
    speech: Bools = np.frombuffer(digits.encode(), np.uint8) == ord("1")
    return speech


def read_frame_scores(text: str) -> Array:
    """One number per 10 ms, (n,); `PeerError` VS1041 for anything that is no finite number."""
    try:
        found = np.array(text.split(), np.float64)
    except ValueError:
        found = np.empty(0)
    if not len(found) or not np.isfinite(found).all():
        raise PeerError(SCORE_FILE, "a result is one number per 10 ms")
    return found


def fitted(score: Array, frames: int) -> Array:
    """`score` (n,) brought to `frames`: cut, or its last number repeated; `PeerError` VS1041 when over 0.1 s is missing."""
    if len(score) < frames - _SHORT_FRAMES:
        raise PeerError(SCORE_FILE, f"{len(score)} frames found, {frames} wanted")
    return np.concatenate((score, np.full(max(0, frames - len(score)), score[-1])))[:frames]


def away_from_changes(speech: Bools) -> Bools:
    """The frames (n,) further than the collar from a change of label."""
    kept = np.ones(len(speech), np.bool_)
    reach = COLLAR_MS // FRAME_MS
    for change in np.flatnonzero(np.diff(speech.astype(np.int8))):
        kept[max(0, change - reach + 1) : change + reach + 1] = False
    return kept


def segmentation_report(name: str, score: Array, speech: Bools, threshold: float) -> SegmentationReport:
    """Compare `score > threshold` (n,) with `speech` (n,)."""
    found = score > threshold
    hit, false, missed = int((found & speech).sum()), int((found & ~speech).sum()), int((~found & speech).sum())
    return SegmentationReport(
        name,
        area_under_curve(score, speech),
        2 * hit / max(1, 2 * hit + false + missed),
        float((found == speech).mean()),
        Rate(missed, max(1, int(speech.sum()))),
        Rate(false, max(1, int((~speech).sum()))),
    )


def pooled_reports(files: Sequence[tuple[Array, Bools]], threshold: float) -> list[SegmentationReport]:
    """Reports over the frames of all files (score, speech) together: of all, and of those outside the collar."""
    score, speech = (np.concatenate(side) for side in zip(*files, strict=True))
    kept = np.concatenate([away_from_changes(one) for _, one in files])
    return [
        segmentation_report(POOLED, score, speech, threshold),
        segmentation_report(f"{POOLED}, {COLLAR_MS} ms collar", score[kept], speech[kept], threshold),
    ]


def area_under_curve(score: Array, target: Bools) -> float:
    """The chance that a target scores above a non-target, ties half: the Mann-Whitney statistic; NaN without both kinds."""
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2.0)[place]
    targets = int(target.sum())
    others = len(target) - targets
    return float((rank[target].sum() - targets * (targets + 1) / 2.0) / (targets * others)) if targets and others else float("nan")
