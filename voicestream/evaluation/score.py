"""Files of scores that any system left behind.

    trial,score          with or without a header; the name of the trial in its list, or its number from 0
    trial,duration_s,score     a set of scores for each duration
    enrol test score     Kaldi: the two names of the list

A header says what the numbers are: `score` only orders trials, `llr` is a natural log-likelihood ratio and `probability`
one at even odds, which have a Cllr as well. Blanks or commas separate; higher is the same speaker, or more bona fide.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final, Literal, TypeAlias

from voicestream.errors import SCORE_FILE, PeerError

Scale: TypeAlias = Literal["score", "llr", "probability"]
Key: TypeAlias = str | tuple[str, str]

_SCALES: Final[tuple[Scale, ...]] = ("score", "llr", "probability")
_HEADER: Final = frozenset({"trial", "id", "enrol", "model", "test", "duration_s", *_SCALES})


@dataclass(frozen=True, slots=True)
class Scores:
    """Numbers by trial name or by (enrol, test); `name` tells several sets of one file apart, else empty."""

    name: str
    scale: Scale
    by_key: dict[Key, float]


def read_scores(text: str) -> list[Scores]:
    """The sets of scores of a file; `PeerError` VS1041 with the line for what is no score file. NaN is no score."""
    rows = [(number, _fields(line)) for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1) if line.strip()]
    if not rows:
        raise PeerError(SCORE_FILE, "the file is empty")
    header = [name.lower() for name in rows[0][1]]
    if _HEADER.isdisjoint(header):
        header = _guess(rows[0][1], rows[0][0])
    else:
        rows = rows[1:]
    scale = next((scale for scale in reversed(_SCALES) if scale in header), None)  # a probability says more than a score
    keys = [header.index(name) for name in ("trial", "id") if name in header] or [
        header.index(name) for name in ("enrol", "model", "test") if name in header
    ]
    if scale is None or len(keys) not in (1, 2):
        raise PeerError(SCORE_FILE, "line 1: the header needs trial (or enrol and test) and score, llr or probability")
    duration = header.index("duration_s") if "duration_s" in header else None
    sets: dict[str, dict[Key, float]] = {}
    for number, row in rows:
        try:
            if len(row) != len(header):
                raise ValueError(f"{len(row)} columns, {len(header)} wanted")
            value = float(row[header.index(scale)])
            name = "" if duration is None else f"{float(row[duration]):g} s"
        except ValueError as error:
            raise PeerError(SCORE_FILE, f"line {number}: {error}") from None
        known = sets.setdefault(name, {})
        key = row[keys[0]] if len(keys) == 1 else (row[keys[0]], row[keys[1]])
        if key in known:
            raise PeerError(SCORE_FILE, f"line {number}: a second score of one trial")
        if scale == "probability" and isfinite(value) and not 0.0 <= value <= 1.0:
            raise PeerError(SCORE_FILE, f"line {number}: a probability outside 0 to 1")
        known[key] = value
    return [Scores(name, scale, {key: value for key, value in known.items() if isfinite(value)}) for name, known in sets.items()]


def _fields(line: str) -> list[str]:
    return [field.strip() for field in (next(csv.reader([line])) if "," in line else line.split())]


def _guess(row: Sequence[str], number: int) -> list[str]:
    """The header that a file without one would have had."""
    match row:
        case [_, _]:
            return ["trial", "score"]
        case [_, duration, _] if duration.replace(".", "", 1).isdigit():
            return ["trial", "duration_s", "score"]
        case [_, _, _]:
            return ["enrol", "test", "score"]
        case _:
            raise PeerError(SCORE_FILE, f"line {number}: two or three columns wanted")
