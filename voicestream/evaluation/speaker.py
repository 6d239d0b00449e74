"""Everything that is said of a set of scores of speaker trials: one report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from voicestream.evaluation.error_rate import Array, Bools, ErrorRates, Rate, rates_of
from voicestream.evaluation.interval import Groups, Interval, SpeakerBootstrap, percentile, wilson
from voicestream.evaluation.likelihood import cllr, min_cllr

ALL: Final = "all"  # trials of the list
PRIORS: Final = (0.01, 0.05)  # of a target, for the detection cost
_FEWEST_SPEAKERS: Final = 5  # of fewer a draw is too often one speaker alone


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to decide, and whom it takes for one speaker, `yes` (n,); `threshold` on the score, where it is one."""

    name: str
    yes: Bools
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Scores (n,) of the trials of a list, NaN where there is none; `odds` (n,) natural log-likelihood ratios, if they are known."""

    name: str
    score: Array
    odds: Array | None = None
    rules: tuple[Rule, ...] = ()  # to be judged


@dataclass(frozen=True, slots=True)
class Decision:
    """How often a rule is wrong, each with Wilson's interval."""

    rule: str
    fmr: Rate
    fmr_interval: Interval
    fnmr: Rate
    fnmr_interval: Interval


@dataclass(frozen=True, slots=True)
class SpeakerReport:
    """The figures of one series over one choice of trials; shares are 0..1, Cllr is in bits."""

    name: str
    trials: str  # which ones
    targets: int
    nontargets: int
    unscored: int  # trials of the list that no figure below has seen
    eer: float
    eer_interval: Interval | None  # by speakers; None when there are too few of them
    min_dcf: dict[float, float]  # by the prior of a target
    cllr: float | None
    min_cllr: float
    decisions: tuple[Decision, ...] = ()
    rates: ErrorRates | None = field(default=None, compare=False, repr=False)  # the curve


def speaker_reports(series: Series, target: Bools, same_group: Bools | None, enrol: Groups, test: Groups) -> list[SpeakerReport]:
    """The report over all trials and, where the list knows them, over the non-targets of the same group alone.

    `target`, `same_group`, `enrol` and `test` (n,): truth, group and speakers of each trial. Empty when a kind has no score.
    """
    choices = [(ALL, np.ones(len(target), np.bool_))]
    if same_group is not None:
        choices.append(("same group", target | same_group))
    found = [_report(series, name, chosen, target, enrol, test) for name, chosen in choices]
    return [report for report in found if report is not None]


def _report(series: Series, trials: str, chosen: Bools, target: Bools, enrol: Groups, test: Groups) -> SpeakerReport | None:
    kept = chosen & np.isfinite(series.score)
    score, truth = series.score[kept], target[kept]
    if not truth.any() or truth.all():
        return None
    rates = ErrorRates(score, truth)
    return SpeakerReport(
        name=series.name,
        trials=trials,
        targets=int(truth.sum()),
        nontargets=int((~truth).sum()),
        unscored=int((chosen & ~kept).sum()),
        eer=rates.eer,
        eer_interval=_eer_interval(rates, SpeakerBootstrap(enrol[kept], test[kept]), min(int(truth.sum()), int((~truth).sum()))),
        min_dcf={prior: rates.min_dcf(prior) for prior in PRIORS},
        cllr=None if series.odds is None else cllr(series.odds[kept], truth),
        min_cllr=min_cllr(score, truth) if series.odds is None else min_cllr(series.odds[kept], truth),
        decisions=tuple(_decision(rule.name, rule.yes[kept], truth) for rule in series.rules),
        rates=rates,
    )


def _eer_interval(rates: ErrorRates, bootstrap: SpeakerBootstrap, fewest: int) -> Interval | None:
    if bootstrap.speakers < _FEWEST_SPEAKERS:
        return None
    if rates.eer == 0.0:  # no draw shows an error where there is none
        return wilson(Rate(0, fewest))
    return percentile([rates.weighted_eer(weight) for weight in bootstrap.weights()])


def _decision(rule: str, yes: Bools, target: Bools) -> Decision:
    fmr, fnmr = rates_of(yes, target)
    return Decision(rule, fmr, wilson(fmr), fnmr, wilson(fnmr))
