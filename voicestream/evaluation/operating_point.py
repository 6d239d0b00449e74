"""From scores of an operator's own trials to a calibration: odds, a threshold, and how far both are to be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from voicestream.errors import NOT_SEPARATED, PeerError
from voicestream.evaluation.error_rate import Array, Bools, ErrorRates, Rate, rates_at
from voicestream.evaluation.interval import Groups, Interval
from voicestream.evaluation.likelihood import cllr, min_cllr
from voicestream.evaluation.logistic import fit_logistic, held_out_log_odds
from voicestream.evaluation.threshold import rate_intervals, threshold_at, threshold_interval

_WORTH: Final = 0.005  # bits of Cllr that the net speech must gain to be taken in


@dataclass(frozen=True, slots=True)
class OwnTrials:
    """Scores (n,) of the operator's trials, the net speech behind them, the truth, and the speakers of both sides."""

    score: Array
    net_speech_s: Array
    target: Bools
    enrol: Groups
    test: Groups


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A calibration found; `held_out` (n,) are log odds by regressions that had not seen the trial's speakers, NaN where none had."""

    coefficients: tuple[float, float, float, float]  # of 1, score, log net speech, score times log net speech
    net_speech_s: tuple[float, float]
    threshold: float
    threshold_interval: Interval
    fmr: Rate
    fmr_interval: Interval
    fnmr: Rate
    fnmr_interval: Interval
    held_out: Array
    cllr: float
    min_cllr: float
    rates: ErrorRates


def operating_point(trials: OwnTrials, fmr: float) -> OperatingPoint:
    """Fit the odds and set the threshold; `PeerError` VS1045 when a higher score does not mean one speaker.

    The net speech is taken in where that lowers the Cllr of held-out speakers, which it does not when data are few.
    """
    shortest, longest = float(trials.net_speech_s.min()), float(trials.net_speech_s.max())
    alone = np.stack((np.ones_like(trials.score), trials.score), axis=1)
    log_s = np.log(trials.net_speech_s)[:, None]
    choices = [alone]
    if longest > shortest:
        choices.append(np.concatenate((alone, alone * log_s), axis=1))
    held_out = [held_out_log_odds(one, trials.target, trials.enrol, trials.test) for one in choices]
    cost = [_cost(odds, trials.target) for odds in held_out]
    fitted = [fit_logistic(one, trials.target) for one in choices]
    best = 1 if len(choices) == 2 and cost[1] < cost[0] - _WORTH and _rises(fitted[1], shortest, longest) else 0
    coefficients = (*fitted[best].tolist(), 0.0, 0.0)[:4]
    if coefficients[1] <= 0.0 and not best:
        raise PeerError(NOT_SEPARATED)
    threshold = threshold_at(trials.score, trials.target, fmr)
    false_match, false_non_match = rates_at(trials.score, trials.target, threshold)
    yes = trials.score >= threshold
    fmr_interval, fnmr_interval = rate_intervals(yes, trials.target, trials.enrol, trials.test)
    known = np.isfinite(held_out[best])
    return OperatingPoint(
        coefficients, (shortest, longest), threshold, threshold_interval(trials.score, trials.target, fmr, trials.enrol, trials.test),
        false_match, fmr_interval, false_non_match, fnmr_interval,
        held_out[best], cost[best], min_cllr(held_out[best][known], trials.target[known]), ErrorRates(trials.score, trials.target),
    )  # fmt: skip


def _cost(odds: Array, target: Bools) -> float:
    known = np.isfinite(odds)
    return cllr(odds[known], target[known])


def _rises(coefficients: Array, shortest_s: float, longest_s: float) -> bool:
    """Whether a higher score means more at every length."""
    return all(coefficients[1] + coefficients[3] * np.log(net_s) > 0.0 for net_s in (shortest_s, longest_s))
