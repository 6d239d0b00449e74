"""Scores become probabilities: logistic regression at even odds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from voicestream.evaluation.error_rate import Array, Bools
from voicestream.evaluation.interval import Groups

_STEPS: Final = 100
_SMALL: Final = 1e-10  # a step that changes nothing any more
_RIDGE: Final = 1e-6  # keeps the equations solvable where regressors are alike
_FOLDS: Final = 5


def fit_logistic(regressors: Array, target: Bools) -> Array:
    """Coefficients (k,) of the log odds for regressors (n, k), targets and non-targets weighing the same in all.

    Newton's method. The truths are smoothed as J. Platt did ("Probabilistic outputs for support vector machines", 1999):
    of n targets n + 1 in n + 2 count as such, so that kinds which do not overlap still give finite odds.
    """
    targets, others = int(target.sum()), int((~target).sum())
    weight = np.where(target, 0.5 / targets, 0.5 / others)
    truth = np.where(target, (targets + 1) / (targets + 2), 1 / (others + 2))
    found: Array = np.zeros(regressors.shape[1])
    for _ in range(_STEPS):
        step = _newton_step(regressors, truth, weight, found)
        before = _loss(regressors, truth, weight, found)
        while _loss(regressors, truth, weight, found + step) > before and np.abs(step).max() > _SMALL:
            step /= 2.0
        found = found + step
        if np.abs(step).max() <= _SMALL * (1.0 + np.abs(found).max()):
            break
    return found


def held_out_log_odds(regressors: Array, target: Bools, enrol: Groups, test: Groups) -> Array:
    """Log odds (n,) by regressions that have not seen the speakers of the trial; NaN where the sides fall into two folds.

    A fold is trained on the trials whose two speakers `enrol` and `test` (n,) both lie outside it.
    """
    speakers = np.unique(np.concatenate((enrol, test)))
    fold_of = dict(zip(np.random.default_rng(1).permutation(speakers).tolist(), _folds(len(speakers)), strict=True))
    sides = [np.array([fold_of[int(speaker)] for speaker in side]) for side in (enrol, test)]
    found = np.full(len(target), np.nan)
    for fold in range(_FOLDS):
        inside = (sides[0] == fold) & (sides[1] == fold)
        outside = (sides[0] != fold) & (sides[1] != fold)
        if inside.any() and 0 < target[outside].sum() < outside.sum():
            found[inside] = regressors[inside] @ fit_logistic(regressors[outside], target[outside])
    return found


def _folds(count: int) -> Iterator[int]:
    return (place % _FOLDS for place in range(count))


def _newton_step(regressors: Array, truth: Array, weight: Array, found: Array) -> Array:
    share = 0.5 + 0.5 * np.tanh(0.5 * (regressors @ found))
    gradient = regressors.T @ (weight * (truth - share)) - _RIDGE * found
    curvature = (regressors * (weight * share * (1.0 - share))[:, None]).T @ regressors
    step: Array = np.asarray(np.linalg.solve(curvature + _RIDGE * np.eye(len(found)), gradient), np.float64)
    return step


def _loss(regressors: Array, truth: Array, weight: Array, found: Array) -> float:
    odds = regressors @ found
    return float(weight @ (np.logaddexp(0.0, odds) - truth * odds) + 0.5 * _RIDGE * found @ found)
