"""Client secrets of AudioHook: with them the holder of an API key signs its requests."""

import base64
import binascii
import secrets
from typing import Final

from voicestream.errors import WRONG_SECRET, PeerError

MADE_BYTES: Final = 32
_LEAST_BYTES, _MOST_BYTES = 16, 256


def new_secret() -> bytes:
    """256 random bits."""
    return secrets.token_bytes(MADE_BYTES)


def decode(text: str) -> bytes:
    """The bytes of a secret as its holder has it, in base64. PeerError VS3112, which never repeats it."""
    try:
        secret = base64.b64decode(text.strip().encode(), validate=True)
    except (binascii.Error, UnicodeError):
        raise PeerError(WRONG_SECRET, "an AudioHook secret is base64") from None
    if not _LEAST_BYTES <= len(secret) <= _MOST_BYTES:
        raise PeerError(WRONG_SECRET, f"{len(secret)} bytes, {_LEAST_BYTES} to {_MOST_BYTES} wanted")
    return secret


def encode(secret: bytes) -> str:
    """The secret as its holder is told it, in base64."""
    return base64.b64encode(secret).decode("ascii")
