"""What an HTTP request to the Engine.IO path is answered before any session hears of it.

`judge` gives the refusal that is due, or None: then the request belongs to a session, new or known.
The order of the checks is the reference server's (socketio.md section 2; npm engine.io 6.6.11 `verify`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

Transport: TypeAlias = Literal["polling", "websocket"]

_TEXT = "text/plain; charset=UTF-8"
_HTML = "text/html"  # of the answer to a POST: old browsers offered text/plain as a download
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. `Cache-Control: no-store` belongs to each; CORS headers are the server's, errors included."""

    status: int
    body: bytes = b""
    content_type: str = _TEXT


def _error(code: int, message: str, status: int = 400) -> Answer:
    return Answer(status, msgspec.json.encode({"code": code, "message": message}), _JSON)


UNKNOWN_TRANSPORT = _error(0, "Transport unknown")
UNKNOWN_SID = _error(1, "Session ID unknown")
BAD_METHOD = _error(2, "Bad handshake method")
BAD_REQUEST = _error(3, "Bad request")
BAD_VERSION = _error(5, "Unsupported protocol version")
FORBIDDEN = _error(4, "Forbidden", 403)
UNAUTHORIZED = _error(4, "Unauthorized", 401)
PREFLIGHT = Answer(204)
ACCEPTED = Answer(200, b"ok", _HTML)
OVERLAP = Answer(400)  # of two requests at once, the second
TOO_LARGE = Answer(413)


def payload_answer(payload: bytes) -> Answer:
    """Give `payload` to a GET."""
    return Answer(200, payload)


class Poll:
    """A GET: `answer` is None while it is held."""

    __slots__ = ("answer",)

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Request:
    """The head of a request. `upgrade`: it asks for a WebSocket. `query`: decoded; keys that are not ours are the application's."""

    method: str
    query: Mapping[str, str]
    upgrade: bool = False
    origin: str | None = None


def judge(
    request: Request,
    current: Callable[[str], Transport | None],
    *,
    admit: Callable[[], Answer | None] = lambda: None,
    cors: bool = False,
) -> Answer | None:
    """The refusal that is due, or None.

    `current` gives the transport of the session with this sid, or None where it is unknown or closed.
    `admit` is the application's word on a new session, asked last but one. `cors`: other origins are configured.
    """
    if request.method == "OPTIONS":
        return PREFLIGHT if cors else BAD_METHOD
    transport = request.query.get("transport")
    if transport not in ("polling", "websocket"):
        return UNKNOWN_TRANSPORT
    if request.origin is not None and not _is_header_text(request.origin):
        return BAD_REQUEST
    misplaced = request.upgrade != (transport == "websocket")
    eio = request.query.get("EIO")
    sid = request.query.get("sid")
    if not sid:
        if request.method != "GET":
            return BAD_METHOD
        if misplaced:
            return BAD_REQUEST
        return admit() or (None if eio == "4" else BAD_VERSION)
    known = current(sid)
    if known is None:
        return UNKNOWN_SID
    if misplaced or (not request.upgrade and known != transport):
        return BAD_REQUEST
    if eio != "4" or request.method not in ("GET", "POST"):
        return BAD_REQUEST
    return None


def _is_header_text(value: str) -> bool:
    """Whether a header may hold `value`: tab and visible Latin-1 (RFC 9110 section 5.5)."""
    return all(character == "\t" or " " <= character <= "~" or "\x80" <= character <= "\xff" for character in value)
