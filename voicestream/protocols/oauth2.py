"""OAuth 2.0 as its peers spell it: requests of the token, revocation and introspection endpoints, and their answers.

    form, Authorization ──► token_request / token_query ──► client authenticates ──► token_answer / introspection
             └──────────────── PeerError VS170x ────────────────────┴──────────────► refusal: status, JSON, headers

No state, no I/O. Sources: RFC 6749 sections 2.3.1, 4.4, 5; RFC 6750 section 2.1; RFC 7009; RFC 7662; RFC 8414.
"""

import base64
import re
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import unquote_to_bytes

from voicestream import errors
from voicestream.errors import Fault, PeerError
from voicestream.protocols.http_refusal import HttpRefusal

Json: TypeAlias = dict[str, object]

BODY_BYTES: Final = 8 * 1024
_PARAMETERS: Final = 32
_FORM: Final = "application/x-www-form-urlencoded"
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_VSCHAR: Final = re.compile(r"[\x20-\x7e]{1,256}")  # RFC 6749, appendix A.1 and A.2
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*")  # appendix A.4
_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)  # RFC 6750, section 2.1

# Fault -> status and error word (RFC 6749 section 5.2). A fault that is not here is not the endpoint's own.
_REFUSALS: Final[dict[Fault, tuple[int, str]]] = {
    errors.OAUTH_FORM: (400, "invalid_request"),
    errors.OAUTH_PARAMETER_MISSING: (400, "invalid_request"),
    errors.OAUTH_PARAMETER_TWICE: (400, "invalid_request"),
    errors.OAUTH_CREDENTIALS_TWICE: (400, "invalid_request"),
    errors.OAUTH_BODY_LARGE: (400, "invalid_request"),
    errors.GRANT_UNSUPPORTED: (400, "unsupported_grant_type"),
    errors.SCOPE_REFUSED: (400, "invalid_scope"),
    errors.TOKEN_FOREIGN: (400, "invalid_grant"),
    errors.CLIENT_REFUSED: (401, "invalid_client"),
    errors.LOGINS_FAILED: (429, "temporarily_unavailable"),
    errors.OVERLOADED: (503, "temporarily_unavailable"),
}


