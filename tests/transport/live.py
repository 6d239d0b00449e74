"""A listener with visitors: on a real port for the clients of others, or in memory."""

import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

import trio
from trio.testing import memory_stream_pair
from trio_websocket import WebSocketConnection, wrap_client_stream

from tests.transport.fake import Book
from voicestream.transport.listener import Admission, HttpHandler, Listener, Route, listen
from voicestream.transport.pipe import StreamPipe

HOST = "voice.example.org"
TwoWays = trio.StapledStream[trio.abc.SendStream, trio.abc.ReceiveStream]


async def no_http(stream: trio.abc.Stream, data: bytes) -> None:
    raise AssertionError("nobody asked for HTTP")


@asynccontextmanager
async def live(
    routes: list[Route], http: HttpHandler = no_http, tls: ssl.SSLContext | None = None, admission: Admission | None = None
) -> AsyncIterator[tuple[int, Book]]:
    """The port and the book of a running listener."""
    book = Book()
    async with open_port(Listener(routes, http, book, admission or Admission(), tls)) as port:
        yield port, book


@asynccontextmanager
async def open_port(listener: Listener) -> AsyncIterator[int]:
    """A real port of the listener."""
    sockets = await listen("127.0.0.1", 0)
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(trio.serve_listeners, listener.greet, sockets))
        yield sockets[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def open_stream(listener: Listener) -> AsyncIterator[TwoWays]:
    """A connection in memory."""
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(listener.serve, ours, StreamPipe(ours), "192.0.2.1")
        yield theirs  # type: ignore[misc]
        await theirs.aclose()


@asynccontextmanager
async def open_websocket(
    listener: Listener, path: str, headers: Iterable[tuple[str, str]], subprotocols: list[str] | None = None
) -> AsyncIterator[WebSocketConnection]:
    """A WebSocket of somebody else's making, in memory."""
    async with open_stream(listener) as stream, trio.open_nursery() as nursery:
        extra = [(name.encode(), value.encode()) for name, value in headers]
        yield await wrap_client_stream(nursery, stream, HOST, path, subprotocols=subprotocols, extra_headers=extra)  # type: ignore[arg-type]
        nursery.cancel_scope.cancel()
