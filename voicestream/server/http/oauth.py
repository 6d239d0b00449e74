"""OAuth2 over HTTP: the token endpoint under both its names, revocation, introspection, metadata."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
import trio
from quart import Blueprint, Response, request

from voicestream.errors import BODY_SLOW, LOGINS_FAILED, OAUTH_BODY_LARGE, PeerError
from voicestream.protocols import oauth2
from voicestream.protocols.oauth2 import BODY_BYTES, NOT_TO_STORE
from voicestream.server.login import Login
from voicestream.store.client import SCOPES

TOKEN_PATHS: Final = ("/oauth2/token", "/socket.io/oauth2/token")
REVOCATION_PATH: Final = "/oauth2/revoke"
INTROSPECTION_PATH: Final = "/oauth2/introspect"
METADATA_PATH: Final = "/.well-known/oauth-authorization-server"

Answer = Callable[[str, str | None, bytes], Awaitable[oauth2.Json]]


def blueprint(login: Login, body_s: float, refused: Callable[[str], None]) -> Blueprint:
    """`/oauth2/token` (also `/socket.io/oauth2/token`), `/oauth2/revoke`, `/oauth2/introspect` and the metadata."""
    oauth = Blueprint("oauth", __name__)
    authority = login.authority

    async def token(content_type: str, authorization: str | None, body: bytes) -> oauth2.Json:
        asked = oauth2.token_request(content_type, authorization, body)
        client = await login.client(asked.client, request.remote_addr or "")
        granted = authority.grant(client, asked.scope, login.clock())
        return oauth2.token_answer(granted, authority.tokens.life_s, asked.scope)

    async def revoke(content_type: str, authorization: str | None, body: bytes) -> oauth2.Json:
        asked = oauth2.token_query(content_type, authorization, body)
        client = await login.client(asked.client, request.remote_addr or "")
        await trio.to_thread.run_sync(authority.revoke, client, asked.token, login.clock())
        return {}

    async def introspect(content_type: str, authorization: str | None, body: bytes) -> oauth2.Json:
        asked = oauth2.token_query(content_type, authorization, body)
        client = await login.client(asked.client, request.remote_addr or "")
        claims = authority.look_into(client, asked.token, login.clock())
        return oauth2.introspection(None if claims is None else msgspec.to_builtins(claims))

    def post(path: str, answer: Answer) -> None:
        async def view() -> Response:
            authorization = ", ".join(request.headers.getlist("Authorization")) or None  # two of them are no credentials
            try:
                return _json(await answer(request.content_type or "", authorization, await _body(body_s)))
            except PeerError as error:
                retry_s = int(error.detail) if error.fault is LOGINS_FAILED else 2
                told = oauth2.refusal(error, basic=authorization is not None, retry_s=retry_s)
                if told is None:
                    raise
                refused(error.fault.code)
                return _json(told.body, told.status, told.headers)

        oauth.add_url_rule(path, path.strip("/").replace("/", "_").replace(".", "_"), view, methods=["POST"])

    for path in TOKEN_PATHS:
        post(path, token)
    post(REVOCATION_PATH, revoke)
    post(INTROSPECTION_PATH, introspect)

    @oauth.get(METADATA_PATH)
    async def metadata() -> Response:
        return _json(oauth2.metadata(authority.tokens.issuer, SCOPES), headers={"Cache-Control": "max-age=300"})

    return oauth


async def _body(body_s: float) -> bytes:
    """The whole body. PeerError VS1805 over 8 KiB, VS1408 when it does not come."""
    data = bytearray()
    with trio.move_on_after(body_s) as patience:
        async for chunk in request.body:
            data += chunk
            if len(data) > BODY_BYTES:
                raise PeerError(OAUTH_BODY_LARGE)
    if patience.cancelled_caught:
        raise PeerError(BODY_SLOW)
    return bytes(data)


def _json(body: Mapping[str, object], status: int = 200, headers: Mapping[str, str] = NOT_TO_STORE) -> Response:
    response = Response(msgspec.json.encode(body), status, content_type="application/json")
    response.headers.update(headers)
    return response
