"""An assessment as a person reads it in a terminal: what is coloured has a sign as well, for paper and for the colour-blind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from voicestream.cli.assessment.finding import LEVELS, Band, Confusion, Finding, Score, Sound, Utterance, Word
from voicestream.cli.view import bar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_STYLE: Final[dict[Band, str]] = {"good": "green", "fair": "yellow", "poor": "bold red", "unknown": ""}
_UNDERLINE: Final[dict[Band, str]] = {"good": "", "fair": "~", "poor": "^", "unknown": ""}
_MARGIN: Final = 10  # for the time at which an utterance begins
_GAP: Final = 2  # columns between words
NOTHING: Final = "∅"  # a sound that was left out
_LEGEND: Final = f"^^^ ɹ! wrong   ~~~ ɹ? not quite right   ɹ→l: l was heard for ɹ   ɹ→{NOTHING}: ɹ was left out"


def print_report(console: Console, title: str, finding: Finding) -> None:
    """Scores, words with their sounds, what to practise, pace and pauses, and what to know about all that."""
    from rich.padding import Padding
    from rich.text import Text

    console.print(Text(f"\n{title}", "bold"))
    if finding.sentence:
        console.print(Text(f"to be said: {finding.sentence}", "dim"))
    if finding.scores:
        console.print(_score_table(finding.scores))
    if finding.doubts_levels:
        console.print(Padding(Text(LEVELS, "dim"), (0, 0, 1, 2)))
    for utterance in finding.utterances:
        for line in _interlinear(utterance, console.width):
            console.print(line, soft_wrap=True)
    if not finding.utterances and finding.transcript:
        console.print(Text(f"{finding.transcript}\n"))
    if any(word.band in ("fair", "poor") or word.has_wrong_sound for word in finding.words):
        console.print(Padding(Text(_LEGEND, "dim"), (0, 0, 1, 2)))
    if finding.confusions:
        console.print(_practice_table(finding.confusions))
    rows = [*finding.facts, *pause_facts(finding)]
    if rows:
        console.print(_table(rows))
    for note in finding.notes:
        console.print(Text(f"! {note}", "yellow"))


def pause_facts(finding: Finding) -> Iterator[tuple[str, str]]:
    """A row on the pauses, where they are told or words have times."""
    lengths_s = [end_s - start_s for start_s, end_s in finding.pauses]
    if lengths_s:
        total = f", {sum(lengths_s):.1f} s in all, the longest {max(lengths_s):.1f} s"
        yield "pauses", f"{len(lengths_s)}{total}"
    elif sum(word.span_s is not None for word in finding.words) > 1:
        yield "pauses", "none"


def spelled(sound: Sound) -> str:
    """A sound, with what was heard instead or a sign where it is not right: ɹ→l, ɹ→∅, ɹ!, ɹ?"""
    if sound.said is not None and sound.band != "good":
        return f"{sound.ipa}→{sound.said or NOTHING}"
    return sound.ipa + {"poor": "!", "fair": "?"}.get(sound.band, "")


def _score_table(scores: Iterable[Score]) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, header_style="dim")
    for name in ("score", "0 to 100", "", "", "CEFR"):
        table.add_column(name, justify="right" if name == "0 to 100" else "left")
    for score in scores:
        style = _STYLE[score.band]
        if score.value is None:
            table.add_row(score.name, "–", Text("not scored", "dim"), "", score.level)
        else:
            value = Text(f"{score.value:.1f}", style)
            table.add_row(score.name, value, Text(bar(score.value / 100), style), score.decision, score.level)
    return table


def _practice_table(confusions: Iterable[Confusion]) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, header_style="dim")
    for name in ("to practise", "heard instead", "times", "in"):
        table.add_column(name)
    for confusion in confusions:
        said = f"/{confusion.said}/" if confusion.said else "nothing"
        table.add_row(f"/{confusion.ipa}/", said, str(confusion.count), ", ".join(confusion.examples))
    return table


def _table(rows: Iterable[tuple[str, str]]) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, show_header=False)
    for name, value in rows:
        table.add_row(Text(name, "dim"), Text(value))
    return table


@dataclass(frozen=True, slots=True)
class _Cell:
    """One word with what stands under it."""

    word: Text
    mark: Text
    sounds: Text

    @property
    def width(self) -> int:
        return max(self.word.cell_len, self.mark.cell_len, self.sounds.cell_len)


def _interlinear(utterance: Utterance, width: int) -> Iterator[Text]:
    """Lines of words, and under those that are not right their sounds, as wide as the terminal."""
    room = max(width - _MARGIN, 20)
    clock = utterance.clock
    line: list[_Cell] = []
    used = 0
    for cell in map(_cell, utterance.words):
        if line and used + cell.width > room:
            yield from _lines(line, clock)
            line, used, clock = [], 0, ""
        line.append(cell)
        used += cell.width + _GAP
    yield from _lines(line, clock)


def _lines(cells: list[_Cell], clock: str) -> Iterator[Text]:
    """The words, their marks and their sounds, and a line that is empty."""
    from rich.text import Text

    for place, parts in enumerate(zip(*((cell.word, cell.mark, cell.sounds) for cell in cells), strict=True)):
        line = Text(f"  {clock if place == 0 else '':<{_MARGIN - 2}}", "dim")
        for part, cell in zip(parts, cells, strict=True):
            line.append_text(part)
            line.append(" " * (cell.width + _GAP - part.cell_len))
        line.rstrip()
        if line:
            yield line
    yield Text()


def _cell(word: Word) -> _Cell:
    from rich.text import Text

    if word.skipped:
        return _Cell(Text(word.text, "dim strike"), Text("not said", "bold red"), Text())
    style = _STYLE[word.band]
    text = Text(word.text, style)
    is_right = word.band not in ("fair", "poor")
    if is_right and not word.has_wrong_sound:
        return _Cell(text, Text(), Text())
    score = "" if word.score is None or is_right else f" {word.score:.0f}"
    sounds = Text(" ").join(Text(spelled(sound), _STYLE[sound.band] if sound.band != "good" else "dim") for sound in word.sounds)
    return _Cell(text, Text(_UNDERLINE[word.band] * text.cell_len + score, style), sounds)
