"""The application of the official Socket.IO suite, and one that keeps what it hears."""

from tests.protocols.engineio_server import SUITE, Echo, Server, WebSocket
from voicestream.protocols import engineio_event as engineio
from voicestream.protocols.engineio import EngineIO
from voicestream.protocols.engineio import Options as EngineOptions
from voicestream.protocols.socketio import Options, SocketIO
from voicestream.protocols.socketio_event import Connecting, Emitted, Event

QUIET = EngineOptions(ping_interval_s=1e6, ping_timeout_s=1e6)


class Suite(Echo):
    """Emits the auth payload on connect; answers `message` and `message-with-ack` with the same arguments."""

    namespaces = ("/", "/custom")

    def __init__(self, engine: EngineIO, now: float) -> None:
        self.io = SocketIO(engine, self.namespaces, now, Options(connect_s=1.0))
        self.told: list[Event] = []

    @property
    def deadline(self) -> float:  # type: ignore[override]
        return self.io.deadline

    def hear(self, event: engineio.Event, now: float) -> None:
        for told in self.io.receive(event, now):
            self.told.append(told)
            self.answer(told)

    def tick(self, now: float) -> None:
        self.told += self.io.tick(now)

    def answer(self, event: Event) -> None:
        match event:
            case Connecting(namespace, auth):
                self.io.accept(namespace, f"id of {namespace}")
                self.io.emit(namespace, "auth", auth)
            case Emitted("/", "message", arguments):
                self.io.emit("/", "message-back", *arguments)
            case Emitted("/", "message-with-ack", arguments, int(id)):
                self.io.acknowledge("/", id, *arguments)


class Listener(Suite):
    """Answers nothing by itself."""

    namespaces = tuple(f"/{number}" for number in range(40)) + ("/",)

    def answer(self, event: Event) -> None: ...


def suite() -> WebSocket:
    """A WebSocket to the suite's server, its handshake read."""
    return _connected(Server(Suite, SUITE))


def quiet() -> WebSocket:
    """The same without heartbeats."""
    return _connected(Server(Suite, QUIET))


def listening() -> tuple[WebSocket, Listener]:
    """A WebSocket to an application that answers nothing by itself."""
    server = Server(Listener, QUIET)
    websocket = _connected(server)
    listener = server.applications["sid-0"]
    assert isinstance(listener, Listener)
    return websocket, listener


def _connected(server: Server) -> WebSocket:
    websocket = server.connect()
    websocket.read()
    return websocket


def joined() -> WebSocket:
    """A client of the suite's server that is connected to `/`."""
    websocket = quiet()
    websocket.ask("40")
    return websocket
