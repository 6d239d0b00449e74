"""Twilio accounts: their auth tokens, with which Twilio signs the streams it opens, and whose calls those are. Everything here blocks."""

import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

from voicestream.errors import TOKEN_TAKEN, UNKNOWN_ACCOUNT, WRONG_SECRET, PeerError
from voicestream.store.client import check_names
from voicestream.store.database import Database
from voicestream.store.vault import Vault

ID_LETTER: Final = "t"  # of API keys it is k
_AUTH_TOKEN = r"[0-9A-Za-z]{16,128}"


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """One account; `account_id` is ours, its name in lists and logs. Times in Unix seconds.

    auth_token: None once it is revoked, or when its seal does not open.
    """

    account_id: str
    name: str
    tenant: str
    created_at: float
    revoked_at: float | None
    auth_token: str | None = field(default=None, repr=False)


def add_account(database: Database, vault: Vault, name: str, tenant: str, auth_token: str, at: float) -> TwilioAccount:
    """A new account. PeerError VS3107, VS3112, or VS3113 where another one has the token: it could be only one tenant's."""
    check_names(name, tenant)
    if not re.fullmatch(_AUTH_TOKEN, auth_token):
        raise PeerError(WRONG_SECRET, "an auth token is 16 to 128 letters and digits")
    known = [one.auth_token for one in accounts(database, vault) if one.auth_token is not None]
    if any(hmac.compare_digest(one, auth_token) for one in known):
        raise PeerError(TOKEN_TAKEN)
    account = TwilioAccount(f"{ID_LETTER}{secrets.token_hex(6)}", name, tenant, at, None, auth_token)
    with database.write() as connection:
        connection.execute(
            "INSERT INTO twilio_accounts VALUES (?, ?, ?, ?, ?, NULL)",
            (account.account_id, name, tenant, vault.seal(auth_token.encode(), account.account_id), at),
        )
    return account


def revoke_account(database: Database, account_id: str, at: float) -> None:
    """The account ends now, and its token is forgotten. PeerError VS3114."""
    with database.write() as connection:
        done = connection.execute(
            "UPDATE twilio_accounts SET revoked_at = ?, sealed = NULL WHERE account_id = ? AND revoked_at IS NULL", (at, account_id)
        )
    if done.rowcount == 0:
        raise PeerError(UNKNOWN_ACCOUNT)


def accounts(database: Database, vault: Vault | None = None) -> list[TwilioAccount]:
    """All accounts, the revoked ones as well, oldest first; without a vault, without their tokens."""
    with database.read() as connection:
        rows = connection.execute(
            "SELECT account_id, name, tenant, created_at, revoked_at, sealed FROM twilio_accounts ORDER BY created_at, account_id"
        ).fetchall()
    return [
        TwilioAccount(account_id, name, tenant, created_at, revoked_at, _token(vault, sealed, account_id))
        for account_id, name, tenant, created_at, revoked_at, sealed in rows
    ]


def _token(vault: Vault | None, sealed: bytes | None, account_id: str) -> str | None:
    if vault is None or sealed is None:
        return None
    try:
        return vault.open(sealed, account_id).decode()
    except PeerError:
        return None
