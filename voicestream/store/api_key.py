"""API keys: what callers of the REST routes and audio streams show, kept as SHA-256. Everything here blocks.

A key is 256 random bits, so its hash needs no salt and no argon2: nobody can try them all.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final

from voicestream.errors import UNKNOWN_KEY, PeerError
from voicestream.store.client import check_names
from voicestream.store.database import Database
from voicestream.store.vault import Vault

LONGEST: Final = 256  # characters; anything longer is refused unhashed


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key, without itself; `key_id` is its name in lists and logs. Times in Unix seconds.

    signs: AudioHook requests with it are signed; hook_secret: with what, None where that is not known.
    """

    key_id: str
    name: str
    tenant: str
    digest: bytes
    created_at: float
    revoked_at: float | None
    signs: bool = False
    hook_secret: bytes | None = field(default=None, repr=False)


def digest(key: str) -> bytes:
    """The 32 bytes by which a key is kept and found."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def add_key(database: Database, name: str, tenant: str, at: float, signing: tuple[Vault, bytes] | None = None) -> tuple[ApiKey, str]:
    """A new key, which is told now and never again; signing: the AudioHook secret it signs with, and what seals it. PeerError VS3107."""
    check_names(name, tenant)
    key = secrets.token_urlsafe(32)
    row = ApiKey(f"k{secrets.token_hex(6)}", name, tenant, digest(key), at, None, signing is not None)
    with database.write() as connection:
        connection.execute("INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, NULL)", (row.key_id, name, tenant, row.digest, at))
        if signing is not None:
            vault, secret = signing
            connection.execute("INSERT INTO hook_secrets VALUES (?, ?)", (row.key_id, vault.seal(secret, row.key_id)))
    return row, key


def revoke_key(database: Database, key_id: str, at: float) -> None:
    """The key ends now, and the secret it signed with is forgotten. PeerError VS3106."""
    with database.write() as connection:
        done = connection.execute("UPDATE api_keys SET revoked_at = ? WHERE key_id = ? AND revoked_at IS NULL", (at, key_id))
        connection.execute("DELETE FROM hook_secrets WHERE key_id = ?", (key_id,))
    if done.rowcount == 0:
        raise PeerError(UNKNOWN_KEY)


def keys(database: Database, vault: Vault | None = None) -> list[ApiKey]:
    """All keys, the revoked ones as well, oldest first; without a vault, without their secrets."""
    with database.read() as connection:
        rows = connection.execute(
            "SELECT key_id, name, tenant, digest, created_at, revoked_at, sealed FROM api_keys LEFT JOIN hook_secrets USING (key_id)"
            " ORDER BY created_at, key_id"
        ).fetchall()
    return [
        ApiKey(key_id, name, tenant, hashed, created_at, revoked_at, sealed is not None, _opened(vault, sealed, key_id))
        for key_id, name, tenant, hashed, created_at, revoked_at, sealed in rows
    ]


def _opened(vault: Vault | None, sealed: bytes | None, key_id: str) -> bytes | None:
    if vault is None or sealed is None:
        return None
    try:
        return vault.open(sealed, key_id)
    except PeerError:
        return None
