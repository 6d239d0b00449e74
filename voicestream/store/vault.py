"""Secrets that must be recovered, because a peer signs with them: sealed in the database, their key in a file beside it.

Whoever has the database or a backup of it alone has no secret. AES-256-GCM; the id of the row is authenticated, so that a
sealed secret cannot be moved to another row. Layout: 12 bytes of nonce, then the ciphertext and its tag.
"""

import secrets
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from voicestream.errors import SECRET_SEALED, VAULT_KEY_FILE, PeerError
from voicestream.store.key_file import kept

FILE_NAME: Final = "secret.key"
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class Vault:
    """Seals and opens with one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """With the key in that folder, made where there is none. PeerError VS3110."""
        path = folder / FILE_NAME
        key = kept(path, lambda: secrets.token_bytes(_KEY_BYTES), VAULT_KEY_FILE)
        if len(key) != _KEY_BYTES:
            raise PeerError(VAULT_KEY_FILE, f"{path} has not {_KEY_BYTES} bytes")
        return cls(key)

    def seal(self, secret: bytes, row_id: str) -> bytes:
        """What the row with that id may keep."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, row_id.encode())

    def open(self, sealed: bytes, row_id: str) -> bytes:
        """The secret that was sealed for that row with this key. PeerError VS3111."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], row_id.encode())
        except (InvalidTag, ValueError) as error:
            raise PeerError(SECRET_SEALED) from error
