"""`voicestream keys`: API keys, of callers of REST routes and audio streams, and the Twilio accounts that sign theirs."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicestream.cli.authority import Json, opened, table, told
from voicestream.cli.flag import ConfigFile, Pairs, read_settings
from voicestream.cli.terminal import fail
from voicestream.errors import UNREADABLE_FILE, WRONG_SECRET

if TYPE_CHECKING:
    from voicestream.store.api_key import ApiKey
    from voicestream.store.twilio_account import TwilioAccount
    from voicestream.store.vault import Vault

_SECRET_CHARACTERS = 1024  # no secret is longer, and a wrong file may be

keys = typer.Typer(
    name="keys",
    no_args_is_help=True,
    rich_markup_mode=None,
    short_help="API keys and Twilio accounts.",
    help="""API keys and Twilio accounts, in the database of the data folder; a running server knows a change after a second.

    To change a key: add a second one of the same tenant, move the callers to it, revoke the first.

    Examples:

      voicestream keys add telephony --tenant 3f1c9a7e52d04b68ac10

      voicestream keys add genesys --tenant 3f1c9a7e52d04b68ac10 --audiohook-secret

      voicestream keys twilio "main account" --tenant 3f1c9a7e52d04b68ac10

      voicestream keys list
    """,
)


Name = Annotated[str, typer.Argument(metavar="NAME", help="For your lists; callers never see it.")]
Tenant = Annotated[str, typer.Option(metavar="TENANT", help="Whose sessions it sees: a client's tenant, its id unless you chose another.")]


@keys.command(short_help="Make an API key.")
def add(
    name: Name,
    tenant: Tenant,
    audiohook_secret: Annotated[
        bool, typer.Option("--audiohook-secret", help="Make a client secret: AudioHook requests are signed.")
    ] = False,
    audiohook_secret_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The same with a secret you have, in base64; - is standard input.")
    ] = None,
    config: ConfigFile = None,
    pairs: Pairs = None,
    as_json: Json = False,
) -> None:
    """Make an API key and print it: this once, it is not kept. With a client secret, AudioHook requests with it must be signed."""
    from voicestream.store.api_key import add_key
    from voicestream.store.hook_secret import decode, encode, new_secret

    if audiohook_secret and audiohook_secret_file is not None:
        fail(WRONG_SECRET, "--audiohook-secret and --audiohook-secret-file are two")
    given = None if audiohook_secret_file is None else _read(audiohook_secret_file)
    with opened(config, pairs) as database:
        secret = new_secret() if audiohook_secret else decode(given) if given is not None else None
        made, key = add_key(database, name, tenant, time.time(), None if secret is None else (_vault(config, pairs), secret))
    fields = {"key_id": made.key_id, "apikey": key, "tenant": tenant}
    told(fields | ({"audiohook_secret": encode(secret)} if secret is not None else {}), as_json)


@keys.command(short_help="Take in a Twilio account.")
def twilio(
    name: Name,
    tenant: Tenant,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the auth token stands; - is standard input. Without: a prompt.")
    ] = None,
    config: ConfigFile = None,
    pairs: Pairs = None,
    as_json: Json = False,
) -> None:
    """Take in the auth token of a Twilio account: streams that Twilio signs with it are the tenant's. Set public_url as well."""
    from voicestream.store.twilio_account import add_account

    token = typer.prompt("Auth token", hide_input=True, err=True) if token_file is None else _read(token_file)
    with opened(config, pairs) as database:
        made = add_account(database, _vault(config, pairs), name, tenant, token.strip(), time.time())
    told({"account_id": made.account_id, "tenant": tenant}, as_json)


@keys.command("list", short_help="Show API keys and Twilio accounts.")
def show(config: ConfigFile = None, pairs: Pairs = None, as_json: Json = False) -> None:
    """Show all API keys and Twilio accounts by their ids, the revoked ones as well; no keys and no secrets."""
    from voicestream.store.api_key import keys as read
    from voicestream.store.twilio_account import accounts

    with opened(config, pairs) as database:
        kept: list[tuple[str, str, ApiKey | TwilioAccount]] = [
            (one.key_id, "signing key" if one.signs else "key", one) for one in read(database)
        ]
        kept += [(one.account_id, "Twilio", one) for one in accounts(database)]
    rows = [
        {
            "key_id": row_id,
            "kind": kind,
            "name": one.name,
            "tenant": one.tenant,
            "created_at": one.created_at,
            "revoked_at": one.revoked_at,
        }
        for row_id, kind, one in kept
    ]
    print(json.dumps(rows, indent=1)) if as_json else table(rows)


@keys.command(short_help="End an API key or a Twilio account.")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `voicestream keys list` shows it.")],
    config: ConfigFile = None,
    pairs: Pairs = None,
) -> None:
    """End an API key or a Twilio account: it is refused from now on, and its secret is forgotten."""
    from voicestream.store.api_key import revoke_key
    from voicestream.store.twilio_account import ID_LETTER, revoke_account

    with opened(config, pairs) as database:
        (revoke_account if key_id.startswith(ID_LETTER) else revoke_key)(database, key_id, time.time())


def _vault(config: Path | None, pairs: list[str] | None) -> Vault:
    from voicestream.store.vault import Vault

    return Vault.load(read_settings(config, pairs).settings.data_path())


def _read(path: Path) -> str:
    """The text of a small file, which no message repeats."""
    try:
        if str(path) == "-":
            text = sys.stdin.read(_SECRET_CHARACTERS + 1)
        else:
            with path.open(encoding="utf-8") as file:
                text = file.read(_SECRET_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError):
        fail(UNREADABLE_FILE, str(path))
    if len(text) > _SECRET_CHARACTERS:
        fail(WRONG_SECRET, f"{path} holds more than {_SECRET_CHARACTERS} characters")
    return text
