"""An EngineServer as in the product, behind listener and quart, with an application of the test's, and clients of it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlencode

import httpx
import trio
import trio.testing
from quart_trio import QuartTrio
from trio_websocket import WebSocketConnection, wrap_client_stream

from tests.transport.fake import Book
from voicestream.protocols import engineio, socketio
from voicestream.protocols.engineio_event import Closed, Ending, Event, Message
from voicestream.protocols.socketio import SocketIO
from voicestream.protocols.socketio_event import Connecting, Emitted, Ended
from voicestream.protocols.socketio_event import Event as SocketEvent
from voicestream.server.engine import Admit, EngineServer, Options
from voicestream.server.engine_connection import Connection
from voicestream.server.engine_session import Application
from voicestream.server.engine_watch import EngineWatch
from voicestream.server.http import engine as http_engine
from voicestream.server.http.connection import Connection as HttpConnection
from voicestream.server.metrics import Metrics
from voicestream.transport.http import HttpServer
from voicestream.transport.listener import Admission, Listener, listen
from voicestream.transport.pipe import StreamPipe

PATH = "/socket.io/"
QUIET = engineio.Options(ping_interval_s=1000, ping_timeout_s=1000)
DEFAULT = Options()
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


class Journal:
    """An application that writes down what it hears, and tells when all is over."""

    def __init__(self) -> None:
        self.heard: list[SocketEvent] = []
        self.connections: list[Connection] = []
        self.returned = trio.Event()

    async def __call__(self, connection: Connection) -> None:
        self.connections.append(connection)
        while not self.heard or not isinstance(self.heard[-1], Ended):
            for event in await connection.listen():
                self.heard.append(event)
                if isinstance(event, Connecting):
                    connection.accept(event.namespace)
        self.returned.set()

    async def ending(self) -> Ending:
        await self.returned.wait()
        assert isinstance(self.heard[-1], Ended)
        return self.heard[-1].ending


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
    """What runs, and how to talk to it."""

    server: EngineServer
    metrics: Metrics
    listener: Listener
    book: Book = field(repr=False)
    client: httpx.AsyncClient
    dial: Callable[[], Awaitable[trio.abc.Stream]]
    port: int = 0

    async def get(self, sid: str = "", **query: str) -> httpx.Response:
        """A GET of Engine.IO, a handshake without `sid`."""
        return await self.client.get(self.server.path + "/", params=_query("polling", sid) | query)

    async def post(self, sid: str, body: str | bytes | AsyncIterator[bytes], content_type: str = "text/plain") -> httpx.Response:
        return await self.client.post(
            self.server.path + "/", params=_query("polling", sid), content=body, headers={"Content-Type": content_type}
        )

    async def handshake(self) -> str:
        """A new session over polling: its sid."""
        answer = await self.get()
        assert answer.status_code == 200, answer.text
        return str(json.loads(answer.text[1:])["sid"])

    async def packets(self, sid: str, count: int) -> list[str]:
        """The next packets, in however many GETs they come."""
        packets: list[str] = []
        while len(packets) < count:
            packets += (await self.get(sid)).text.split("\x1e")
        return packets

    async def joined(self) -> str:
        """A polling session whose client is in `/`, and has read the answer; `suite` says one packet more."""
        sid = await self.handshake()
        assert (await self.post(sid, "40")).text == "ok"
        assert (await self.packets(sid, 1))[0].startswith("40{")
        return sid

    @asynccontextmanager
    async def websocket(self, sid: str = "", headers: Sequence[tuple[bytes, bytes]] = ()) -> AsyncIterator[WebSocketConnection]:
        """A WebSocket to a new session or, with `sid`, of an upgrade. trio_websocket.ConnectionRejected where it is refused."""
        resource = f"{self.server.path}/?{urlencode(_query('websocket', sid))}"
        async with trio.open_nursery() as nursery:
            websocket = await wrap_client_stream(nursery, await self.dial(), "server", resource, extra_headers=list(headers))
            yield websocket
            nursery.cancel_scope.cancel()

    def figure(self, line: str) -> float:
        """A line of /metrics: its name and labels."""
        for row in self.metrics.page()[0].decode().splitlines():
            if row.startswith(f"voicestream_{line} "):
                return float(row.split()[-1])
        return 0.0

    def active(self, transport: str) -> float:
        return self.figure(f'sessions_active{{operation="{transport}",protocol="socketio"}}')


def _query(transport: str, sid: str) -> dict[str, str]:
    return {"EIO": "4", "transport": transport} | ({"sid": sid} if sid else {})


@asynccontextmanager
async def engine_house(
    application: Application = suite,
    options: Options | None = None,
    *,
    path: str = PATH,
    namespaces: Collection[str] = ("/", "/custom"),
    speak: type[SocketIO] = SocketIO,
    admit: Admit = lambda handshake: None,
    port: int | None = None,
) -> AsyncIterator[House]:
    """A server that stops with the block: on real sockets with a `port`, else in memory, for a clock that jumps."""
    metrics = Metrics("0", {})
    server = EngineServer(
        path, namespaces, application, EngineWatch(metrics, path), options or Options(engine=QUIET), admit=admit, speak=speak
    )
    app = QuartTrio("test", static_folder=None, template_folder=None)
    app.asgi_http_class = HttpConnection
    app.url_map.strict_slashes = False
    app.register_blueprint(http_engine.blueprint(server))
    http = HttpServer(app, keep_alive_s=60)
    book = Book()
    listener = Listener([server.route], http.serve, book, Admission(per_address=5000, connections=5000))
    async with trio.open_nursery() as nursery:

        async def dial() -> trio.abc.Stream:
            ours, theirs = trio.testing.memory_stream_pair()
            nursery.start_soon(listener.serve, theirs, StreamPipe(theirs), "192.0.2.1")
            return ours

        await nursery.start(server.run)
        house = House(server, metrics, listener, book, httpx.AsyncClient(), dial)
        if port is None:
            house.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server", timeout=None)
        else:
            await http.start(nursery)
            sockets = await listen("127.0.0.1", port)
            await nursery.start(partial(trio.serve_listeners, listener.greet, sockets))
            house.port = sockets[0].socket.getsockname()[1]
            house.dial = partial(trio.open_tcp_stream, "127.0.0.1", house.port)
            house.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{house.port}", timeout=20)
        async with house.client:
            yield house
        await http.drain()
        nursery.cancel_scope.cancel()


SUITE_OPTIONS = Options(engine=SUITE, socket=socketio.Options(connect_s=1.0))
