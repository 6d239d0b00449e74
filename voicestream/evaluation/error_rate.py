"""Error rates of a detector at every threshold, and the figures that sum them up.

A score at or above the threshold says yes. Names as ISO/IEC 19795-1 has them: the false match rate (FMR) is
the share of non-targets that are let in, the false non-match rate (FNMR) the share of targets that are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

_DET_FLOOR: Final = 1e-6
_DET_SPOT: Final = 0.005  # deviates; the page shows about six


@dataclass(frozen=True, slots=True)
class Rate:
    """`errors` in `trials`."""

    errors: int
    trials: int

    @property
    def value(self) -> float:
        return self.errors / self.trials


class ErrorRates:
    """FMR and FNMR of scores (n,) whose truth is `target` (n,); at least one trial of each kind, all scores finite."""

    def __init__(self, score: Array, target: Bools) -> None:
        self.threshold, place = np.unique(score, return_inverse=True)
        self._place, self._target = place, target
        self.fnmr, self.fmr = self._rates(np.ones(len(score)))

    def weighted_eer(self, weight: Array) -> float:
        """The equal error rate with each trial counted `weight` (n,) times, for the bootstrap; nothing is sorted again."""
        return _eer(*self._rates(weight))

    def _rates(self, weight: Array) -> tuple[Array, Array]:
        """FNMR and FMR at each threshold and above the highest score, (thresholds + 1,) each."""
        below = []
        for kind in (self._target, ~self._target):
            count = np.bincount(self._place[kind], weight[kind], len(self.threshold))
            total = np.concatenate(([0.0], np.cumsum(count)))
            below.append(total / total[-1] if total[-1] else np.full(len(total), np.nan))
        return below[0], 1.0 - below[1]

    @property
    def eer(self) -> float:
        """Equal error rate 0..1: the mean of FMR and FNMR at the threshold where they are nearest.

        It lies within half a step of one trial of the crossing; the convex hull's figure is never above it by more.
        """
        return _eer(self.fnmr, self.fmr)

    @cached_property
    def eer_threshold(self) -> float:
        """The score at which FMR and FNMR are nearest; the highest score when that is above all of them."""
        return float(self.threshold[min(int(np.argmin(np.abs(self.fnmr - self.fmr))), len(self.threshold) - 1)])

    def min_dcf(self, target_prior: float) -> float:
        """Least detection cost, misses and false alarms costing 1 each, over that of the better constant answer.

        A. Martin, M. Przybocki, "The NIST 1999 speaker recognition evaluation" (2000); normalised as in NIST SRE since 2008.
        """
        cost = target_prior * self.fnmr + (1.0 - target_prior) * self.fmr
        return float(cost.min() / min(target_prior, 1.0 - target_prior))

    def det(self) -> tuple[Array, Array]:
        """FMR and FNMR of the curve's corners; those that lie on one spot of a page are one."""
        from scipy.special import ndtri

        spots = np.round(ndtri(np.clip((self.fmr, self.fnmr), _DET_FLOOR, 1.0 - _DET_FLOOR)) / _DET_SPOT)
        moved = (np.diff(spots, axis=1) != 0).any(axis=0)
        kept = np.append(moved, True) | np.insert(moved, 0, True)
        return self.fmr[kept], self.fnmr[kept]


def rates_at(score: Array, target: Bools, threshold: float) -> tuple[Rate, Rate]:
    """False matches among the non-targets and false non-matches among the targets when `score >= threshold` is a yes."""
    return rates_of(score >= threshold, target)


def rates_of(yes: Bools, target: Bools) -> tuple[Rate, Rate]:
    """The same of decisions taken elsewhere, `yes` (n,)."""
    return (
        Rate(int((yes & ~target).sum()), int((~target).sum())),
        Rate(int((~yes & target).sum()), int(target.sum())),
    )


def probit(rate: float) -> float:
    """The normal deviate of a rate: the axes of a DET curve (A. Martin et al., Eurospeech 1997)."""
    return NormalDist().inv_cdf(rate)


def _eer(fnmr: Array, fmr: Array) -> float:
    nearest = int(np.argmin(np.abs(fnmr - fmr)))
    return float(fnmr[nearest] + fmr[nearest]) / 2.0
