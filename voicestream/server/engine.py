"""Engine.IO 4 and Socket.IO 5 on one path of our port: who comes in, and the sessions that go on.

    upgrade ─► listener ─► route.admit ─┐                ┌─► EngineSocket (engine_websocket.py)
                                        ├─► Session ◄────┤
    request ─► http/engine.py ─► judge ─┘       │        └─► polls (http/engine.py)
                                                └─► application(Connection): one task per connection

A session lives in the nursery of run() and not in that of a socket, because it outlives each of its sockets and
requests. What a defect breaks is one session.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from urllib.parse import parse_qsl

import msgspec
import trio

from voicestream import errors
from voicestream.errors import Fault, MisuseError
from voicestream.protocols import engineio, socketio
from voicestream.protocols.base import Goodbye
from voicestream.protocols.engineio import EngineIO
from voicestream.protocols.engineio_request import (
    BAD_METHOD,
    BAD_REQUEST,
    BAD_VERSION,
    FORBIDDEN,
    UNKNOWN_SID,
    UNKNOWN_TRANSPORT,
    Answer,
    Request,
    Transport,
    judge,
)
from voicestream.protocols.socketio import SocketIO
from voicestream.server.engine_connection import SID_BYTES, Handshake
from voicestream.server.engine_session import Application, Session
from voicestream.server.engine_watch import EngineWatch
from voicestream.server.engine_websocket import EngineSocket
from voicestream.transport.head import Refusal, Upgrade
from voicestream.transport.listener import Handler, Route
from voicestream.transport.rfc6455 import MessageLimit
from voicestream.transport.websocket import Timing, WebSocket

RETRY_S: Final = 5
# Engine.IO has its own heartbeat, and its clients need no WebSocket pings; but a peer's control frames are counted per interval.
CONTROL_INTERVAL_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Options:
    """What an operator may set. origins None: any; cors: pages of other origins may read the answers."""

    engine: engineio.Options = field(default_factory=engineio.Options)
    socket: socketio.Options = field(default_factory=socketio.Options)
    timing: Timing = field(default_factory=lambda: Timing(ping_s=CONTROL_INTERVAL_S))
    sessions_max: int = 2000
    sessions_per_address: int = 64
    origins: frozenset[str] | None = None
    cors: bool = False
    body_s: float = 60.0  # for the body of a POST
    return_s: float = 30.0  # for an application, after the end of its connection
    unheard_bytes: int = 4_000_000  # of events that the application has not taken


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that refuses, and why, for the log. retry: it may come again, in RETRY_S."""

    answer: Answer
    fault: Fault
    retry: bool = False


def _turned_away(fault: Fault, status: int) -> Refused:
    """As the reference says what is not the protocol's own refusal: code 4, with a message."""
    body = msgspec.json.encode({"code": 4, "message": f"{fault.code} {fault.sentence}"})
    return Refused(Answer(status, body, "application/json"), fault, retry=True)


DRAINING: Final = _turned_away(errors.DRAINING, 503)
FULL: Final = _turned_away(errors.ENGINE_MANY, 503)
CROWDED: Final = _turned_away(errors.TOO_MANY_FROM_ADDRESS, 429)
_FAULTS: Final = {
    UNKNOWN_TRANSPORT: errors.ENGINE_REQUEST,
    BAD_REQUEST: errors.ENGINE_REQUEST,
    BAD_METHOD: errors.ENGINE_REQUEST,
    UNKNOWN_SID: errors.ENGINE_SESSION,
    BAD_VERSION: errors.ENGINE_VERSION,
    FORBIDDEN: errors.FOREIGN_ORIGIN,
}

Admit = Callable[[Handshake], Answer | None]


def query_of(text: str) -> dict[str, str]:
    """The parts of a query string, decoded; of a repeated one the last."""
    return dict(parse_qsl(text, keep_blank_values=True))


