"""The key that seals credentials where the operator configured none: made on the first start, kept in the data folder.

Credentials travel: they lie with the client and come back. So they are always sealed.
"""

import secrets
from pathlib import Path
from typing import Final

from voicestream.errors import CREDENTIAL_KEY_FILE, PeerError
from voicestream.store.key_file import kept
from voicestream.store.templates import KEY_BYTES

FILE_NAME: Final = "credential.key"


def keys(folder: Path, configured: bytes | None) -> list[bytes]:
    """Those that open credentials, the one that seals them first: the operator's, where there is one.

    What was sealed before the operator had one can still be opened. PeerError VS1970.
    """
    if configured is None:
        return [load_key(folder)]
    return [configured, load_key(folder)] if (folder / FILE_NAME).exists() else [configured]


def load_key(folder: Path) -> bytes:
    """The 32 bytes in that folder, which the file spells as hex digits. PeerError VS1970."""
    path = folder / FILE_NAME
    try:
        key = bytes.fromhex(kept(path, _new_key, CREDENTIAL_KEY_FILE).decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise PeerError(CREDENTIAL_KEY_FILE, f"{path} is no key")
    return key


def _new_key() -> bytes:
    return secrets.token_hex(KEY_BYTES).encode() + b"\n"
