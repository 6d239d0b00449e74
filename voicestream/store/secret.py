"""Secrets of clients: made here, kept as argon2id hashes, and recognised without argon2 when they were seen a while ago.

All live secrets of a client share one salt, so that a try costs one hash whether the client is unknown, has one
secret or, while it changes them, two: the time tells nothing. Source: RFC 9106; parameters: OWASP password storage.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from argon2.low_level import Type, hash_secret

SALT_BYTES: Final = 16
_TIME_COST, _MEMORY_KIB, _PARALLELISM, _HASH_BYTES = 2, 19 * 1024, 1, 32
_KEY_BYTES: Final = 32


def new_secret() -> str:
    """43 characters of base64url: 256 random bits."""
    return secrets.token_urlsafe(32)


def encode(secret: str, salt: bytes) -> str:
    """The argon2id hash as a PHC string, `$argon2id$v=19$m=...`; some 30 ms on a thread."""
    data = secret.encode("utf-8", "surrogatepass")
    return hash_secret(data, salt, _TIME_COST, _MEMORY_KIB, _PARALLELISM, _HASH_BYTES, Type.ID).decode("ascii")


def matching(encoded: str, kept: Sequence[str]) -> bool:
    """Whether `encoded` is among `kept`, in a time that does not tell where they differ."""
    found = False
    for one in kept:
        found |= hmac.compare_digest(encoded, one)
    return found


class SecretCache:
    """Remembers which secret had which hash, under a keyed hash of the secret: 3 us instead of 30 ms.

    An entry does not say that a secret is good: the caller looks whether the hash is still one of the client's.
    So what is rotated or revoked is forgotten by itself. Bounded: the longest unused entry goes first.
    """

    def __init__(self, entries: int = 10_000, life_s: float = 600.0) -> None:
        self._entries = entries
        self._life_s = life_s
        self._key = secrets.token_bytes(_KEY_BYTES)
        self._known: OrderedDict[bytes, tuple[str, float]] = OrderedDict()  # digest -> hash, deadline

    def __len__(self) -> int:
        return len(self._known)

    def digest(self, client_id: str, secret: str) -> bytes:
        """What stands for this pair, in this process alone."""
        told = client_id.encode("utf-8", "surrogatepass"), secret.encode("utf-8", "surrogatepass")
        text = b"".join(len(part).to_bytes(8, "big") + part for part in told)
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()

    def encoded(self, digest: bytes, now: float) -> str | None:
        """The hash of the secret behind `digest`, or None when it is not remembered."""
        encoded, deadline = self._known.get(digest, ("", 0.0))
        if not encoded:
            return None
        if now >= deadline:
            del self._known[digest]
            return None
        self._known.move_to_end(digest)
        return encoded

    def remember(self, digest: bytes, encoded: str, now: float) -> None:
        """Keep the hash of a secret that was good just now."""
        self._known[digest] = encoded, now + self._life_s
        self._known.move_to_end(digest)
        while len(self._known) > self._entries:
            self._known.popitem(last=False)
