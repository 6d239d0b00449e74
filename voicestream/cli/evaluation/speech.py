"""Speech labels, measured: those the server itself gives, or results of any system."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from voicestream import errors
from voicestream.cli.evaluation.figure import bar_figure
from voicestream.cli.evaluation.hearing import Failure, Folder, progress, read_sound
from voicestream.cli.evaluation.outcome import Outcome, Table, command_line, percent
from voicestream.cli.evaluation.page import Page
from voicestream.cli.recording import read_bytes
from voicestream.cli.terminal import fail
from voicestream.dsp.frontend import FrontEnd
from voicestream.errors import PeerError
from voicestream.evaluation.segmentation import (
    SegmentationReport,
    Segmented,
    fitted,
    pooled_reports,
    read_frame_scores,
    read_labels,
    read_segmented,
    segmentation_report,
)
from voicestream.models.registry import vad_front

if TYPE_CHECKING:
    from voicestream.evaluation.condition import Condition
    from voicestream.evaluation.error_rate import Array, Bools
    from voicestream.models.vad.model import MakeFront

_THRESHOLD: Final = 0.5
_FRAMES_PER_LABEL: Final = 3  # a label of the front end covers 30 ms
_NOTES: Final = (
    "Frames of 10 ms. AUC: the chance that a frame of speech scores above one without. F1, miss and false alarm at the threshold. "
    "With the collar, 50 ms on either side of a change of label are left out."
)


def speech_outcome(
    listed: Path, text: str, audio: Path, results: Path | None, threshold: float | None, condition: Condition, vad: str
) -> Outcome:
    """Measure the files of `listed` by the labels of the detector `vad` or, where given, by the numbers in `results`/<id>.txt."""
    make_front = vad_front(vad) if results is None else FrontEnd
    files = read_segmented(text)
    at = _THRESHOLD if threshold is None else threshold
    if results is None:
        offered = sorted({name for one in files for name in one.audio})
        if condition not in offered:
            fail(errors.SCORES_NEEDED, f"no recordings {condition} in the list; there are {', '.join(offered) or 'none'}")
        files = [one for one in files if condition in one.audio]
    measured: list[tuple[SegmentationReport, Array, Bools]] = []
    failed: list[tuple[str, str]] = []
    for one in progress(files, "measuring"):
        try:
            speech = _labels(listed.parent, one)
            score = _own(Folder(audio).find(one.audio[condition])[0], make_front) if results is None else _results(results, one)
            score = fitted(score, len(speech))
        except PeerError as error:
            failed.append((one.name, f"{error.fault.code} {error.fault.sentence}: {error.detail}"))
            continue
        measured.append((segmentation_report(one.name, score, speech, at), score, speech))
    system = f"labels of {vad}, as the server gives them" if results is None else f"results in {results.name}"
    title = f"{listed.parent.name}: speech or not, {len(files)} files"
    outcome = Outcome(Page(title, f"Measured: {system}, threshold {at:g}."), complete=not failed)
    if failed:
        outcome.warn(f"{len(failed)} of {len(files)} files have no result. The figures are those of the others.")
    reports = [report for report, _, _ in measured]
    if measured:
        reports += pooled_reports([(score, speech) for _, score, speech in measured], at)
        outcome.table(_table(reports))
        _draw(outcome, reports)
    if failed:
        outcome.table(Table("Files without a result", ("file", "reason"), failed, prose=True))
    outcome.page.heading("What the figures mean")
    outcome.page.text(_NOTES)
    outcome.page.heading("Measured with")
    outcome.page.command(command_line())
    outcome.document = {
        "kind": "vad", "threshold": at, "reports": [_document(report) for report in reports],
        "failures": [{"file": name, "reason": why} for name, why in failed],
    }  # fmt: skip
    return outcome


def _labels(folder: Path, one: Segmented) -> Bools:
    own = folder / "labels" / f"{one.name}.txt"
    return read_labels(read_bytes(own if own.is_file() else folder / "labels_10ms.txt").decode("ascii", "replace"))


def _results(folder: Path, one: Segmented) -> Array:
    file = folder / f"{one.name}.txt"
    try:
        return read_frame_scores(file.read_text("ascii", "replace"))
    except OSError as error:
        raise PeerError(errors.UNREADABLE_FILE, f"{file.name}: {error.strerror}") from None


def _own(file: Path, make_front: MakeFront) -> Array:
    """The labels of the server's front end, one number per 10 ms."""
    from voicestream.dsp.pcm import to_int16
    from voicestream.sessions.intake import media_intake

    sound = read_sound(file)
    if isinstance(sound, Failure):
        raise PeerError(errors.CATALOGUE[sound.code], file.name)
    samples, rate_hz = sound
    intake = media_intake(rate_hz, "pcm16", make_front)
    labels = intake.feed(to_int16(samples).tobytes())[0] + intake.flush()[0]
    return np.repeat(np.frombuffer(labels, np.uint8), _FRAMES_PER_LABEL).astype(np.float64)


def _table(reports: Sequence[SegmentationReport]) -> Table:
    rows = [
        (
            report.name, f"{report.auc:.3f}", f"{report.f1:.3f}", f"{report.accuracy:.3f}",
            percent(report.miss.value), percent(report.false_alarm.value),
        )
        for report in reports
    ]  # fmt: skip
    return Table("Speech and the rest", ("file", "AUC", "F1", "accuracy", "miss %", "false alarm %"), rows)


def _draw(outcome: Outcome, reports: Sequence[SegmentationReport]) -> None:
    outcome.page.heading("Misses and false alarms")
    names = [report.name for report in reports]
    for name, caption, rates in (
        ("miss", "speech missed, % of its frames", [report.miss for report in reports]),
        ("false-alarm", "taken for speech, % of the other frames", [report.false_alarm for report in reports]),
    ):
        figure = bar_figure(names, [rate.value for rate in rates], caption)
        outcome.figure(name, figure, f"{name.replace('-', ' ').capitalize()}: {caption}.")


def _document(report: SegmentationReport) -> dict[str, object]:
    return {
        "file": report.name, "auc": report.auc, "f1": report.f1, "accuracy": report.accuracy,
        "miss": report.miss.value, "false_alarm": report.false_alarm.value,
    }  # fmt: skip
