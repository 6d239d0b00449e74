"""How far a measured rate may lie from the true one: intervals of 95 %."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.evaluation.error_rate import Array, Rate

Groups: TypeAlias = NDArray[np.intp]

CONFIDENCE: Final = 0.95
_DEVIATE: Final = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2.0)
_DRAWS: Final = 1000
_DRAWS_TRIALS: Final = 50_000_000  # draws times trials that are worth the wait
_FEWEST_DRAWS: Final = 100


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


def wilson(rate: Rate) -> Interval:
    """E. B. Wilson's score interval of a rate (1927), trials taken as independent; honest at zero errors as well."""
    n, p, z = rate.trials, rate.value, _DEVIATE
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(max(0.0, centre - reach), min(1.0, centre + reach))


def percentile(found: Sequence[float]) -> Interval:
    """The interval that holds 95 % of bootstrapped figures; those that are no numbers are left out."""
    low, high = np.nanquantile(np.asarray(found), [0.5 - CONFIDENCE / 2.0, 0.5 + CONFIDENCE / 2.0])
    return Interval(float(low), float(high))


def widest(one: Interval, other: Interval) -> Interval:
    """The interval that holds both: no draw shows an error where there is none, and trials of one speaker are not independent."""
    return Interval(min(one.low, other.low), max(one.high, other.high))


class SpeakerBootstrap:
    """Draws whole speakers with replacement, because trials of one speaker succeed and fail together.

    R. Bolle, N. Ratha, S. Pankanti, "Error analysis of pattern recognition systems: the subsets bootstrap" (2004). A trial
    of speakers a and b counts (times a was drawn) x (times b was drawn); one of a speaker with himself as often as he was.
    """

    def __init__(self, enrol: Groups, test: Groups, seed: int = 1) -> None:
        speakers, place = np.unique(np.concatenate((enrol, test)), return_inverse=True)
        self.speakers = len(speakers)
        self._enrol, self._test = place[: len(enrol)], place[len(enrol) :]
        self._seed = seed

    def weights(self) -> Iterator[Array]:
        """How often each trial counts, (n,), draw after draw; the same draws each time."""
        rng = np.random.default_rng(self._seed)
        draws = min(_DRAWS, max(_FEWEST_DRAWS, _DRAWS_TRIALS // max(len(self._enrol), 1)))
        own = self._enrol == self._test
        for _ in range(draws):
            drawn = np.bincount(rng.integers(0, self.speakers, self.speakers), minlength=self.speakers).astype(np.float64)
            yield np.where(own, 1.0, drawn[self._enrol]) * drawn[self._test]


def linked(pairs: Sequence[tuple[Sequence[str], str, bool]]) -> tuple[Groups, Groups]:
    """Speakers behind trials (enrolment files, test file, target): what target trials link is one speaker.

    Returns the speaker of the enrolment and of the test of each trial, (n,) numbers that mean nothing else. A file
    that is in no target trial is a speaker of its own, which makes intervals a little too narrow.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = name = parent[parent[name]]
        return name

    def model(names: Sequence[str]) -> str:
        """All files of a model are one speaker's; a model and a test file may have one name and be two things."""
        for other in names[1:]:
            parent[root(f"enrol {other}")] = root(f"enrol {names[0]}")
        return root(f"enrol {names[0]}")

    for enrol, test, target in pairs:
        if target:
            parent[root(f"test {test}")] = model(enrol)
    number: dict[str, int] = {}
    sides = [
        [number.setdefault(name, len(number)) for name in names]
        for names in ([model(enrol) for enrol, _, _ in pairs], [root(f"test {test}") for _, test, _ in pairs])
    ]
    return np.array(sides[0], np.intp), np.array(sides[1], np.intp)
