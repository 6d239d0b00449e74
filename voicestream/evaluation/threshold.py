"""Where to say yes: the threshold that lets a chosen share of strangers in."""

from __future__ import annotations

import numpy as np

from voicestream.evaluation.error_rate import Array, Bools, rates_of
from voicestream.evaluation.interval import Groups, Interval, SpeakerBootstrap, percentile, widest, wilson


def threshold_at(score: Array, target: Bools, fmr: float, weight: Array | None = None) -> float:
    """The lowest threshold at which at most `fmr` of the non-targets (each counted `weight` times) score as high, or above.

    It lies midway between the last score let out and the first let in; above all non-targets when not one may pass.
    """
    order = np.argsort(score[~target])[::-1]
    found = score[~target][order]
    count = np.ones(len(found)) if weight is None else weight[~target][order]
    passing = np.cumsum(count) <= fmr * count.sum() + 1e-9
    # Scores that are equal pass or stay out together.
    first_out = int(np.argmin(passing)) if not passing.all() else len(found) - 1
    highest_out = found[first_out]
    above = score[score > highest_out]
    lowest_in = float(above.min()) if len(above) else np.nextafter(float(highest_out), np.inf)
    return (float(highest_out) + lowest_in) / 2.0


def threshold_interval(score: Array, target: Bools, fmr: float, enrol: Groups, test: Groups) -> Interval:
    """Of 95 %, by drawing speakers: where the threshold would lie with other people."""
    bootstrap = SpeakerBootstrap(enrol, test)
    return percentile([threshold_at(score, target, fmr, weight) for weight in bootstrap.weights()])


def rate_intervals(yes: Bools, target: Bools, enrol: Groups, test: Groups) -> tuple[Interval, Interval]:
    """FMR and FNMR of decisions, of 95 %, the threshold staying: the wider of drawing speakers and of Wilson's."""
    fmr, fnmr = [], []
    for weight in SpeakerBootstrap(enrol, test).weights():
        with np.errstate(invalid="ignore"):
            fmr.append(float(weight[yes & ~target].sum() / weight[~target].sum()))
            fnmr.append(float(weight[~yes & target].sum() / weight[target].sum()))
    false_match, false_non_match = rates_of(yes, target)
    return widest(percentile(fmr), wilson(false_match)), widest(percentile(fnmr), wilson(false_non_match))
