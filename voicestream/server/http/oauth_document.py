"""The OAuth2 paths of the OpenAPI document. Their refusals have a shape of their own: RFC 6749 section 5.2."""

from typing import Final, TypeAlias

from voicestream import errors
from voicestream.errors import Fault, PeerError
from voicestream.protocols.oauth2 import refusal
from voicestream.server.http.oauth import INTROSPECTION_PATH, METADATA_PATH, REVOCATION_PATH, TOKEN_PATHS

Json: TypeAlias = dict[str, object]

TAG: Final = "oauth2"
_ERRORS: Final[dict[str, tuple[str, Fault]]] = {
    "400": ("The request is malformed, or asks for what it may not", errors.OAUTH_PARAMETER_MISSING),
    "401": ("The client is not authenticated", errors.CLIENT_REFUSED),
    "429": ("Too many wrong secrets: try again after Retry-After seconds", errors.LOGINS_FAILED),
    "503": ("Busy: try again after Retry-After seconds", errors.OVERLOADED),
}


def paths() -> Json:
    """Token, revocation and introspection endpoint, and the metadata that name them."""
    told: Json = {path: _post("An access token for a client (RFC 6749 section 4.4)", "TokenForm", "Token") for path in TOKEN_PATHS}
    told[REVOCATION_PATH] = _post("End an access token (RFC 7009)", "TokenQueryForm", "Nothing")
    told[INTROSPECTION_PATH] = _post("What an access token of this tenant says (RFC 7662)", "TokenQueryForm", "Introspection")
    told[METADATA_PATH] = {
        "get": {
            "tags": [TAG],
            "summary": "Where these endpoints are, and what they take (RFC 8414)",
            "responses": {"200": {"description": "Done", "content": _json("OAuthMetadata")}},
        }
    }
    return told


def _post(summary: str, form: str, answer: str) -> Json:
    return {
        "post": {
            "tags": [TAG],
            "summary": summary,
            "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": _content(form)}},
            "security": [{}, {"client": []}],
            "responses": {"200": {"description": "Done", "content": _json(answer)}, **{status: _error(status) for status in _ERRORS}},
        }
    }


def _content(schema: str) -> Json:
    return {
        "schema": {"$ref": f"#/components/schemas/{schema}"},
        "examples": {"example": {"$ref": f"#/components/examples/{schema}"}},
    }


def _json(schema: str) -> Json:
    return {"application/json": _content(schema)}


def _error(status: str) -> Json:
    description, fault = _ERRORS[status]
    told = refusal(PeerError(fault), basic=True)
    assert told is not None
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/OAuthError"}, "example": told.body}},
    }
