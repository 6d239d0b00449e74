"""`voicestream models`: the cards of the models there are."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

from voicestream.cli.card import Json
from voicestream.cli.flag import read_settings
from voicestream.cli.terminal import console

if TYPE_CHECKING:
    from typer._click.core import Command, Context


class ModelGroup(TyperGroup):
    """`models NAME` is `models card NAME`, for any NAME that is no command."""

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            args = ["card", *args]
        return super().resolve_command(ctx, args)


def models(context: typer.Context, as_json: Json = False) -> None:
    """The models there are: what each is for, how well it was measured to do, and where it fails.

    Examples:

      voicestream models

      voicestream models mfcc
    """
    if context.invoked_subcommand is not None:
        return
    from rich.box import SIMPLE
    from rich.table import Table

    from voicestream.cli.card import overview
    from voicestream.models.registry import cards

    if as_json:
        print(json.dumps([asdict(card) for card in cards()], indent=1))
        return
    table = Table("name", "kind", "version", "rate", "weights", "measured", box=SIMPLE, pad_edge=False, collapse_padding=True)
    limits = Table("name", "where it fails", box=SIMPLE, pad_edge=False, collapse_padding=True)
    for grid in (table, limits):
        for column in grid.columns[:-1]:
            column.no_wrap = True
    for *facts, limit in overview(cards(), read_settings(None, None).settings.data_path()):
        table.add_row(*facts)
        if limit:
            limits.add_row(facts[0], limit)
    out = console()
    out.print(table)
    out.print(limits)
