"""All that a trio server does with Engine.IO, without a loop: requests, sockets and a clock that is moved by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from voicestream.protocols.base import NEVER, Close, Incoming, Outgoing
from voicestream.protocols.engineio import EngineIO, Options, Socket
from voicestream.protocols.engineio_event import Event, Message
from voicestream.protocols.engineio_request import Poll, Request, Transport, judge

ROOM = 1 << 30
SUITE = Options(ping_interval_s=0.3, ping_timeout_s=0.2)  # of the official suites


class Echo:
    """The application of the bare Engine.IO suite."""

    deadline = NEVER

    def __init__(self, engine: EngineIO, now: float) -> None:
        self.engine = engine
        self.heard: list[Event] = []

    def hear(self, event: Event, now: float) -> None:
        self.heard.append(event)
        if isinstance(event, Message):
            self.engine.send(event.data)

    def tick(self, now: float) -> None: ...


@dataclass
class Get:
    """A GET under way."""

    server: "Server"
    engine: EngineIO | None
    poll: Poll

    @property
    def answer(self) -> tuple[int, bytes] | None:
        answer = self.poll.answer
        return None if answer is None else (answer.status, answer.body)

    def abort(self) -> None:
        assert self.engine is not None
        self.engine.lose_poll(self.poll, self.server.now)
        self.server.turn()


@dataclass
class WebSocket:
    """A WebSocket that was accepted."""

    server: "Server"
    engine: EngineIO
    socket: Socket

    def send(self, *messages: Incoming) -> None:
        for message in messages:
            self.engine.receive(self.socket, message, self.server.now)
            self.server.turn()

    def read(self) -> list[Outgoing]:
        return self.engine.drain(self.socket, ROOM)

    def ask(self, *messages: Incoming) -> list[Outgoing]:
        self.send(*messages)
        return self.read()

    def closed(self) -> bool:
        return any(isinstance(message, Close) for message in self.read())

    def abort(self) -> None:
        self.engine.lose_socket(self.socket, self.server.now)
        self.server.turn()


class Server:
    """One path. `application` is made per session and hears its events; `now` moves by advance() only."""

    def __init__(self, application: Callable[[EngineIO, float], Echo] = Echo, options: Options = SUITE) -> None:
        self.now = 0.0
        self.engines: dict[str, EngineIO] = {}
        self.applications: dict[str, Echo] = {}
        self._application = application
        self._options = options
        self._sids = (f"sid-{number}" for number in count())

    def turn(self) -> None:
        """Let each application hear what happened."""
        for sid, engine in self.engines.items():
            while events := engine.events():
                for event in events:
                    self.applications[sid].hear(event, self.now)

    def advance(self, seconds: float) -> None:
        """Let time pass; each deadline is met to the point."""
        end = self.now + seconds
        while True:
            owners = [*self.engines.values(), *self.applications.values()]
            due = [owner for owner in owners if owner.deadline <= end]
            if not due:
                break
            first = min(due, key=lambda owner: owner.deadline)
            self.now = max(self.now, first.deadline)
            first.tick(self.now)
            self.turn()
        self.now = end

    def current(self, sid: str) -> Transport | None:
        engine = self.engines.get(sid)
        return None if engine is None else engine.transport

    def _open(self, transport: Transport) -> EngineIO:
        sid = next(self._sids)
        self.engines[sid] = engine = EngineIO(sid, transport, self.now, self._options)
        self.applications[sid] = self._application(engine, self.now)
        return engine

    def get(self, sid: str = "") -> Get:
        query = {"EIO": "4", "transport": "polling"} | ({"sid": sid} if sid else {})
        refusal = judge(Request("GET", query), self.current)
        if refusal is not None:
            return Get(self, None, Poll(refusal))
        engine = self.engines[sid] if sid else self._open("polling")
        poll = engine.poll(self.now)
        self.turn()
        return Get(self, engine, poll)

    def post(self, sid: str, body: str | bytes, content_type: str = "text/plain;charset=UTF-8") -> tuple[int, bytes]:
        content = body.encode() if isinstance(body, str) else body
        answer = judge(Request("POST", {"EIO": "4", "transport": "polling", "sid": sid}), self.current)
        if answer is None:
            engine = self.engines[sid]
            answer = engine.begin_post(content_type, len(content), self.now) or engine.end_post(content, self.now)
            self.turn()
        return answer.status, answer.body

    def connect(self, sid: str = "") -> WebSocket:
        """Open a WebSocket; AssertionError where it is refused before the upgrade."""
        query = {"EIO": "4", "transport": "websocket"} | ({"sid": sid} if sid else {})
        refusal = judge(Request("GET", query, upgrade=True), self.current)
        assert refusal is None, refusal
        engine = self.engines[sid] if sid else self._open("websocket")
        websocket = WebSocket(self, engine, engine.attach(self.now))
        self.turn()
        return websocket

    def polling(self) -> str:
        """The sid of a new session over polling."""
        answer = self.get().answer
        assert answer is not None
        assert answer[0] == 200
        return list(self.engines)[-1]

    def upgraded(self) -> tuple[str, WebSocket]:
        """A session that came from polling to WebSocket."""
        sid = self.polling()
        websocket = self.connect(sid)
        assert websocket.ask("2probe", "5") == ["3probe"]
        return sid, websocket
