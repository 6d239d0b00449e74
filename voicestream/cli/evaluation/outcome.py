"""What a measurement leaves: tables for the terminal and the page, files for the folder, one document for programs."""

from __future__ import annotations

import json
import math
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from voicestream import __version__, errors
from voicestream.cli.card import measured, rows
from voicestream.cli.evaluation.figure import drawn
from voicestream.cli.evaluation.page import Page
from voicestream.cli.terminal import console, fail

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from voicestream.evaluation.error_rate import Rate
    from voicestream.evaluation.interval import Interval
    from voicestream.models.card import Card

_SHOWN = 30  # rows on a terminal
PAGE_FILE, DOCUMENT_FILE = "index.html", "report.json"


@dataclass(frozen=True, slots=True)
class Table:
    """Texts in rows under a header, with a title."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    prose: bool = False  # texts that may be broken where the terminal is narrow


@dataclass(slots=True)
class Outcome:
    """Everything that was found; `complete` is false when anything of the list has no score."""

    page: Page
    document: dict[str, object] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    complete: bool = True
    _tables: list[Table] = field(default_factory=list)

    def table(self, table: Table) -> None:
        """Show it on the terminal and on the page."""
        self._tables.append(table)
        self.page.heading(table.title)
        self.page.table(table.header, table.rows)

    def figure(self, name: str, figure: Figure, caption: str) -> None:
        """Show it on the page, and write it as NAME.png; it is drawn when that is done."""
        self.figures[name] = figure
        self.page.figure(lambda: drawn(figure, "svg"), caption)

    def card(self, card: Card) -> None:
        """Show a model's card on the page."""
        self.page.heading(f"The card of {card.name}")
        self.page.table(("", ""), rows(card))
        if card.measured:
            self.page.table(("trials", "condition", "metric", "value"), measured(card))

    def warn(self, text: str) -> None:
        self.warnings.append(text)
        self.page.warning(text)

    def show(self) -> None:
        """Print the tables on standard output."""
        from rich.box import SIMPLE
        from rich.markup import escape
        from rich.table import Table as Grid

        out = console()
        for table in self._tables:
            grid = Grid(title=table.title, title_justify="left", title_style="bold", box=SIMPLE, pad_edge=False, collapse_padding=True)
            for place, name in enumerate(table.header):
                grid.add_column(name, overflow="fold", no_wrap=place > 0 and not table.prose)
            for row in table.rows[:_SHOWN]:
                grid.add_row(*map(escape, row))
            out.print(grid)
            if len(table.rows) > _SHOWN:
                out.print(f"… and {len(table.rows) - _SHOWN} more in the report")
        for warning in self.warnings:
            out.print(warning, style="yellow", markup=False, soft_wrap=True)

    def write(self, folder: Path) -> None:
        """Write the page, the document and the files; ends the command with VS1027 where that cannot be done."""
        named = {
            PAGE_FILE: self.page.html().encode("utf-8"),
            DOCUMENT_FILE: self.text().encode("utf-8"),
            **self.files,
            **{f"{name}.png": drawn(figure, "png") for name, figure in self.figures.items()},
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, data in named.items():
                (folder / name).write_bytes(data)
        except OSError as error:
            fail(errors.UNWRITABLE_FILE, f"{folder}: {error.strerror}")

    def text(self) -> str:
        """The document as JSON; what is no number is null."""
        return json.dumps(_finite({"voicestream": __version__, "command": command_line(), **self.document}), indent=1) + "\n"


def tell(outcome: Outcome, folder: Path | None, as_json: bool) -> None:
    """Print the outcome as tables or as JSON, and write its files where there is a folder for them."""
    if as_json:
        print(outcome.text(), end="")
    else:
        outcome.show()
    if folder is not None:
        outcome.write(folder)
    if folder is not None and not as_json:
        print(f"page: {folder / PAGE_FILE}")


def command_line() -> str:
    """The command under way, as one would type it."""
    return shlex.join(["voicestream", *sys.argv[1:]])


def percent(share: float) -> str:
    """A share 0..1 as text in per cent."""
    return "-" if math.isnan(share) else f"{100 * share:.2f}"


def within(interval: Interval | None) -> str:
    """An interval of shares as text in per cent."""
    return "-" if interval is None else f"{100 * interval.low:.2f}–{100 * interval.high:.2f}"


def rate_document(rate: Rate, interval: Interval) -> dict[str, object]:
    return {"value": rate.value, "errors": rate.errors, "trials": rate.trials, "interval": [interval.low, interval.high]}


def file_name(text: str) -> str:
    """A name as part of a file's name."""
    return "".join(letter if letter.isalnum() else "-" for letter in text).strip("-")


def _finite(value: object) -> object:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {str(key): _finite(one) for key, one in value.items()}
        case list() | tuple():
            return [_finite(one) for one in value]
        case _:
            return value
