"""Lists of speaker trials, in the forms the field uses.

    1 id10270/a/1.wav id10270/b/2.wav         VoxCeleb: label enrol test; the label 0 or 1, target or nontarget
    id10270 id10270/b/2.wav target            Kaldi: enrol test label
    target 3.25                               label score: what another system left behind
    trial,enrol,test,label[,…]                CSV with a header; `model` and `target` are other names of `enrol` and `label`

A model of several recordings names them all with `;` between them, or their folder. The column `same_group` of a CSV
(1: speakers of one gender and age class) gets a line of its own in the report.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from voicestream.errors import TRIAL_LIST, PeerError

_YES: Final = frozenset({"1", "target", "tgt", "true"})
_NO: Final = frozenset({"0", "nontarget", "non-target", "imp", "impostor", "false"})
_COLUMNS: Final = {  # what a column means: the names it goes by
    "trial": ("trial", "id"),
    "enrol": ("enrol", "enroll", "enrolment", "model"),
    "test": ("test", "file", "segment"),
    "label": ("label", "target", "key"),
    "score": ("score",),
}


@dataclass(frozen=True, slots=True)
class Trial:
    """Is the speaker of `test` the one of the recordings `enrol`? `target`: he is."""

    name: str
    target: bool
    enrol: tuple[str, ...] = ()
    test: str = ""
    same_group: bool | None = None
    score: float | None = None  # the list's own


def read_trials(text: str) -> list[Trial]:
    """The trials of a list; `PeerError` VS1040 with the line for anything else, and when a kind of trial is missing."""
    lines = [(number, line.strip()) for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1) if line.strip()]
    if not lines:
        raise PeerError(TRIAL_LIST, "the list is empty")
    read = _csv_reader(lines) if "," in lines[0][1] else _plain_reader(lines)
    trials = []
    for number, line in lines[1:] if "," in lines[0][1] else lines:
        try:
            trials.append(read(number, line))
        except ValueError as error:
            raise PeerError(TRIAL_LIST, f"line {number}: {error}") from None
    if len({trial.target for trial in trials}) < 2:
        raise PeerError(TRIAL_LIST, "targets and non-targets are needed, and one kind is missing")
    if len({trial.name for trial in trials}) < len(trials):
        raise PeerError(TRIAL_LIST, "two trials have one name")
    return trials


def _csv_reader(lines: Sequence[tuple[int, str]]) -> Callable[[int, str], Trial]:
    header = [name.strip().lower() for name in next(csv.reader([lines[0][1]]))]
    place = {meaning: next((header.index(name) for name in names if name in header), None) for meaning, names in _COLUMNS.items()}
    if place["label"] is None or (place["score"] is None and (place["enrol"] is None or place["test"] is None)):
        raise PeerError(TRIAL_LIST, "line 1: a CSV list needs a header with label, and enrol and test, or score")
    group = header.index("same_group") if "same_group" in header else None

    def read(number: int, line: str) -> Trial:
        row = [field.strip() for field in next(csv.reader([line]))]
        if len(row) != len(header):
            raise ValueError(f"{len(row)} columns, {len(header)} wanted")

        def field(meaning: str) -> str:
            column = place[meaning]
            return "" if column is None else row[column]

        return Trial(
            field("trial") or str(number - 2),
            is_target(field("label")),
            _files(field("enrol")) if place["enrol"] is not None else (),
            field("test"),
            None if group is None else row[group] == "1",
            float(field("score")) if field("score") else None,
        )

    return read


def _plain_reader(lines: Sequence[tuple[int, str]]) -> Callable[[int, str], Trial]:
    columns = len(lines[0][1].split())
    label_first = is_label(lines[0][1].split()[0])

    def read(number: int, line: str) -> Trial:
        row = line.split()
        if len(row) != columns:
            raise ValueError(f"{len(row)} columns, {columns} wanted")
        match row:
            case [label, score] if label_first:
                return Trial(str(number - 1), is_target(label), score=float(score))
            case [label, enrol, test] if label_first:
                return Trial(str(number - 1), is_target(label), _files(enrol), test)
            case [enrol, test, label]:
                return Trial(str(number - 1), is_target(label), _files(enrol), test)
            case _:
                raise ValueError("neither `label enrol test`, `enrol test label` nor `label score`")

    return read


def _files(text: str) -> tuple[str, ...]:
    files = tuple(name.strip() for name in text.split(";") if name.strip())
    if not files:
        raise ValueError("no enrolment is named")
    return files


def is_label(text: str) -> bool:
    """Whether it says what a trial is."""
    return text.lower() in _YES | _NO


def is_target(label: str) -> bool:
    """What a label says; `ValueError` for anything else."""
    if not is_label(label):
        raise ValueError("the label is none of 1, 0, target, nontarget")
    return label.lower() in _YES
