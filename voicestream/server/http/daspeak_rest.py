"""REST signalling of das-Peak, `/dpsrest/v1`: audio settings and sessions, created and polled (daspeak.md section 4)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from quart import Blueprint, Response, request

from voicestream.errors import BAD_JSON, SIGNAL_NO_OBJECT, PeerError
from voicestream.protocols.daspeak_parameter import Kind, ParameterError
from voicestream.protocols.daspeak_rest import Json, refusal
from voicestream.server.http import api_key
from voicestream.server.http.upload import Uploads
from voicestream.server.rest_channel import RestChannel

if TYPE_CHECKING:
    from voicestream.store.authority import Authority

log = structlog.get_logger(__name__)

PREFIX: Final = "/dpsrest/v1"
KINDS: Final[tuple[Kind, ...]] = ("register", "verify")


def blueprint(authority: "Authority", channel: RestChannel, uploads: Uploads, refused: Callable[[str], None]) -> Blueprint:
    """`/dpsrest/v1/alive`, `audio_settings`, `register_session` and `verify_session`."""
    rest = Blueprint("daspeak_rest", __name__, url_prefix=PREFIX)

    def resource(path: str, create: Callable[[str, Json], Awaitable[Json]], read: Callable[[str, str], Awaitable[Json]]) -> None:
        """What is made by a POST and then has an id."""

        async def post() -> Response:
            tenant = api_key.principal(authority).tenant
            return _json(await create(tenant, await _object(uploads)), 201)

        async def get(id: str) -> Response:
            return _json(await read(api_key.principal(authority).tenant, id))

        rest.add_url_rule(path, f"create_{path[1:]}", post, methods=["POST"])
        rest.add_url_rule(f"{path}/<id>", f"read_{path[1:]}", get, methods=["GET"])

    def session(kind: Kind) -> None:
        resource(
            f"/{kind}_session",
            lambda tenant, body: channel.create_session(tenant, kind, body),
            lambda tenant, id: channel.session(tenant, kind, id),
        )

    @rest.get("/alive")
    async def alive() -> Response:
        return _json({"status": "ok"})

    resource("/audio_settings", channel.create_settings, channel.settings)
    for kind in KINDS:
        session(kind)

    @rest.errorhandler(PeerError)
    async def told(error: PeerError) -> Response:
        answer = refusal(error)
        refused(error.fault.code)
        route = request.url_rule.rule if request.url_rule else "none"
        log.info("request refused", code=error.fault.code, detail=error.detail, status=answer.status, route=route)
        response = _json(answer.body, answer.status)
        response.headers.update(answer.headers)
        return response

    return rest


async def _object(uploads: Uploads) -> dict[str, Any]:
    try:
        return await uploads.json(dict[str, Any])
    except PeerError as error:
        if error.fault is BAD_JSON:
            raise ParameterError("", SIGNAL_NO_OBJECT) from error
        raise


def _json(body: Mapping[str, object], status: int = 200) -> Response:
    response = Response(msgspec.json.encode(body), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"  # credentials, and what changes from poll to poll
    return response
