"""An EngineServer on a real port: listener, hypercorn and quart as in the product, an application of the test's."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import trio
from quart_trio import QuartTrio

from tests.transport.fake import Book
from voicestream.protocols import engineio, socketio
from voicestream.protocols.engineio_event import Closed, Event, Message
from voicestream.protocols.socketio import SocketIO
from voicestream.protocols.socketio_event import Connecting, Emitted, Ended
from voicestream.protocols.socketio_event import Event as SocketEvent
from voicestream.server.engine import EngineServer, Options
from voicestream.server.engine_connection import Connection
from voicestream.server.engine_session import Application
from voicestream.server.engine_watch import EngineWatch
from voicestream.server.http import engine as http_engine
from voicestream.server.http.connection import Connection as HttpConnection
from voicestream.server.metrics import Metrics
from voicestream.transport.http import HttpServer
from voicestream.transport.listener import Admission, Listener, listen

PATH = "/socket.io/"
QUIET = engineio.Options(ping_interval_s=1000, ping_timeout_s=1000)
SUITE = engineio.Options(ping_interval_s=0.3, ping_timeout_s=0.2)  # of the official suites


async def suite(connection: Connection) -> None:
    """The application of the official Socket.IO suite."""
    while True:
        for event in await connection.listen():
            match event:
                case Connecting(namespace, auth):
                    connection.accept(namespace)
                    connection.emit(namespace, "auth", auth)
                case Emitted("/", "message", arguments):
                    connection.emit("/", "message-back", *arguments)
                case Emitted("/", "message-with-ack", arguments, int(id)):
                    connection.acknowledge("/", id, *arguments)
                case Ended():
                    return


async def ear(connection: Connection) -> None:
    """Says nothing, and hears until the end."""
    while not isinstance((await connection.listen())[-1], Ended):
        pass


class Echo(SocketIO):
    """No Socket.IO but the bare Engine.IO of its suite: every message comes back."""

    __slots__ = ()

    def receive(self, event: Event, now: float) -> "tuple[SocketEvent, ...]":
        if isinstance(event, Message):
            self._engine.send(event.data)
            return ()
        assert isinstance(event, Closed)
        self._connect_at = float("inf")
        return (Ended(event.ending),)


@dataclass
class House:
    """What runs."""

    port: int
    server: EngineServer
    metrics: Metrics
    listener: Listener
    book: Book = field(repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def figure(self, line: str) -> float:
        """A line of /metrics: its name and labels."""
        for row in self.metrics.page()[0].decode().splitlines():
            if row.startswith(f"voicestream_{line} "):
                return float(row.split()[-1])
        return 0.0


@asynccontextmanager
async def engine_house(
    application: Application = suite,
    options: Options | None = None,
    *,
    path: str = PATH,
    namespaces: Collection[str] = ("/", "/custom"),
    speak: type[SocketIO] = SocketIO,
    port: int = 0,
) -> AsyncIterator[House]:
    """A server that stops with the block."""
    metrics = Metrics("0", {})
    server = EngineServer(path, namespaces, application, EngineWatch(metrics, path), options or Options(engine=QUIET), speak=speak)
    app = QuartTrio("test", static_folder=None, template_folder=None)
    app.asgi_http_class = HttpConnection
    app.url_map.strict_slashes = False
    app.register_blueprint(http_engine.blueprint(server))
    http = HttpServer(app)
    book = Book()
    listener = Listener([server.route], http.serve, book, Admission(per_address=5000, connections=5000))
    sockets = await listen("127.0.0.1", port)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        await http.start(nursery)
        await nursery.start(partial(trio.serve_listeners, listener.greet, sockets))
        yield House(sockets[0].socket.getsockname()[1], server, metrics, listener, book)
        await http.drain()
        nursery.cancel_scope.cancel()


SUITE_OPTIONS = Options(engine=SUITE, socket=socketio.Options(connect_s=1.0))
