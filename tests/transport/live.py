"""A listener on a real port, for the clients of others."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import trio

from tests.transport.fake import Book
from voicestream.transport.listener import Admission, HttpHandler, Listener, Route, listen


async def no_http(stream: trio.abc.Stream, data: bytes) -> None:
    raise AssertionError("nobody asked for HTTP")


@asynccontextmanager
async def live(
    routes: list[Route], http: HttpHandler = no_http, tls: ssl.SSLContext | None = None, admission: Admission | None = None
) -> AsyncIterator[tuple[int, Book]]:
    """The port and the book of a running listener."""
    book = Book()
    listener = Listener(routes, http, book, admission or Admission(), tls)
    sockets = await listen("127.0.0.1", 0)
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(trio.serve_listeners, listener.greet, sockets))
        yield sockets[0].socket.getsockname()[1], book
        nursery.cancel_scope.cancel()
