"""What becomes of an assessment: a printout in the terminal, a page in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from voicestream import errors
from voicestream.cli.assessment.answer import read_result
from voicestream.cli.assessment.asking import Assessed
from voicestream.cli.assessment.finding import Finding
from voicestream.cli.assessment.page import page
from voicestream.cli.assessment.printout import print_report
from voicestream.cli.terminal import console, fail, fail_with
from voicestream.errors import PeerError

_UNHEARD_S: Final = 0.6  # less is the rest of a packet


def report(title: str, assessed: Assessed, html: Path | None, as_json: bool) -> None:
    """Show it; ends the command where the answer is no assessment, or the page cannot be written."""
    try:
        finding = read_result(assessed.answer)
    except PeerError as error:
        fail_with(error)
    finding = _with_unheard(finding, assessed)
    if not as_json:
        print_report(console(), f"{title}, {assessed.recording.duration_s:.1f} s", finding)
    if html is None:
        return
    try:
        html.write_text(page(title, finding, assessed.recording), encoding="utf-8")
    except OSError as error:
        fail(errors.UNWRITABLE_FILE, f"{html}: {error.strerror}")
    if not as_json:
        print(f"the page: {html}")


def _with_unheard(finding: Finding, assessed: Assessed) -> Finding:
    """A note where the server did not assess the whole recording."""
    sent_s = assessed.recording.duration_s
    heard_s = sent_s if finding.total_s is None else min(finding.total_s, sent_s)
    unheard_s = sent_s + assessed.unsent_s - heard_s
    if unheard_s < _UNHEARD_S:
        return finding
    note = f"The assessment covers {heard_s:.1f} s of {heard_s + unheard_s:.1f} s of the recording."
    return replace(finding, notes=(*finding.notes, note))
