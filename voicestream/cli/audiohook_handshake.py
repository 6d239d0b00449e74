"""How an AudioHook client introduces itself: the headers of the upgrade, signed, and the message `open` (audiohook.md sections 1 to 4)."""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import http_sf

from voicestream.protocols.http_signature import Member, SignedRequest, sign

PATH = "/daspeak-stream/v1/audiohook"
MEDIA = [
    {"type": "audio", "format": "PCMU", "channels": channels, "rate": 8000}
    for channels in (["external", "internal"], ["external"], ["internal"])
]
_LIFE_S = 30
_SIGNED = (
    "@request-target",
    "@authority",
    "audiohook-organization-id",
    "audiohook-session-id",
    "audiohook-correlation-id",
    "x-api-key",
)


def _new_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True)
class Hook:
    """Who calls. call_id: the conversation's id where it is a UUID, else told in customConfig."""

    call_id: str
    organization: str = field(default_factory=_new_id)
    session: str = field(default_factory=_new_id)
    correlation: str = field(default_factory=_new_id)
    participant: str = field(default_factory=_new_id)
    unnamed_conversation: str = field(default_factory=_new_id)

    def opening(self) -> dict[str, object]:
        """The parameters of `open`: both sides of the call are offered, as Genesys does."""
        is_conversation = _is_uuid(self.call_id)
        return {
            "organizationId": self.organization,
            "conversationId": self.call_id if is_conversation else self.unnamed_conversation,
            "participant": {"id": self.participant, "ani": "", "aniName": "", "dnis": ""},
            "media": MEDIA,
            "customConfig": {} if is_conversation else {"call_id": self.call_id},
        }

    def headers(self, url: str, api_key: str, secret: bytes, now_s: float, nonce: str | None = None) -> dict[str, str]:
        """The request's fields but Host. secret: the key's, decoded; b"" leaves the request unsigned. now_s: since 1970."""
        fields = {
            "Audiohook-Organization-Id": self.organization,
            "Audiohook-Session-Id": self.session,
            "Audiohook-Correlation-Id": self.correlation,
        }
        if api_key:
            fields["X-API-KEY"] = api_key
        if secret:
            fields |= _signature(url, fields, secret, int(now_s), nonce or secrets.token_urlsafe(24))
        return fields


def _signature(url: str, fields: Mapping[str, str], secret: bytes, created: int, nonce: str) -> dict[str, str]:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    signed = {name.lower(): value for name, value in fields.items()} | {"host": parts.netloc.rpartition("@")[2]}
    parameters: dict[str, object] = {
        "keyid": signed.get("x-api-key", ""),
        "nonce": nonce,
        "alg": "hmac-sha256",
        "created": created,
        "expires": created + _LIFE_S,
    }
    member: Member = ([(name, {}) for name in _SIGNED if name.startswith("@") or name in signed], parameters)
    signature = sign(SignedRequest(target, signed, secure=parts.scheme == "wss"), member, secret)
    return {
        "Signature-Input": f"sig1={http_sf.ser(cast(http_sf.StructuredType, [member]))}",
        "Signature": f"sig1=:{base64.b64encode(signature).decode()}:",
    }


def _is_uuid(text: str) -> bool:
    try:
        value = uuid.UUID(text)
    except ValueError:
        return False
    return str(value) == text.lower() and value.version in range(1, 6)
