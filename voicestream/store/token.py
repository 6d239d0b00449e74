"""Access tokens: JWTs of RFC 9068, signed with Ed25519 by a key that only this installation has.

We issue them and we alone read them, so what is read is held against what we write, byte for byte: one header, one
algorithm, one order of claims. Nothing of a stranger's JSON is parsed before the signature is right.
Sources: RFC 9068 section 2 (claims), RFC 8725 (practice), RFC 9864 (the algorithm's name).
"""

import base64
import secrets
from pathlib import Path
from typing import Final

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from voicestream.errors import TOKEN_KEY_FILE, TOKEN_REFUSED, PeerError
from voicestream.store.key_file import kept

FILE_NAME: Final = "token.key"
AUDIENCE: Final = "daspeak"
ALGORITHM: Final = "Ed25519"
_LONGEST: Final = 2048  # characters
_SKEW_S: Final = 5  # how far this machine's clock may have been set back since


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a token says; times in whole Unix seconds, `scope` separated by blanks."""

    iss: str
    sub: str
    aud: str
    client_id: str
    tenant: str
    scope: str
    iat: int
    nbf: int
    exp: int
    jti: str


class Tokens:
    """Issues and verifies the access tokens of one issuer."""

    def __init__(self, key: OKPKey, issuer: str, life_s: int) -> None:
        self.life_s = life_s
        self.issuer = issuer
        self._key = key
        self._header = {"typ": "at+jwt", "alg": ALGORITHM, "kid": key.thumbprint()}
        self._first_part = jws.serialize_compact(self._header, b"", key, algorithms=[ALGORITHM]).partition(".")[0]

    def issue(self, client_id: str, tenant: str, scope: str, at: float) -> str:
        """A token good for `life_s` from `at` on."""
        now = int(at)
        claims = Claims(
            iss=self.issuer,
            sub=client_id,
            aud=AUDIENCE,
            client_id=client_id,
            tenant=tenant,
            scope=scope,
            iat=now,
            nbf=now,
            exp=now + self.life_s,
            jti=secrets.token_urlsafe(16),
        )
        return self.sign(msgspec.json.encode(claims))

    def sign(self, payload: bytes) -> str:
        """`payload` under our header and signature."""
        return jws.serialize_compact(self._header, payload, self._key, algorithms=[ALGORITHM])

    def verify(self, token: str, at: float) -> Claims:
        """The claims of a token of ours that is good at that time. PeerError VS1811 for every other text."""
        if len(token) > _LONGEST or not token.isascii():
            raise PeerError(TOKEN_REFUSED)
        first, _, rest = token.partition(".")
        payload, _, signature = rest.partition(".")
        if first != self._first_part or not (_is_canonical(payload) and _is_canonical(signature)):
            raise PeerError(TOKEN_REFUSED)
        try:
            text = jws.deserialize_compact(token, self._key, algorithms=[ALGORITHM]).payload
            claims = msgspec.json.decode(text, type=Claims)
        except (JoseError, ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            raise PeerError(TOKEN_REFUSED) from error
        if msgspec.json.encode(claims) != text or not self._holds(claims, at):
            raise PeerError(TOKEN_REFUSED)
        return claims

    def _holds(self, claims: Claims, at: float) -> bool:
        return (
            claims.iss == self.issuer
            and claims.aud == AUDIENCE
            and claims.sub == claims.client_id != ""
            and claims.jti != ""
            and max(claims.nbf, claims.iat) <= at + _SKEW_S
            and at < claims.exp <= claims.iat + self.life_s
        )


def _is_canonical(part: str) -> bool:
    """Base64url as one writes it: the same bytes spelt otherwise would make two tokens of one."""
    try:
        return base64.urlsafe_b64encode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))).rstrip(b"=").decode() == part
    except ValueError:
        return False


def load_key(folder: Path) -> OKPKey:
    """The key in that folder, made on the first start, readable by its owner alone. PeerError VS3104."""
    path = folder / FILE_NAME
    try:
        key = OKPKey.import_key(kept(path, _new_key, TOKEN_KEY_FILE))
    except (ValueError, JoseError) as error:
        raise PeerError(TOKEN_KEY_FILE, str(path)) from error
    if not key.is_private or key.curve_name != "Ed25519":
        raise PeerError(TOKEN_KEY_FILE, f"{path} is no private Ed25519 key")
    return key


def _new_key() -> bytes:
    return OKPKey.generate_key("Ed25519", private=True).as_pem(private=True)
