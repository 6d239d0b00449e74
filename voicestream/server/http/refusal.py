"""Errors as Spring spells them, our numbered code first in `message`; never the peer's own text but its path."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog
from quart import Response, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.routing import RoutingException

from voicestream import errors
from voicestream.errors import Fault, PeerError

log = structlog.get_logger(__name__)

_STATUS: Final[dict[Fault, int]] = {
    errors.NOT_FOUND: 404,
    errors.WRONG_METHOD: 405,
    errors.BODY_SLOW: 408,
    errors.BODY_LARGE: 413,
    errors.AUDIO_LONG: 413,
    errors.CONTENT_TYPE: 415,
    errors.UNKNOWN_FORMAT: 415,
    **dict.fromkeys((errors.LITTLE_SPEECH, errors.NO_VOICE, errors.SPEECH_QUIET, errors.SPEECH_CLIPPED, errors.MUCH_NOISE), 422),
    errors.UPGRADE_REQUIRED: 426,
    errors.INTERNAL: 500,
    errors.OVERLOADED: 503,
}
# Spring's words; Python's own differ from version to version (413, 422).
_PHRASE: Final[dict[int, str]] = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    426: "Upgrade Required",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_RETRY_AFTER_S: Final = 2


def status_of(fault: Fault) -> int:
    """The HTTP status a fault is told with: 400 unless the table says otherwise."""
    return _STATUS.get(fault, 400)


def error_object(fault: Fault, detail: str, path: str, at: datetime) -> dict[str, object]:
    """What a refused peer is told, as Spring spells it."""
    status = status_of(fault)
    return {
        "timestamp": at.isoformat(timespec="milliseconds"),
        "status": status,
        "error": _PHRASE[status],
        "message": str(PeerError(fault, detail)),
        "path": path,
    }


def refuse(fault: Fault, detail: str = "", headers: dict[str, str] | None = None) -> Response:
    """The answer that refuses the current request."""
    status = status_of(fault)
    body = error_object(fault, detail, request.path, datetime.now(UTC))
    response = Response(json.dumps(body, separators=(",", ":")), status, content_type="application/json")
    response.headers.update(headers or {})
    if status == 503:
        response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    return response


def install(app: QuartTrio, websocket_paths: frozenset[str], refused: Callable[[str], None]) -> None:
    """Every way a request can fail ends in `refuse`."""

    def told(fault: Fault, detail: str = "", headers: dict[str, str] | None = None) -> Response:
        refused(fault.code)
        route = request.url_rule.rule if request.url_rule else "none"
        log.info("request refused", code=fault.code, detail=detail, status=status_of(fault), route=route)
        return refuse(fault, detail, headers)

    @app.errorhandler(PeerError)
    async def peer_error(error: PeerError) -> Response:
        return told(error.fault, error.detail)

    @app.errorhandler(HTTPException)
    async def framework_error(error: HTTPException) -> Response:
        match error:
            case MethodNotAllowed():
                return told(errors.WRONG_METHOD, headers={"Allow": ", ".join(sorted(error.valid_methods or ()))})
            case RequestEntityTooLarge():
                return told(errors.BODY_LARGE)
            case _ if error.code == 404 and request.path.rstrip("/") in websocket_paths:
                return told(errors.UPGRADE_REQUIRED, headers={"Upgrade": "websocket", "Connection": "Upgrade"})
            case _ if error.code == 404 or isinstance(error, RoutingException):
                return told(errors.NOT_FOUND)
            case _ if (error.code or 500) >= 500:
                return told(errors.INTERNAL)
            case _:
                return told(errors.BAD_REQUEST)

    @app.errorhandler(Exception)
    async def own_error(error: Exception) -> Response:
        log.error("request failed", exc_info=error)
        return told(errors.INTERNAL)