@dataclass(frozen=True, slots=True)
class Presented:
    """The credentials a client presents, not checked yet."""

    client_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A client credentials request; scope None: whatever the client may have."""

    client: Presented
    scope: str | None


@dataclass(frozen=True, slots=True)
class TokenQuery:
    """A revocation or introspection request about one token."""

    client: Presented
    token: str


def token_request(content_type: str, authorization: str | None, body: bytes) -> TokenRequest:
    """A request to the token endpoint. PeerError VS1801 to VS1808."""
    form = _form(content_type, body)
    grant_type = _wanted(form, "grant_type")
    client = _client(authorization, form)
    if grant_type != "client_credentials":
        raise PeerError(errors.GRANT_UNSUPPORTED)
    scope = form.get("scope")
    if scope is not None and not _SCOPE.fullmatch(scope):
        raise PeerError(errors.SCOPE_REFUSED)
    return TokenRequest(client, scope)


def token_query(content_type: str, authorization: str | None, body: bytes) -> TokenQuery:
    """A request to the revocation or introspection endpoint; `token_type_hint` changes nothing. PeerError VS1801 to VS1808."""
    form = _form(content_type, body)
    token = _wanted(form, "token")
    return TokenQuery(_client(authorization, form), token)


def bearer_token(authorization: str | None) -> str | None:
    """The token of an `Authorization: Bearer` header, the scheme in any case; None when it is no such header."""
    found = _BEARER.fullmatch(authorization or "")
    return found[1] if found else None


def refusal(error: PeerError, *, basic: bool, retry_s: int = 2) -> HttpRefusal | None:
    """The answer of RFC 6749 section 5.2; `basic`: the client used the Authorization header. None: not a fault of OAuth."""
    if error.fault not in _REFUSALS:
        return None
    status, word = _REFUSALS[error.fault]
    headers = dict(NOT_TO_STORE)
    if status == 401 and basic:
        headers["WWW-Authenticate"] = 'Basic realm="voicestream"'
    if status in (429, 503):
        headers["Retry-After"] = str(retry_s)
    return HttpRefusal(status, {"error": word, "error_description": f"{error.fault.code} {error.fault.sentence}"}, headers)


NOT_TO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def token_answer(token: str, life_s: int, scope: str | None) -> Json:
    """RFC 6749 section 5.1; the scope is repeated to a client that asked for one."""
    answer: Json = {"access_token": token, "token_type": "Bearer", "expires_in": life_s}
    return answer if scope is None else {**answer, "scope": scope}


def introspection(claims: Json | None) -> Json:
    """RFC 7662 section 2.2: the claims of a good token; for any other only that it is not."""
    return {"active": False} if claims is None else {"active": True, "token_type": "Bearer", **claims}


def metadata(issuer: str, scopes: tuple[str, ...]) -> Json:
    """RFC 8414 section 2; `issuer`: the URL of this server, without a slash at its end."""
    methods = ["client_secret_basic", "client_secret_post"]
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth2/token",
        "revocation_endpoint": f"{issuer}/oauth2/revoke",
        "introspection_endpoint": f"{issuer}/oauth2/introspect",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "scopes_supported": list(scopes),
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
    }


# ---- pieces


def _form(content_type: str, body: bytes) -> dict[str, str]:
    """The parameters of a form; those without a value count as absent (RFC 6749 section 3.2)."""
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise PeerError(errors.OAUTH_FORM)
    pieces = body.split(b"&")
    if len(body) > BODY_BYTES or len(pieces) > _PARAMETERS:
        raise PeerError(errors.OAUTH_BODY_LARGE)
    form: dict[str, str] = {}
    for piece in pieces:
        name, _, value = piece.partition(b"=")
        told = _unescaped(name)
        if told in form:
            raise PeerError(errors.OAUTH_PARAMETER_TWICE)
        if piece:
            form[told] = _unescaped(value)
    return {name: value for name, value in form.items() if value}


def _unescaped(text: bytes) -> str:
    try:
        ascii_text = text.decode("ascii")
        if _BROKEN_ESCAPE.search(ascii_text):
            raise PeerError(errors.OAUTH_FORM)
        return unquote_to_bytes(ascii_text.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise PeerError(errors.OAUTH_FORM) from error


def _wanted(form: dict[str, str], name: str) -> str:
    if name not in form:
        raise PeerError(errors.OAUTH_PARAMETER_MISSING)
    return form[name]


def _client(authorization: str | None, form: dict[str, str]) -> Presented:
    """The credentials, from the header or the form; a client_id that repeats the header's is no second authentication."""
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    if authorization is not None:
        header_id, header_secret = _basic(authorization)
        if secret or client_id not in ("", header_id):
            raise PeerError(errors.OAUTH_CREDENTIALS_TWICE)
        client_id, secret = header_id, header_secret
    if not (_VSCHAR.fullmatch(client_id) and _VSCHAR.fullmatch(secret)):
        raise PeerError(errors.CLIENT_REFUSED)
    return Presented(client_id, secret)


def _basic(authorization: str) -> tuple[str, str]:
    """Id and secret of an `Authorization: Basic` header, each form-encoded within (RFC 6749 section 2.3.1)."""
    scheme, _, coded = authorization.strip(" ").partition(" ")
    try:
        text = base64.b64decode(coded.strip(" ").encode("ascii"), validate=True)
        client_id, colon, secret = text.partition(b":")
        if scheme.lower() != "basic" or not colon:
            raise PeerError(errors.CLIENT_REFUSED)
        return _unescaped(client_id), _unescaped(secret)
    except (ValueError, PeerError) as error:  # binascii.Error and UnicodeEncodeError are ValueErrors
        raise PeerError(errors.CLIENT_REFUSED) from error
