"""OAuth clients: who may ask for access tokens, kept with hashes of their secrets. Everything here blocks."""

import re
import secrets
import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from voicestream.errors import UNKNOWN_CLIENT, WRONG_NAME, PeerError
from voicestream.store.database import Database
from voicestream.store.secret import SALT_BYTES, encode, new_secret

SCOPES: Final = ("register", "verify")
_TENANT: Final = r"[A-Za-z0-9._-]{1,64}"
_LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class Secret:
    """The hash of one secret; expires_at: when it ends, in Unix seconds, None while it is the current one."""

    encoded: str
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class Client:
    """One client; times in Unix seconds. `tenant` is whose sessions and results it sees: its own id unless told otherwise."""

    client_id: str
    name: str
    tenant: str
    scopes: tuple[str, ...]
    salt: bytes
    created_at: float
    revoked_at: float | None
    secrets: tuple[Secret, ...]

    def encoded(self, at: float) -> list[str]:
        """The hashes that are good at that time; none once the client is revoked."""
        if self.revoked_at is not None:
            return []
        return [one.encoded for one in self.secrets if one.expires_at is None or at < one.expires_at]


def add_client(
    database: Database, name: str, at: float, *, tenant: str | None = None, scopes: tuple[str, ...] = SCOPES
) -> tuple[Client, str]:
    """A new client and its secret, which is told now and never again. PeerError VS3107."""
    client_id, secret, salt = secrets.token_hex(10), new_secret(), secrets.token_bytes(SALT_BYTES)
    tenant = client_id if tenant is None else tenant
    check_names(name, tenant)
    if not scopes or set(scopes) - set(SCOPES):
        raise PeerError(WRONG_NAME, f"scopes are {', '.join(SCOPES)}")
    client = Client(client_id, name, tenant, tuple(sorted(set(scopes))), salt, at, None, (Secret(encode(secret, salt), None),))
    with database.write() as connection:
        connection.execute(
            "INSERT INTO clients VALUES (?, ?, ?, ?, ?, ?, NULL)", (client_id, name, tenant, " ".join(client.scopes), salt, at)
        )
        _keep_secret(connection, client_id, client.secrets[0].encoded, at)
    return client, secret


def rotate_client(database: Database, client_id: str, at: float, overlap_s: float) -> str:
    """A new secret of the client; the one it had stays good for `overlap_s`, those before it end now. PeerError VS3105."""
    client = next((one for one in clients(database) if one.client_id == client_id and one.revoked_at is None), None)
    if client is None:
        raise PeerError(UNKNOWN_CLIENT)
    secret = new_secret()
    encoded = encode(secret, client.salt)
    with database.write() as connection:
        connection.execute("DELETE FROM secrets WHERE client_id = ? AND expires_at IS NOT NULL", (client_id,))
        connection.execute("UPDATE secrets SET expires_at = ? WHERE client_id = ?", (at + overlap_s, client_id))
        if overlap_s <= 0:
            connection.execute("DELETE FROM secrets WHERE client_id = ?", (client_id,))
        _keep_secret(connection, client_id, encoded, at)
    return secret


def revoke_client(database: Database, client_id: str, at: float) -> None:
    """The client's secrets and tokens end now; its row stays, so that its id is not given again. PeerError VS3105."""
    with database.write() as connection:
        done = connection.execute("UPDATE clients SET revoked_at = ? WHERE client_id = ? AND revoked_at IS NULL", (at, client_id))
        connection.execute("DELETE FROM secrets WHERE client_id = ?", (client_id,))
    if done.rowcount == 0:
        raise PeerError(UNKNOWN_CLIENT)


def clients(database: Database) -> list[Client]:
    """All clients, the revoked ones as well, oldest first."""
    with database.read() as connection:
        rows = connection.execute(
            "SELECT client_id, name, tenant, scope, salt, created_at, revoked_at FROM clients ORDER BY created_at, client_id"
        ).fetchall()
        kept: dict[str, list[Secret]] = defaultdict(list)
        for client_id, encoded, expires_at in connection.execute("SELECT client_id, encoded, expires_at FROM secrets ORDER BY rowid"):
            kept[client_id].append(Secret(encoded, expires_at))
    return [
        Client(client_id, name, tenant, tuple(scope.split()), salt, created_at, revoked_at, tuple(kept[client_id]))
        for client_id, name, tenant, scope, salt, created_at, revoked_at in rows
    ]


def check_names(name: str, tenant: str) -> None:
    """PeerError VS3107 for a name or a tenant that could not be shown or compared."""
    if not (name.isprintable() and 1 <= len(name) <= _LONGEST_NAME and re.fullmatch(_TENANT, tenant)):
        raise PeerError(WRONG_NAME)


def _keep_secret(connection: sqlite3.Connection, client_id: str, encoded: str, at: float) -> None:
    connection.execute("INSERT INTO secrets VALUES (?, ?, ?, NULL)", (client_id, encoded, at))
