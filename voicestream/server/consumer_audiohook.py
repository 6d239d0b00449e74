"""Whose AudioHook session is this? Told by an API key, and by a signature with its secret where it has one (audiohook.md section 1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from voicestream.errors import SECRET_SEALED, SIGNATURE_WRONG, PeerError
from voicestream.protocols.audiohook_message import UUID
from voicestream.protocols.http_signature import NonceCache, SignedRequest, verify

if TYPE_CHECKING:
    from voicestream.store.authority import Authority


@dataclass(frozen=True, slots=True)
class HookIdentity:
    """Who the header fields say is talking; the messages are held against it."""

    session_id: str
    organization_id: str

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> Self | None:
        """None where one of the three ids that every client sends is missing or no UUID."""
        session, organization, correlation = (fields.get(f"audiohook-{name}-id", "") for name in ("session", "organization", "correlation"))
        whole = all(re.fullmatch(UUID, one) for one in (session, organization, correlation))
        return cls(session, organization) if whole else None


class HookDoor:
    """One server's. clock: Unix seconds; secure: clients come by https, whose default port is no part of what they sign."""

    def __init__(self, authority: Authority, clock: Callable[[], float], *, secure: bool) -> None:
        self._authority = authority
        self._clock = clock
        self._secure = secure
        self._nonces = NonceCache()

    def tenant(self, target: str, fields: Mapping[str, str]) -> str:
        """The tenant of a good request. PeerError VS1740, or VS3111 for our own trouble, with the reason as detail."""
        key = fields.get("x-api-key", fields.get("apikey", "")).strip(" \t")
        principal = self._authority.api_key(key)
        secret = self._authority.hook_secret(key)
        refusal = verify(SignedRequest(target, fields, self._secure), secret, self._clock(), self._nonces)
        if principal is None:  # after the same work
            raise PeerError(SIGNATURE_WRONG, "key" if key else "no key")
        if secret is None:
            raise PeerError(SECRET_SEALED, "sealed")
        if refusal is not None:
            raise PeerError(SIGNATURE_WRONG, refusal.about)
        return principal.tenant
