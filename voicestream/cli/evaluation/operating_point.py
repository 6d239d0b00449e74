"""The report of a calibration: its figures beside the model's own, curves, and the calibration to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from voicestream.cli.evaluation.figure import det_figure, histogram_figure, reliability_figure
from voicestream.cli.evaluation.outcome import Outcome, Table, command_line, percent, within
from voicestream.cli.evaluation.page import Page
from voicestream.evaluation.error_rate import rates_at
from voicestream.evaluation.likelihood import cllr, log_odds, reliability
from voicestream.evaluation.pairing import ERRORS_NEEDED
from voicestream.models.speaker.calibrated import CalibratedSpeaker, Calibration

if TYPE_CHECKING:
    from voicestream.evaluation.condition import Condition
    from voicestream.evaluation.error_rate import Array
    from voicestream.evaluation.operating_point import OperatingPoint, OwnTrials
    from voicestream.models.speaker.model import SpeakerModel
    from voicestream.sessions.vocabulary import Template

_NOTES: Final = (
    "Each recording was compared with the voice of its speaker's other recordings (targets), and with the voices of all other "
    "speakers, one recording left out of each as well (non-targets). The threshold lets at most the wanted share of these strangers "
    "in (FMR); FNMR is the share of owners it refuses. Intervals hold 95 % and come from drawing whole speakers with replacement, "
    "those of rates from Wilson where that is wider. Probabilities are at even odds, by logistic regression; their Cllr (bits; 1 for "
    "saying nothing) is of speakers that the regression had not seen, in five folds. Days, rooms and telephones that are not in these "
    "recordings are not in these figures."
)


def calibration_outcome(
    name: str,
    model: SpeakerModel,
    condition: Condition,
    wanted_fmr: float,
    heard: Mapping[str, Sequence[Template]],
    failed: Sequence[tuple[str, str]],
    trials: OwnTrials,
    point: OperatingPoint,
) -> tuple[Calibration, Outcome]:
    """The calibration and what is shown of it."""
    recordings = sum(map(len, heard.values()))
    calibration = Calibration(
        name=name, model=model.card.name, model_sha256=model.card.sha256, condition=condition,
        coefficients=point.coefficients, net_speech_s=point.net_speech_s, threshold=point.threshold,
        threshold_interval=(point.threshold_interval.low, point.threshold_interval.high), wanted_fmr=wanted_fmr,
        fmr=point.fmr.value, fmr_interval=(point.fmr_interval.low, point.fmr_interval.high),
        fnmr=point.fnmr.value, fnmr_interval=(point.fnmr_interval.low, point.fnmr_interval.high),
        cllr=point.cllr, min_cllr=point.min_cllr, speakers=len(heard), recordings=recordings,
        targets=point.fnmr.trials, nontargets=point.fmr.trials,
    )  # fmt: skip
    title = f"{name}: {model.card.name} on {len(heard)} speakers"
    lead = f"{recordings} recordings, {point.fnmr.trials} target and {point.fmr.trials} non-target trials; condition {condition}."
    outcome = Outcome(Page(title, lead))
    if failed:
        outcome.warn(f"{len(failed)} recordings gave no voice and are left out.")
    if point.fnmr.errors < ERRORS_NEEDED:
        told = f"With fewer than {ERRORS_NEEDED} errors the FNMR is known by its interval only (rule of 30)."
        outcome.warn(f"Owners refused: {point.fnmr.errors}. {told}")
    own = np.array([model.probability(*pair) for pair in zip(trials.score.tolist(), trials.net_speech_s.tolist(), strict=True)])
    _tables(outcome, calibration, model, trials, point, log_odds(own))
    _draw(outcome, model, trials, point, log_odds(own))
    if failed:
        outcome.table(Table("Recordings that gave no voice", ("recording", "reason"), failed, prose=True))
    outcome.page.heading("What the figures mean")
    outcome.page.text(_NOTES)
    outcome.card(model.card)
    outcome.page.heading("Made with")
    outcome.page.command(command_line())
    outcome.document = {
        "kind": "calibration", **{field: getattr(calibration, field) for field in calibration.__struct_fields__},
        "failures": [{"recording": what, "reason": why} for what, why in failed],
    }  # fmt: skip
    return calibration, outcome


def _tables(outcome: Outcome, calibration: Calibration, model: SpeakerModel, trials: OwnTrials, point: OperatingPoint, own: Array) -> None:
    net_s = float(np.median(trials.net_speech_s))
    at = CalibratedSpeaker(model, calibration).probability(point.threshold, net_s)
    outcome.table(
        Table(
            f"{calibration.name}: the operating point",
            ("", "found", "95 %"),
            [
                (
                    "threshold on the score",
                    f"{point.threshold:.4f}",
                    f"{point.threshold_interval.low:.4f}–{point.threshold_interval.high:.4f}",
                ),
                (f"FMR % (wanted {100 * calibration.wanted_fmr:g})", percent(point.fmr.value), within(point.fmr_interval)),
                ("FNMR %", percent(point.fnmr.value), within(point.fnmr_interval)),
                ("EER %", percent(point.rates.eer), ""),
                (f"probability at the threshold, {net_s:.1f} s", f"{at:.3f}", ""),
            ],
        )
    )
    fmr, fnmr = rates_at(trials.score, trials.target, model.card.threshold)
    held = np.isfinite(point.held_out)
    own_cllr = cllr(own[held], trials.target[held])
    rows = [
        (name, f"{threshold:.4f}", percent(false_match.value), percent(false_non_match.value), f"{cost:.3f}")
        for name, threshold, false_match, false_non_match, cost in (
            (calibration.name, point.threshold, point.fmr, point.fnmr, point.cllr),
            (model.card.name, model.card.threshold, fmr, fnmr, own_cllr),
        )
    ]
    header = ("", "threshold", "FMR %", "FNMR %", f"Cllr (at best {point.min_cllr:.3f})")
    outcome.table(Table("Beside the model's own", header, rows))


def _draw(outcome: Outcome, model: SpeakerModel, trials: OwnTrials, point: OperatingPoint, own: Array) -> None:
    held = np.isfinite(point.held_out)
    truth = trials.target[held]
    thresholds = [(f"threshold {point.threshold:.3f}", point.threshold), (f"the model's {model.card.threshold:.3g}", model.card.threshold)]
    promised = [("calibrated", reliability(point.held_out[held], truth)), ("the model's own", reliability(own[held], truth))]
    points = [("the threshold", point.fmr.value, point.fnmr.value)]
    figures = [
        (
            "histogram",
            "Scores of all trials; a stranger right of the threshold is let in.",
            histogram_figure(trials.score, trials.target, thresholds),
        ),
        (
            "reliability",
            "Are probabilities what they say? On the diagonal they are; small dots are few trials. Held-out speakers.",
            reliability_figure(promised),
        ),
        (
            "det",
            "Detection error trade-off: lower left is better; the square is the operating point.",
            det_figure([(model.card.name, point.rates)], points),
        ),
    ]
    outcome.page.heading("Curves")
    for name, caption, figure in figures:
        outcome.figure(name, figure, caption)
