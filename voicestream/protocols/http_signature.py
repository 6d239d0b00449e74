"""Verification of AudioHook's HTTP message signatures: who opened this connection knows the key's secret, and opened it just now.

The signed text ("base") is one line per covered component, then the parameters in their re-encoded form
(draft-ietf-httpbis-message-signatures-11, as AudioHook uses it; audiohook.md section 1). HMAC-SHA256 only.
No library's verifier is used: they read the clock themselves and keep no nonces.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

import http_sf

from voicestream.errors import SIGNATURE_WRONG, PeerError
from voicestream.protocols.base import Refusal

REQUIRED = frozenset(
    {"@request-target", "@authority", "audiohook-organization-id", "audiohook-session-id", "audiohook-correlation-id", "x-api-key"}
)
PARAMETERS = frozenset({"keyid", "nonce", "alg", "created", "expires"})
AGE_S = 10
SKEW_S = 3
NONCE_CHARACTERS = 22
FIELD_CHARACTERS = 1024  # of either field, some 300 in practice: a stranger's 8 KiB would cost 9 ms to parse
REFUSAL_DELAY_S = 0.5  # since the request, whatever was wrong with it

Member: TypeAlias = tuple[list[tuple[object, dict[str, object]]], dict[str, object]]  # covered components and parameters of one label


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request head as it is signed: `fields` by lower-case name, values of a repeated field joined by ", "."""

    target: str  # path and query as sent
    fields: Mapping[str, str]
    secure: bool = True  # by which scheme the client came: its default port is no part of the authority

    @property
    def authority(self) -> str:
        return self.fields.get("host", "").strip().lower().removesuffix(":443" if self.secure else ":80")


class NonceCache:
    """Nonces of accepted signatures, for 30 s: longer than a signature is young. When it is full everybody new is refused."""

    def __init__(self, keep_s: float = 30.0, capacity: int = 100_000) -> None:
        self._keep_s = keep_s
        self._capacity = capacity
        self._until_s: OrderedDict[tuple[str, str], float] = OrderedDict()  # the oldest first

    def add(self, key: str, nonce: str, now_s: float) -> bool:
        """Whether `nonce` is new for `key`, and is remembered from now on."""
        while self._until_s and next(iter(self._until_s.values())) <= now_s:
            self._until_s.popitem(last=False)
        if (key, nonce) in self._until_s or len(self._until_s) >= self._capacity:
            return False
        self._until_s[key, nonce] = now_s + self._keep_s
        return True


def verify(request: SignedRequest, secret: bytes | None, now_s: float, nonces: NonceCache) -> Refusal | None:
    """None if the request is signed as it must be, else VS1740, about what was wrong: for the log, the peer is told none of it.

    secret: of the request's x-api-key, decoded; b"" for a key that is used unsigned, None for an unknown key, which is
    refused after the same work. now_s: seconds since 1970. Of several labels the first that covers all that is REQUIRED counts.
    """
    if secret == b"":
        return None
    key = request.fields.get("x-api-key", "").strip(" \t")
    try:
        member, signature = _member(request.fields)
        nonce = _check(member[1], key, now_s)
        expected = sign(request, member, secret or secrets.token_bytes(32))
    except PeerError as error:
        return Refusal(error.fault, error.detail)
    if not hmac.compare_digest(expected, signature) or secret is None:
        return Refusal(SIGNATURE_WRONG, "signature")
    if not nonces.add(key, nonce, now_s):
        return Refusal(SIGNATURE_WRONG, "replay")
    return None


def parse_input(field: str) -> dict[str, Member]:
    """Labels of a Signature-Input field. PeerError VS1740 unless each is a list of bare strings with parameters."""
    members: dict[str, Member] = {}
    for label, value in _dictionary(field, "signature-input").items():
        if not isinstance(value, tuple) or not isinstance(value[0], list):
            raise PeerError(SIGNATURE_WRONG, "signature-input")
        if not all(isinstance(name, str) and not parameters for name, parameters in value[0]):
            raise PeerError(SIGNATURE_WRONG, "components")
        members[label] = cast(Member, value)
    return members


def sign(request: SignedRequest, member: Member, secret: bytes) -> bytes:
    """HMAC-SHA256 (32,) of the signature base. PeerError VS1740 for a component the request does not have."""
    lines = [f'"{name}": {_component(request, str(name))}' for name, _ in member[0]]
    lines.append(f'"@signature-params": {http_sf.ser(cast(http_sf.StructuredType, [member]))}')
    return hmac.digest(secret, "\n".join(lines).encode(errors="surrogateescape"), hashlib.sha256)


def _component(request: SignedRequest, name: str) -> str:
    if name == "@request-target":
        return request.target
    if name == "@authority":
        return request.authority
    value = request.fields.get(name)
    if value is None:
        raise PeerError(SIGNATURE_WRONG, "components")
    return value.strip(" \t")


def _member(fields: Mapping[str, str]) -> tuple[Member, bytes]:
    """The covered components and parameters that count, and their signature."""
    if "signature-input" not in fields or "signature" not in fields:
        raise PeerError(SIGNATURE_WRONG, "unsigned")
    signatures = _dictionary(fields["signature"], "signature")
    for label, member in parse_input(fields["signature-input"]).items():
        names = [str(name) for name, _ in member[0]]
        if REQUIRED.issubset(names):
            if len(set(names)) < len(names):
                raise PeerError(SIGNATURE_WRONG, "components")
            item = signatures.get(label)
            if not isinstance(item, tuple) or not isinstance(item[0], bytes):
                raise PeerError(SIGNATURE_WRONG, "signature")
            return member, item[0]
    raise PeerError(SIGNATURE_WRONG, "components")


def _check(parameters: Mapping[str, object], key: str, now_s: float) -> str:
    """The nonce, if the parameters are those we know and the signature is young."""
    nonce, created, expires = parameters.get("nonce"), parameters.get("created"), parameters.get("expires", now_s)
    flaws = {
        "parameters": not PARAMETERS.issuperset(parameters),
        "keyid": parameters.get("keyid") != key,
        "alg": parameters.get("alg", "hmac-sha256") != "hmac-sha256",
        "nonce": not isinstance(nonce, str) or len(nonce) < NONCE_CHARACTERS,
        "created": type(created) is not int or not now_s - AGE_S - SKEW_S <= created <= now_s + SKEW_S,
        "expires": type(expires) not in (int, float) or cast(float, expires) < now_s - SKEW_S,
    }
    for about, wrong in flaws.items():
        if wrong:
            raise PeerError(SIGNATURE_WRONG, about)
    return str(nonce)


def _dictionary(field: str, about: str) -> Mapping[str, object]:
    if len(field) > FIELD_CHARACTERS:
        raise PeerError(SIGNATURE_WRONG, about)
    try:
        return cast("Mapping[str, object]", http_sf.parse(field.encode("ascii"), tltype="dictionary"))
    except (http_sf.StructuredFieldError, ValueError, OverflowError) as error:
        raise PeerError(SIGNATURE_WRONG, about) from error
