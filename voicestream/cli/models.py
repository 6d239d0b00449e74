"""`voicestream models`: the cards of the models there are, installed or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from voicestream.cli.flag import read_settings
from voicestream.cli.terminal import console

if TYPE_CHECKING:
    from voicestream.models.card import Card


def models(context: typer.Context) -> None:
    """Print each model's card: what it is, where it may be used, and how well it was measured to do."""
    if context.invoked_subcommand is not None:
        return
    from voicestream.models.registry import cards, is_available

    out = console()
    folder = read_settings(None, None).settings.data_path()
    for card in cards():
        there = card.kind != "speaker" or is_available(card.name, folder)
        out.print(f"{card.name} {card.version}{'' if there else ' (not installed)'}", style="bold", markup=False)
        for label, text in rows(card):
            out.print(f"  {label:12} {text}", markup=False, soft_wrap=True)


def rows(card: Card) -> list[tuple[str, str]]:
    """A card as labels and texts, in reading order; what a model has not is left out."""
    told = [
        ("kind", card.kind),
        ("analyses at", f"{card.rate_hz} Hz"),
        ("dimension", str(card.dimension or "")),
        ("threshold", f"{card.threshold:g}"),
        ("probability", card.calibration),
        ("trained on", card.trained_on),
        ("limits", card.limits),
        ("licence", card.licence),
        ("sha256", card.sha256),
        *(("measured", f"{found.metric} {found.value:g} · {found.trials} · {found.condition}") for found in card.measured),
    ]
    return [(label, text) for label, text in told if text]
