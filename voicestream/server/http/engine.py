"""Engine.IO over plain HTTP: the handshake, GETs that are held until something is due, POSTs, errors and preflights."""

from typing import Final

import trio
from quart import Blueprint, Response, request

from voicestream.errors import BODY_SLOW, ENGINE_REQUEST
from voicestream.protocols.engineio_request import BAD_REQUEST, Answer, Request
from voicestream.server.engine import RETRY_S, EngineServer, Refused, query_of
from voicestream.server.engine_connection import Handshake
from voicestream.server.engine_session import Session

_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_TURN_S: Final = 0.002  # EngineIO.begin_post says what for
_DISCARD_S: Final = 5.0
_DISCARD_PAYLOADS: Final = 4
_SLOW: Final = Answer(408, BAD_REQUEST.body, BAD_REQUEST.content_type)


def blueprint(engine_server: EngineServer) -> Blueprint:
    """All methods of the server's path."""
    name = engine_server.path.strip("/").replace("/", "_").replace(".", "_")
    engine = Blueprint(f"engine_{name}", __name__)
    polling = _Polling(engine_server)
    engine.add_url_rule(engine_server.path, name, polling.view, methods=_METHODS, provide_automatic_options=False)
    return engine


class _Polling:
    """The HTTP driver of one EngineServer."""

    def __init__(self, server: EngineServer) -> None:
        self._server = server
        self._max_payload = server.options.engine.max_payload

    async def view(self) -> Response:
        handshake = _handshake()
        refused = self._server.judge(Request(request.method, handshake.query, False, handshake.fields.get("origin")), handshake)
        if refused is not None:
            await self._discard()
            return self._refuse(refused)
        if request.method == "GET" and (request.content_length or "transfer-encoding" in handshake.fields):
            return self._refuse(Refused(BAD_REQUEST, ENGINE_REQUEST))  # the body would pile up while the request is held
        sid = handshake.query.get("sid")
        session = self._server.session(sid) if sid else self._server.open("polling", handshake)
        return _response(await (self._post(session) if request.method == "POST" else self._get(session)))

    def _refuse(self, refused: Refused) -> Response:
        response = _response(refused.answer)
        if refused.retry:
            response.headers["Retry-After"] = str(RETRY_S)
        if refused.answer.status >= 400:
            self._server.watch.refused(refused.fault, refused.answer.status)
        return response

    async def _get(self, session: Session) -> Answer:
        """Hold the request until something is due; a client that goes away cancels it here."""
        poll = session.engine.poll(trio.current_time())
        session.turn()
        try:
            while poll.answer is None:
                await session.polls.park()
        finally:
            if poll.answer is None:
                session.engine.lose_poll(poll, trio.current_time())
                session.turn()
        session.watch.said(poll.answer.body.count(b"\x1e") + 1)
        return poll.answer

    async def _post(self, session: Session) -> Answer:
        engine = session.engine
        answer = engine.begin_post(request.headers.get("content-type", ""), request.content_length, trio.current_time())
        session.turn()
        if answer is not None:
            await self._discard()
            return answer
        body: bytes | None = None
        try:
            with trio.move_on_after(self._server.options.body_s):
                read = await self._body()
                await trio.sleep(_TURN_S)
                body = read
        finally:  # late, or the client is gone
            if body is None:
                engine.lose_post(trio.current_time())
                session.turn()
        if body is None:
            self._server.watch.refused(BODY_SLOW, _SLOW.status)
            return _SLOW
        answer = engine.end_post(body, trio.current_time())
        session.turn()
        if len(body) > self._max_payload:
            await self._discard()
        return answer

    async def _body(self) -> bytes:
        """The body, or one byte more of it than a payload may have."""
        data = bytearray()
        async for chunk in request.body:
            data += chunk
            if len(data) > self._max_payload:
                break
        return bytes(data[: self._max_payload + 1])

    async def _discard(self) -> None:
        """Read what nobody wants, within bounds: a connection closed over unread bytes is reset before its answer is read."""
        room = _DISCARD_PAYLOADS * self._max_payload
        with trio.move_on_after(_DISCARD_S):
            async for chunk in request.body:
                room -= len(chunk)
                if room < 0:
                    return


def _handshake() -> Handshake:
    scope = request.scope
    fields: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        fields[name] = f"{fields[name]}, {text}" if name in fields else text
    client = scope.get("client")
    return Handshake(fields, query_of(scope["query_string"].decode("latin-1")), client[0] if client else "")


def _response(answer: Answer) -> Response:
    response = Response(answer.body, answer.status, content_type=answer.content_type)
    response.headers["Cache-Control"] = "no-store"
    return response
