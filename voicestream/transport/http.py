"""HTTP/1.1 by hypercorn's trio server, on a connection whose first bytes have been read already.

hypercorn's `TCPServer` is not a documented API: 0.18.0 is pinned and tests/transport/test_http.py holds
what is relied upon. Kept from it: WebSockets, HTTP/2, its sends without a deadline.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import h11
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework, ConnectionState

_WRITE_BYTES = 64 * 1024
_LAST_TURNS = 8  # of the loop; the reader wants two to stop the task that closes an idle connection
_TWO_LENGTHS = {b"content-length", b"transfer-encoding"}  # RFC 9112 section 6.1: where a second request may hide

ASGISend = Callable[[Any], Awaitable[None]]


class PushedBack:
    """A trio stream that reads `data` before the rest, writes under a deadline, and shows what hypercorn probes."""

    def __init__(self, stream: trio.abc.Stream, data: bytes, write_s: float) -> None:
        self._stream = stream
        self._data = data
        self._write_s = write_s
        if isinstance(stream, trio.SSLStream):
            self.transport_stream = stream.transport_stream  # hypercorn takes what has this for TLS
            self.do_handshake = stream.do_handshake
        elif isinstance(stream, trio.SocketStream):
            self.socket = stream.socket

    def selected_alpn_protocol(self) -> str:
        return "http/1.1"

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if self._data:
            data, self._data = self._data, b""
            await trio.lowlevel.checkpoint()
            return data
        return bytes(await self._stream.receive_some(max_bytes))

    async def send_all(self, data: bytes) -> None:
        """hypercorn shields this from cancellation, so a peer that does not read is given up here."""
        for begin in range(0, len(data), _WRITE_BYTES):
            with trio.move_on_after(self._write_s) as patience:
                await self._stream.send_all(data[begin : begin + _WRITE_BYTES])
            if patience.cancelled_caught:
                await trio.aclose_forcefully(self._stream)
                raise trio.BrokenResourceError("peer does not read")

    async def send_eof(self) -> None:
        if isinstance(self._stream, trio.abc.HalfCloseableStream):
            await self._stream.send_eof()

    async def aclose(self) -> None:
        await trio.aclose_forcefully(self._stream)


class _Http1Server(TCPServer):
    """hypercorn's server of one connection, that stays with HTTP/1.1.

    An `Upgrade: h2c` (Java's HttpClient and curl --http2 offer it unasked) is ignored, as RFC 9110 section 7.8
    allows, and not followed into HTTP/2, where other limits and attacks live.
    """

    async def _read_data(self) -> None:
        http1: Any = self.protocol.protocol
        http1._check_protocol = _stay
        await super()._read_data()

    async def _idle_timeout(self) -> None:
        """As hypercorn's, but a request that has come is answered though we saw it late: where the process stood still for so long,
        the time is over in the same turn of the loop in which the request can be read, and the reader stops this task turns later.
        """
        with trio.move_on_after(self.config.keep_alive_timeout):
            await self.context.terminated.wait()
        for _ in range(_LAST_TURNS):
            await trio.lowlevel.checkpoint()
        with trio.CancelScope(shield=True):
            await self._initiate_server_close()


async def _stay(request: Any) -> None:
    pass


class HttpServer:
    """Serves one ASGI application on streams it is handed. Use inside `async with trio.open_nursery()`: see start()."""

    def __init__(self, app: ASGIFramework, write_s: float = 10.0, keep_alive_s: float = 5.0) -> None:
        self._config = Config()
        self._config.keep_alive_timeout = keep_alive_s
        self._config.h11_max_incomplete_size = 16 * 1024
        self._config.include_server_header = False
        self._config.accesslog = None
        self._config.errorlog = None
        self._app = ASGIWrapper(_without_websockets(app))
        self._context = WorkerContext(None)
        self._state: dict[str, Any] = {}
        self._lifespan = Lifespan(self._app, self._config, self._state)
        self._write_s = write_s

    async def start(self, nursery: trio.Nursery) -> None:
        """Run the application's start-up; its shut-down follows stop()."""
        await nursery.start(self._lifespan.handle_lifespan)
        await self._lifespan.wait_for_startup()

    async def serve(self, stream: trio.abc.Stream, data: bytes) -> None:
        """Serve one connection whose first bytes, `data`, are read already."""
        pushed_back: Any = PushedBack(stream, data, self._write_s)
        try:
            await _Http1Server(self._app, self._config, self._context, ConnectionState(self._state.copy()), pushed_back)
        except* h11.LocalProtocolError:
            pass  # bytes behind an upgrade that came as a second request: hypercorn#225

    async def drain(self) -> None:
        """Idle connections close, requests under way are the last of theirs."""
        await self._context.terminated.set()

    async def stop(self) -> None:
        await self._lifespan.wait_for_shutdown()


def _without_websockets(app: ASGIFramework) -> ASGIFramework:
    """An upgrade as a second request on a kept-alive connection is answered 426, one with two lengths 400."""

    async def only_http(scope: MutableMapping[str, Any], receive: Any, send: ASGISend) -> None:
        if scope["type"] == "http" and {name for name, _ in scope["headers"]} >= _TWO_LENGTHS:
            headers = [(b"connection", b"close"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 400, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        elif scope["type"] == "websocket":
            headers = [(b"upgrade", b"websocket"), (b"connection", b"close"), (b"content-length", b"0")]
            await send({"type": "websocket.http.response.start", "status": 426, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": b"", "more_body": False})
        else:
            await app(scope, receive, send)  # type: ignore[arg-type]

    return only_http  # type: ignore[return-value]
