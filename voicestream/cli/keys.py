"""`voicestream keys`: API keys, of callers of REST routes and audio streams."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer

from voicestream.cli.authority import Json, opened, table, told
from voicestream.cli.flag import ConfigFile, Pairs

keys = typer.Typer(
    name="keys",
    no_args_is_help=True,
    rich_markup_mode=None,
    short_help="API keys.",
    help="""API keys, in the database of the data folder; a running server knows a change after a second.

    To change a key: add a second one of the same tenant, move the callers to it, revoke the first.

    Examples:

      voicestream keys add telephony --tenant 3f1c9a7e52d04b68ac10

      voicestream keys list
    """,
)


@keys.command(short_help="Make an API key.")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="For your lists; callers never see it.")],
    tenant: Annotated[
        str, typer.Option(metavar="TENANT", help="Whose sessions it sees: a client's tenant, its id unless you chose another.")
    ],
    config: ConfigFile = None,
    pairs: Pairs = None,
    as_json: Json = False,
) -> None:
    """Make an API key and print it: this once, it is not kept."""
    from voicestream.store.api_key import add_key

    with opened(config, pairs) as database:
        made, key = add_key(database, name, tenant, time.time())
    told({"key_id": made.key_id, "apikey": key, "tenant": tenant}, as_json)


@keys.command("list", short_help="Show the API keys.")
def show(config: ConfigFile = None, pairs: Pairs = None, as_json: Json = False) -> None:
    """Show all API keys by their ids, the revoked ones as well."""
    from voicestream.store.api_key import keys as read

    with opened(config, pairs) as database:
        rows = [
            {"key_id": one.key_id, "name": one.name, "tenant": one.tenant, "created_at": one.created_at, "revoked_at": one.revoked_at}
            for one in read(database)
        ]
    print(json.dumps(rows, indent=1)) if as_json else table(rows)


@keys.command(short_help="End an API key.")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `voicestream keys list` shows it.")],
    config: ConfigFile = None,
    pairs: Pairs = None,
) -> None:
    """End an API key: it is refused from now on."""
    from voicestream.store.api_key import revoke_key

    with opened(config, pairs) as database:
        revoke_key(database, key_id, time.time())
