"""The cards of models, as a person reads them: one line each, or one in full."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated

import typer

from voicestream.cli.terminal import console, fail

if TYPE_CHECKING:
    from pathlib import Path

    from voicestream.models.card import Card

Json = Annotated[bool, typer.Option("--json", help="Print the card as JSON, whole.")]


def card(name: Annotated[str, typer.Argument(metavar="NAME")], as_json: Json = False) -> None:
    """Print one model's card in full, with every figure it was measured to have."""
    from rich.box import SIMPLE
    from rich.table import Table

    from voicestream import errors
    from voicestream.models.registry import cards

    known = {card.name: card for card in cards()}
    if name not in known:
        fail(errors.UNKNOWN_MODEL, f"there is {', '.join(known)}")
    found = known[name]
    if as_json:
        print(json.dumps(asdict(found), indent=1))
        return
    out = console()
    out.print(f"{found.name} {found.version}", style="bold", markup=False)
    for label, text in rows(found):
        out.print(f"  {label:12} {text}", markup=False, soft_wrap=True)
    table = Table("trials", "condition", "metric", "value", box=SIMPLE, pad_edge=False)
    before = ""
    for trials, *rest in measured(found):
        table.add_row("" if trials == before else trials, *rest)
        before = trials
    if found.measured:
        out.print(table)


def rows(card: Card) -> list[tuple[str, str]]:
    """A card as labels and texts, in reading order; what a model has not is left out, what was measured stands apart."""
    told = [
        ("kind", card.kind),
        ("analyses at", f"{card.rate_hz} Hz" if card.rate_hz else ""),
        ("dimension", str(card.dimension or "")),
        ("threshold", f"{card.threshold:.4g}"),
        ("probability", card.calibration),
        ("trained on", card.trained_on),
        ("limits", card.limits),
        ("licence", card.licence),
        ("sha256", card.sha256),
    ]
    return [(label, text) for label, text in told if text]


def measured(card: Card) -> list[tuple[str, str, str, str]]:
    """Every measured figure: trials, condition, metric, value."""
    return [(found.trials, found.condition, found.metric, f"{found.value:g}") for found in card.measured]


def summary(card: Card) -> str:
    """What was measured: a line for each metric, from its least to its greatest figure."""
    values: dict[str, list[float]] = {}
    for found in card.measured:
        values.setdefault(found.metric, []).append(found.value)
    return "\n".join(f"{metric} {_span(found)}" for metric, found in values.items())


def overview(cards: Sequence[Card], data_folder: Path) -> Iterator[tuple[str, ...]]:
    """One row per card: name, kind, version, rate, size of the weights, what was measured, limits."""
    from voicestream.models.registry import is_available

    for one in cards:
        size = weights_bytes(one, data_folder)
        told = f"{size / 1000:,.0f} KB" if size else "-"
        if not is_available(one.name, data_folder):
            told = "not installed"
        rate = f"{one.rate_hz / 1000:g} kHz" if one.rate_hz else "-"
        yield one.name, one.kind, one.version, rate, told, summary(one), one.limits


def weights_bytes(card: Card, data_folder: Path) -> int:
    """Size of a model's weights, inside the package and in the data folder; 0 where it has none, or none yet."""
    from voicestream.models.registry import BUNDLES

    if card.name in BUNDLES:
        return sum(member.size_bytes for member in BUNDLES[card.name].members.values())
    name = f"{card.name}.safetensors"
    inside, installed = files("voicestream.models").joinpath(card.kind, name), data_folder / "models" / name
    return (len(inside.read_bytes()) if inside.is_file() else 0) + (installed.stat().st_size if installed.is_file() else 0)


def _span(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g}–{high:g}"
