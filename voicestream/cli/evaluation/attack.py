"""Attacks, measured: what a detector of synthetic and replayed speech lets in, kind by kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from voicestream import errors
from voicestream.cli.evaluation.figure import bar_figure, det_figure, histogram_figure
from voicestream.cli.evaluation.hearing import Failure, Folder, progress, read_sound
from voicestream.cli.evaluation.outcome import Outcome, Table, command_line, percent, rate_document, within
from voicestream.cli.evaluation.page import Page
from voicestream.cli.recording import read_bytes
from voicestream.cli.terminal import fail
from voicestream.dsp.resample import resample
from voicestream.evaluation.condition import RATE_HZ, telephone
from voicestream.evaluation.score import Key, read_scores
from voicestream.evaluation.spoof import Presentation, SpoofReport, read_presentations, spoof_report

if TYPE_CHECKING:
    from voicestream.evaluation.condition import Condition
    from voicestream.models.authenticity.model import AuthenticityModel

_NOTES: Final = (
    "A score at or above the threshold is taken for genuine speech. APCER: attack presentation classification error rate, the share of "
    "one kind of attack that is let in. BPCER: bona fide presentation classification error rate, the share of genuine clips refused "
    "(ISO/IEC 30107-3). EER: the mean of both where they are nearest. Intervals are Wilson's, 95 %, and take clips as independent."
)


def attack_outcome(
    listed: Path, text: str, audio: Path, condition: Condition, scores: Path | None, threshold: float | None, detector: AuthenticityModel
) -> Outcome:
    """Measure the clips of a list by scores from a file, else by a detector that hears them."""
    clips = read_presentations(text)
    if scores is not None:
        found = read_scores(read_bytes(scores).decode("utf-8", "replace"))[0]
        return measured(listed.name, clips, scores.name, found.score, threshold)
    if not all(clip.file for clip in clips):
        fail(errors.SCORES_NEEDED, "the list names no recordings")
    heard, failed = _heard(clips, Folder(audio), condition, detector)
    outcome = measured(listed.name, clips, detector.card.name, heard, detector.card.threshold if threshold is None else threshold)
    if failed:
        outcome.table(Table("Clips that could not be heard", ("clip", "reason"), failed, prose=True))
        outcome.document["failures"] = [{"clip": name, "reason": why} for name, why in failed]
    outcome.card(detector.card)
    return outcome


def _heard(
    clips: Sequence[Presentation], folder: Folder, condition: Condition, detector: AuthenticityModel
) -> tuple[dict[Key, float], list[tuple[str, str]]]:
    """Scores by clip, and the clips without one: (name, reason)."""
    scores: dict[Key, float] = {}
    failed = []
    for clip in progress(clips, "hearing"):
        sound = read_sound(folder.find(clip.file)[0])
        if isinstance(sound, Failure):
            failed.append((clip.name, f"{sound.code} {sound.reason}"))
            continue
        samples, rate_hz = sound if condition == "as-is" else (telephone(*sound), RATE_HZ)
        scores[clip.name] = detector.score(samples if rate_hz == detector.rate_hz else resample(samples, rate_hz, detector.rate_hz))
    return scores, failed


def measured(title: str, clips: Sequence[Presentation], name: str, score: dict[Key, float], threshold: float | None) -> Outcome:
    """The report of scores by clip, higher being more genuine; without a threshold it is the one of the EER."""
    unscored = [clip.name for clip in clips if clip.name not in score]
    attacks = sum(bool(clip.attack) for clip in clips)
    lead = f"{len(clips) - attacks} genuine clips and {attacks} attacks; scores of {name}."
    outcome = Outcome(Page(f"{title}: genuine speech or an attack", lead), complete=not unscored)
    if unscored:
        outcome.warn(f"{len(unscored)} of {len(clips)} clips have no score. The figures are those of the others.")
    report = spoof_report(name, clips, {clip.name: score[clip.name] for clip in clips if clip.name in score}, threshold)
    if report is not None:
        if report.chosen_here:
            outcome.warn("The threshold is that of the EER of these very clips, which flatters: --threshold judges another.")
        _show(outcome, report, clips, score)
    if unscored:
        outcome.table(Table("Clips without a score", ("clip",), [(one,) for one in unscored]))
    outcome.page.heading("What the figures mean")
    outcome.page.text(_NOTES)
    outcome.page.heading("Measured with")
    outcome.page.command(command_line())
    outcome.document = {"kind": "spoof", "clips": len(clips), "unscored": unscored, "report": None if report is None else _document(report)}
    return outcome


def _show(outcome: Outcome, report: SpoofReport, clips: Sequence[Presentation], score: dict[Key, float]) -> None:
    worst = max(report.kinds, key=lambda kind: kind.apcer.value)
    outcome.table(
        Table(
            "All attacks together",
            ("genuine", "attacks", "EER %", "threshold", "BPCER %", "95 %", "highest APCER %"),
            [(
                str(report.genuine), str(report.attacks), percent(report.eer), f"{report.threshold:.4g}", percent(report.bpcer.value),
                within(report.bpcer_interval), f"{percent(worst.apcer.value)} ({worst.attack})",
            )],
        )
    )  # fmt: skip
    rows = [
        (kind.attack, str(kind.clips), percent(kind.eer), percent(kind.apcer.value), within(kind.apcer_interval)) for kind in report.kinds
    ]
    outcome.table(Table("Attack by attack", ("attack", "clips", "EER %", "APCER %", "95 %"), rows))
    outcome.page.heading("Curves")
    scored = [clip for clip in clips if clip.name in score]
    genuine = np.array([not clip.attack for clip in scored], np.bool_)
    value = np.array([score[clip.name] for clip in scored], np.float64)
    spans = [(kind.apcer_interval.low, kind.apcer_interval.high) for kind in report.kinds]
    bars = bar_figure([kind.attack for kind in report.kinds], [kind.apcer.value for kind in report.kinds], "APCER, %", spans)
    bins = histogram_figure(value, genuine, [("threshold", report.threshold)], ("genuine", "attacks"))
    figures = [
        ("apcer", "Share of each kind of attack that is let in, with its interval.", bars),
        ("histogram", "Scores of genuine clips and of attacks.", bins),
    ]
    if report.rates is not None:
        curve = det_figure([(report.name, report.rates)], kinds=("attacks let in, %", "genuine clips refused, %"))
        figures.append(("det", "Detection error trade-off over all attacks: lower left is better.", curve))
    for name, caption, figure in figures:
        outcome.figure(name, figure, caption)


def _document(report: SpoofReport) -> dict[str, object]:
    return {
        "genuine": report.genuine, "attacks": report.attacks, "eer": report.eer, "threshold": report.threshold,
        "threshold_chosen_here": report.chosen_here, "bpcer": rate_document(report.bpcer, report.bpcer_interval),
        "kinds": [
            {"attack": kind.attack, "clips": kind.clips, "eer": kind.eer, "apcer": rate_document(kind.apcer, kind.apcer_interval)}
            for kind in report.kinds
        ],
    }  # fmt: skip
