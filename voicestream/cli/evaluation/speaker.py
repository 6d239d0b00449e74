"""The report of speaker trials: tables, curves, scores, page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from voicestream.cli.evaluation.figure import det_figure, histogram_figure, reliability_figure
from voicestream.cli.evaluation.outcome import Outcome, Table, command_line, file_name, percent, rate_document, within
from voicestream.cli.evaluation.page import Page
from voicestream.evaluation.interval import linked
from voicestream.evaluation.likelihood import reliability
from voicestream.evaluation.speaker import ALL, PRIORS, Series, SpeakerReport, speaker_reports

if TYPE_CHECKING:
    from voicestream.cli.evaluation.series import Failed
    from voicestream.evaluation.error_rate import Bools
    from voicestream.evaluation.trial import Trial
    from voicestream.models.card import Card

_NOTES: Final = (
    "Trials are targets + non-targets; in the same group, speakers of one gender and age class. EER: equal error rate, the mean of "
    "both error rates where they are nearest; its interval comes from drawing whole speakers with replacement, 95 % (Wilson's where "
    "there is no error). DCF: least detection cost at a prior of 0.01 or 0.05 for a target, over that of a constant answer. Cllr: "
    "cost of the probabilities in bits, 1 for saying nothing; min is what the order of the scores allows, the rest is calibration. "
    "FMR: false match rate, a stranger is let in. FNMR: false non-match rate, the owner is refused. Their intervals are Wilson's, 95 "
    "%, and take trials as independent. The first rule is the threshold of the model's card, the second what `voicestream verify` "
    "does."
)


def speaker_outcome(
    title: str,
    trials: Sequence[Trial],
    series: Sequence[Series],
    failed: Sequence[Failed],
    cards: Sequence[Card],
    lead: str,
) -> Outcome:
    """Tables, curves and page of all series over one list."""
    target = np.array([trial.target for trial in trials], np.bool_)
    known_group = all(trial.same_group is not None for trial in trials)
    same_group = np.array([bool(trial.same_group) for trial in trials], np.bool_) if known_group else None
    enrol, test = linked([(trial.enrol or (trial.name,), trial.test or trial.name, trial.target) for trial in trials])
    reports = [report for one in series for report in speaker_reports(one, target, same_group, enrol, test)]
    unscored = {one.name: int((~np.isfinite(one.score)).sum()) for one in series}
    outcome = Outcome(Page(title, lead), complete=not any(unscored.values()))
    for name, count in unscored.items():
        if count:
            outcome.warn(f"{name}: {count} of {len(trials)} trials have no score. The figures are those of the others.")
    if reports:
        outcome.table(_figures(reports))
        if any(report.decisions for report in reports):
            outcome.table(_rules(reports))
        _draw(outcome, series, target, reports)
    if failed:
        rows = [(one.recording, str(one.trials), one.reason) for one in failed]
        outcome.table(Table("Recordings that gave no voice", ("recording", "trials", "reason"), rows, prose=True))
    outcome.page.heading("What the figures mean")
    outcome.page.text(_NOTES)
    for card in cards:
        outcome.card(card)
    outcome.page.heading("Measured with")
    outcome.page.command(command_line())
    for one in series:
        outcome.files[f"{_file('scores', one, series)}.csv"] = _score_file(trials, one).encode("utf-8")
    outcome.document = {
        "kind": "speaker",
        "trials": len(trials),
        "unscored": unscored,
        "reports": [_document(report) for report in reports],
        "failures": [{"recording": one.recording, "trials": one.trials, "reason": one.reason} for one in failed],
    }
    return outcome


def _figures(reports: Sequence[SpeakerReport]) -> Table:
    header = ("scores", "trials", "EER %", "95 %", *(f"DCF {prior:g}" for prior in PRIORS), "Cllr", "min")
    rows = [
        (
            _name(report), _trials(report), percent(report.eer), within(report.eer_interval),
            *(f"{report.min_dcf[prior]:.3f}" for prior in PRIORS),
            "-" if report.cllr is None else f"{report.cllr:.3f}", f"{report.min_cllr:.3f}",
        )
        for report in reports
    ]  # fmt: skip
    return Table("Discrimination and calibration", header, rows)


def _rules(reports: Sequence[SpeakerReport]) -> Table:
    rows = [
        (_name(report), rule.rule, percent(rule.fmr.value), within(rule.fmr_interval), percent(rule.fnmr.value), within(rule.fnmr_interval))
        for report in reports
        for rule in report.decisions
    ]
    return Table("Decisions", ("scores", "one speaker when", "FMR %", "95 %", "FNMR %", "95 %"), rows)


def _name(report: SpeakerReport) -> str:
    return report.name if report.trials == ALL else f"{report.name}, {report.trials}"


def _trials(report: SpeakerReport) -> str:
    return f"{report.targets}+{report.nontargets}"


def _draw(outcome: Outcome, series: Sequence[Series], target: Bools, reports: Sequence[SpeakerReport]) -> None:
    whole = [report for report in reports if report.trials == ALL and report.rates is not None]
    points = [(rule.rule, rule.fmr.value, rule.fnmr.value) for rule in whole[0].decisions] if len(whole) == 1 else []
    outcome.page.heading("Curves")
    figures = [
        ("det", det_figure([(report.name, report.rates) for report in whole if report.rates], points),
         "Detection error trade-off: lower left is better; a dot is the equal error rate, a sign a rule of decision."),
    ]  # fmt: skip
    promised = []
    for one in series:
        scored = np.isfinite(one.score)
        if not target[scored].any() or target[scored].all():
            continue
        threshold = [(rule.name, rule.threshold) for rule in one.rules if rule.threshold is not None]
        figures.append(
            (_file("histogram", one, series), histogram_figure(one.score[scored], target[scored], threshold), f"Scores of {one.name}.")
        )
        if one.odds is not None:
            promised.append((one.name, reliability(one.odds[scored], target[scored])))
    if promised:
        figures.append(
            (
                "reliability",
                reliability_figure(promised),
                "Are probabilities what they say? On the diagonal they are; small dots are few trials.",
            )
        )
    for name, figure, caption in figures:
        outcome.figure(name, figure, caption)


def _file(kind: str, one: Series, series: Sequence[Series]) -> str:
    return kind if len(series) == 1 else f"{kind}-{file_name(one.name)}"


def _score_file(trials: Sequence[Trial], one: Series) -> str:
    """What `--scores` reads again; a trial without a score has a line without one, which reads as NaN."""
    odds = one.odds
    if odds is None:
        return "trial,score\n" + "".join(f"{trial.name},{score:.9g}\n" for trial, score in zip(trials, one.score, strict=True))
    return "trial,score,llr\n" + "".join(
        f"{trial.name},{score:.9g},{llr:.9g}\n" for trial, score, llr in zip(trials, one.score, odds, strict=True)
    )


def _document(report: SpeakerReport) -> dict[str, object]:
    return {
        "scores": report.name, "trials": report.trials, "targets": report.targets, "nontargets": report.nontargets,
        "unscored": report.unscored, "eer": report.eer,
        "eer_interval": None if report.eer_interval is None else [report.eer_interval.low, report.eer_interval.high],
        "min_dcf": {f"{prior:g}": cost for prior, cost in report.min_dcf.items()}, "cllr": report.cllr, "min_cllr": report.min_cllr,
        "decisions": [
            {"rule": rule.rule, "fmr": rate_document(rule.fmr, rule.fmr_interval), "fnmr": rate_document(rule.fnmr, rule.fnmr_interval)}
            for rule in report.decisions
        ],
    }  # fmt: skip