class EngineServer:
    """All connections of one path. `admit` may refuse a handshake before there is a connection, by its headers for example."""

    def __init__(
        self,
        path: str,
        namespaces: Collection[str],
        application: Application,
        watch: EngineWatch,
        options: Options | None = None,
        *,
        admit: Admit = lambda handshake: None,
        speak: type[SocketIO] = SocketIO,
    ) -> None:
        self.path = path.rstrip("/")
        self.options = options = options or Options()
        self.watch = watch
        self._namespaces = frozenset(namespaces)
        self._application = application
        self._admit = admit
        self._speak = speak
        self._sessions: dict[str, Session] = {}
        self._addresses: Counter[str] = Counter()  # of connections whose application has not returned
        self._nursery: trio.Nursery | None = None
        self._drained = trio.Event()
        payload = options.engine.max_payload
        self.route = Route(self.path, self._admit_upgrade, MessageLimit(payload, payload), options.timing, also_http=True)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Hold all connections, until they have ended after drain(), or it is cancelled."""
        async with trio.open_nursery() as self._nursery:
            task_status.started()
            await self._drained.wait()

    def drain(self, goodbye: Goodbye) -> None:
        """Let no one in any more; every connection gets its goodbye, and its application Ended."""
        self._drained.set()
        for session in list(self._sessions.values()):
            session.connection.finish(goodbye)

    @property
    def connections(self) -> int:
        """How many there are, those included whose application has still to return."""
        return self._addresses.total()

    def session(self, sid: str) -> Session:
        """The session that judge() has let a request have."""
        return self._sessions[sid]

    def judge(self, request: Request, handshake: Handshake) -> Refused | None:
        """The refusal that is due, or None: then the request belongs to a session, new or known."""
        turned_away: Refused | None = None

        def admit() -> Answer | None:
            nonlocal turned_away
            turned_away = self._turned_away(request.origin, handshake)
            return None if turned_away is None else turned_away.answer

        answer = judge(request, self._current, admit=admit, cors=self.options.cors)
        if answer is None:
            return None
        return turned_away or Refused(answer, _FAULTS.get(answer, errors.ENGINE_REQUEST))

    def open(self, transport: Transport, handshake: Handshake) -> Session:
        """Begin a session."""
        if self._nursery is None:
            raise MisuseError("run() does not run")
        now = trio.current_time()
        options = self.options
        engine = EngineIO(secrets.token_urlsafe(SID_BYTES), transport, now, options.engine)
        io = self._speak(engine, self._namespaces, now, options.socket)
        session = Session(engine, io, handshake, self.watch.begin(transport), self.watch, options.unheard_bytes)
        self._sessions[engine.sid] = session
        self._addresses[handshake.address] += 1
        self._nursery.start_soon(self._run, session)
        return session

    async def _run(self, session: Session) -> None:
        address = session.connection.address
        try:
            await session.run(self._application, self.options.return_s)
        except Exception as error:  # a defect of ours: what is left of the session cannot be trusted to say goodbye
            self.watch.escaped(error)
            for driver in session.drivers:
                driver.abort()
        finally:
            self._sessions.pop(session.engine.sid, None)
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]

    def _current(self, sid: str) -> Transport | None:
        session = self._sessions.get(sid)
        return None if session is None else session.engine.transport

    def _turned_away(self, origin: str | None, handshake: Handshake) -> Refused | None:
        options = self.options
        if self._drained.is_set():
            return DRAINING
        if origin is not None and options.origins is not None and origin not in options.origins:
            return Refused(FORBIDDEN, errors.FOREIGN_ORIGIN)
        if self.connections >= options.sessions_max:
            return FULL
        if self._addresses[handshake.address] >= options.sessions_per_address:
            return CROWDED
        answer = self._admit(handshake)
        return None if answer is None else Refused(answer, errors.ENGINE_FORBIDDEN)

    # ---- the WebSocket side -------------------------------------------------------------------

    async def _admit_upgrade(self, upgrade: Upgrade, address: str) -> Handler | Refusal:
        handshake = Handshake(upgrade.fields, query_of(upgrade.target.partition("?")[2]), address)
        refused = self.judge(Request("GET", handshake.query, True, upgrade.origin), handshake)
        if refused is not None:
            retry = (("Retry-After", str(RETRY_S)),) if refused.retry else ()
            body: Mapping[str, object] = msgspec.json.decode(refused.answer.body)
            return Refusal(refused.answer.status, refused.fault, retry, body)
        return partial(self._serve, handshake)

    async def _serve(self, handshake: Handshake, websocket: WebSocket) -> None:
        sid = handshake.query.get("sid")
        if not sid and not self._drained.is_set():
            session = self.open("websocket", handshake)
        elif sid in self._sessions:
            session = self._sessions[sid]
        else:  # closed, or drained, while the upgrade was answered
            websocket.close(Goodbye.DRAIN.value)
            return
        await EngineSocket(session, websocket).run()
