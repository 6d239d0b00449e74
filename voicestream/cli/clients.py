"""`voicestream clients`: who may ask for access tokens."""

from __future__ import annotations

import json
import time
from typing import Annotated

import typer

from voicestream.cli.authority import Json, opened, table, told
from voicestream.cli.flag import ConfigFile, Pairs

clients = typer.Typer(
    name="clients",
    no_args_is_help=True,
    rich_markup_mode=None,
    short_help="Who may ask for access tokens.",
    help="""Clients of the token endpoint, in the database of the data folder; a running server knows a change after a second.

    Examples:

      voicestream clients add "contact centre"

      voicestream clients rotate 3f1c9a7e52d04b68ac10 --overlap-h 0
    """,
)

ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="As `voicestream clients list` shows it.")]


@clients.command(short_help="Make a client.")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="For your lists; clients never see it.")],
    tenant: Annotated[
        str | None, typer.Option(metavar="TENANT", help="Whose sessions it sees; by default a tenant of its own, called as its id.")
    ] = None,
    scope: Annotated[str | None, typer.Option(metavar="SCOPES", help="Of `register verify`; by default both.")] = None,
    config: ConfigFile = None,
    pairs: Pairs = None,
    as_json: Json = False,
) -> None:
    """Make a client, and print its secret: this once, it is not kept."""
    from voicestream.store.client import SCOPES, add_client

    with opened(config, pairs) as database:
        made, secret = add_client(database, name, time.time(), tenant=tenant, scopes=SCOPES if scope is None else tuple(scope.split()))
    told({"client_id": made.client_id, "client_secret": secret, "tenant": made.tenant}, as_json)


@clients.command("list", short_help="Show the clients.")
def show(config: ConfigFile = None, pairs: Pairs = None, as_json: Json = False) -> None:
    """Show all clients, the revoked ones as well; no secrets, which nobody knows."""
    from voicestream.store.client import clients as read

    with opened(config, pairs) as database:
        rows = [
            {
                "client_id": one.client_id,
                "name": one.name,
                "tenant": one.tenant,
                "scope": " ".join(one.scopes),
                "secrets": len(one.encoded(time.time())),
                "created_at": one.created_at,
                "revoked_at": one.revoked_at,
            }
            for one in read(database)
        ]
    print(json.dumps(rows, indent=1)) if as_json else table(rows)


@clients.command(short_help="Give a client a new secret.")
def rotate(
    client_id: ClientId,
    overlap_h: Annotated[float, typer.Option(metavar="HOURS", min=0, max=24 * 90, help="How long the old secret stays good.")] = 24,
    config: ConfigFile = None,
    pairs: Pairs = None,
    as_json: Json = False,
) -> None:
    """Make a new secret and print it, this once; the old one stays good for a day. A secret that leaked: --overlap-h 0."""
    from voicestream.store.client import rotate_client

    with opened(config, pairs) as database:
        secret = rotate_client(database, client_id, time.time(), overlap_h * 3600)
    told({"client_id": client_id, "client_secret": secret}, as_json)


@clients.command(short_help="End a client.")
def revoke(client_id: ClientId, config: ConfigFile = None, pairs: Pairs = None) -> None:
    """End a client: its secrets and its access tokens are refused from now on."""
    from voicestream.store.client import revoke_client

    with opened(config, pairs) as database:
        revoke_client(database, client_id, time.time())
