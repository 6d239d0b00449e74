"""Files of scores that any system left behind.

    trial,score          with or without a header; the name of the trial in its list, or its number from 0
    trial,duration_s,score     a set of scores for each duration
    enrol test score     Kaldi: the two names of the list
    label score          as many lines as the list has, in its order

A header says what the numbers are: `score` only orders trials, `llr` is a natural log-likelihood ratio and `probability`
one at even odds: these have a Cllr as well. Blanks or commas separate; higher is the same speaker, or more bona fide.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Final, TypeAlias

import numpy as np

from voicestream.errors import SCORE_FILE, PeerError
from voicestream.evaluation.likelihood import log_odds
from voicestream.evaluation.trial import is_label, is_target

Key: TypeAlias = str | tuple[str, str]

_NUMBERS: Final[tuple[str, ...]] = ("score", "llr", "probability")
_HEADER: Final = frozenset({"trial", "id", "enrol", "model", "test", "duration_s", *_NUMBERS})


@dataclass(frozen=True, slots=True)
class Scores:
    """Numbers by trial name or by (enrol, test); `name` tells several sets of one file apart, else empty."""

    name: str
    score: dict[Key, float]
    odds: dict[Key, float] | None  # natural log-likelihood ratios, where the file has them


def read_scores(text: str) -> list[Scores]:
    """The sets of scores of a file; `PeerError` VS1041 with the line for what is no score file. NaN and infinity are no score."""
    rows = [(number, _fields(line)) for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1) if line.strip()]
    if not rows:
        raise PeerError(SCORE_FILE, "the file is empty")
    header = [name.lower() for name in rows[0][1]]
    if _HEADER.isdisjoint(header):
        header = _guess(rows[0][1], rows[0][0])
    else:
        rows = rows[1:]
    numbers = [name for name in _NUMBERS if name in header]
    keys = [header.index(name) for name in ("trial", "id") if name in header][:1] or [
        header.index(name) for name in ("enrol", "model", "test") if name in header
    ]
    if not numbers or not keys:
        raise PeerError(SCORE_FILE, "line 1: the header needs trial (or enrol and test) and score, llr or probability")
    sets: dict[str, tuple[dict[Key, float], dict[Key, float]]] = {}
    for number, row in rows:
        try:
            if len(row) != len(header):
                raise ValueError(f"{len(row)} columns, {len(header)} wanted")
            name = f"{float(row[header.index('duration_s')]):g} s" if "duration_s" in header else ""
            found: dict[str, float] = {kind: float(row[header.index(kind)]) for kind in numbers}
            score, odds = sets.setdefault(name, ({}, {}))
            key = row[keys[0]] if len(keys) == 1 else (row[keys[0]], row[keys[1]])
            if key in score:
                raise ValueError("a second score of one trial")
            score[key], odds[key] = found[numbers[0]], _log_odds(found)
        except ValueError as error:
            raise PeerError(SCORE_FILE, f"line {number}: {error}") from None
    told = numbers != ["score"]
    return [Scores(name, _finite(score), _finite(odds) if told else None) for name, (score, odds) in sets.items()]


def in_order(text: str, target: Sequence[bool]) -> list[float] | None:
    """Scores of a file of `label score` lines that follow a list whose truth is `target`; None for any other file."""
    rows = [_fields(line) for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    if len(rows) != len(target) or not all(len(row) == 2 and is_label(row[0]) for row in rows):
        return None
    if [is_target(row[0]) for row in rows] != list(target):
        return None
    try:
        return [float(row[1]) for row in rows]
    except ValueError:
        return None


def _log_odds(found: dict[str, float]) -> float:
    if "llr" in found:
        return found["llr"]
    share = found.get("probability", nan)
    if share < 0.0 or share > 1.0:
        raise ValueError("a probability outside 0 to 1")
    return float(log_odds(np.array([share]))[0])


def _finite(numbers: dict[Key, float]) -> dict[Key, float]:
    return {key: value for key, value in numbers.items() if isfinite(value)}


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
