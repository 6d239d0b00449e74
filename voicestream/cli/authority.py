"""What `clients` and `keys` share: the database of the settings, and how its rows are shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from voicestream.cli.flag import read_settings
from voicestream.cli.terminal import fail_with
from voicestream.errors import PeerError

if TYPE_CHECKING:
    from voicestream.store.database import Database

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


@contextmanager
def opened(config: Path | None, pairs: list[str] | None) -> Iterator[Database]:
    """The database of the data folder, made where there is none; a PeerError, the block's too, ends the command with its number."""
    from voicestream.store.database import FILE_NAME, Database

    settings = read_settings(config, pairs).settings
    try:
        with closing(Database(settings.data_path() / FILE_NAME)) as database:
            yield database
    except PeerError as error:
        fail_with(error)


def told(fields: Mapping[str, str], as_json: bool) -> None:
    """What was made, on standard output."""
    if as_json:
        print(json.dumps(fields))
        return
    width = max(map(len, fields))
    for name, value in fields.items():
        print(f"{name:{width}}  {value}")


def table(rows: Sequence[Mapping[str, object]]) -> None:
    """Rows of equal fields, whole whatever the terminal's width, to be copied from; fields called `..._at` are Unix seconds."""
    if not rows:
        print("none")
        return
    lines = [[name.removesuffix("_at") for name in rows[0]], *([_shown(name, value) for name, value in row.items()] for row in rows)]
    width = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(f"{text:{size}}" for text, size in zip(line, width, strict=True)).rstrip())


def _shown(name: str, value: object) -> str:
    if value is None:
        return "-"
    return f"{datetime.fromtimestamp(value):%Y-%m-%d %H:%M}" if name.endswith("_at") and isinstance(value, float) else str(value)
