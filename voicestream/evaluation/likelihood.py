"""Are probabilities to be believed? The cost of log-likelihood ratios, and the best that their order allows.

N. Brümmer, J. du Preez, "Application-independent evaluation of speaker detection" (2006). All log odds here are natural
and at even odds, so that they are log-likelihood ratios as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from voicestream.evaluation.error_rate import Array, Bools

_SURE = 1e-12  # a probability nearer to 0 or 1 cannot be told from it once it was a float


def log_odds(probability: Array) -> Array:
    """Natural log odds of probabilities 0..1; what rounds to certainty counts as odds of 10^12."""
    sure = np.clip(probability, _SURE, 1.0 - _SURE)
    return np.log(sure) - np.log1p(-sure)


def probability(odds: Array) -> Array:
    """Probabilities 0..1 of log odds."""
    found: Array = 0.5 + 0.5 * np.tanh(0.5 * odds)
    return found


def cllr(odds: Array, target: Bools) -> float:
    """Mean cost in bits of `odds` (n,), targets and non-targets weighing the same; 1 is what saying nothing costs."""
    cost = np.logaddexp(0.0, -odds[target]).mean() + np.logaddexp(0.0, odds[~target]).mean()
    return float(cost) / (2.0 * log(2.0))


def min_cllr(score: Array, target: Bools) -> float:
    """Cllr after the best calibration that keeps the order of the scores; what exceeds it is calibration, not discrimination."""
    return cllr(optimal_log_odds(score, target), target)


def optimal_log_odds(score: Array, target: Bools) -> Array:
    """Log-likelihood ratios (n,) by pooling adjacent violators (M. Ayer et al., 1955), -inf and +inf at the ends included."""
    from scipy.optimize import isotonic_regression

    _, place = np.unique(score, return_inverse=True)
    trials = np.bincount(place).astype(np.float64)
    targets = np.bincount(place, target)
    share = isotonic_regression(targets / trials, weights=trials).x
    with np.errstate(divide="ignore"):
        posterior = np.log(share) - np.log1p(-share)
    found: Array = (posterior - np.log(target.sum() / (~target).sum()))[place]
    return found


@dataclass(frozen=True, slots=True)
class Reliability:
    """What a group of trials was promised and what came true, at even odds; `trials` of both kinds."""

    promised: float
    found: float
    trials: int


def reliability(odds: Array, target: Bools, bins: int = 10) -> list[Reliability]:
    """Promised against found probability in `bins` of equal width; targets and non-targets weigh the same in all.

    M. DeGroot, S. Fienberg, "The comparison and evaluation of forecasters" (1983). Empty bins are left out.
    """
    weight = np.where(target, 0.5 / target.sum(), 0.5 / (~target).sum())
    promised = probability(odds)
    place = np.minimum((promised * bins).astype(int), bins - 1)
    return [
        Reliability(
            float(np.average(promised[inside], weights=weight[inside])),
            float(np.average(target[inside], weights=weight[inside])),
            int(inside.sum()),
        )
        for inside in (place == one for one in range(bins))
        if inside.any()
    ]
