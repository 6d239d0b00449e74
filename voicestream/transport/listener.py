"""The one port: every connection is greeted here, told apart, guarded, and handed on.

    accept ─► TLS (5 s) ─► limits ─► request head (5 s) ─┬─► WebSocket on a known path ─► its handler
                                                         ├─► refusal as plain HTTP, close
                                                         └─► anything else ─► the HTTP handler, head pushed back

Connections above the limits are refused before their head is read and are not counted: so those that one
address holds open with half a head cannot keep the others out.
One connection can never end the server: what escapes from it is logged at its guard, exception groups too.
"""

import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import trio

from voicestream import errors
from voicestream.transport.head import Head, HeadLimit, HeadReader, Plain, Refusal, Upgrade, acceptance
from voicestream.transport.pipe import Pipe, SocketPipe, StreamPipe
from voicestream.transport.rfc6455 import MessageLimit
from voicestream.transport.websocket import Timing, WebSocket

BACKLOG = 1024
_RETRY = (("Retry-After", "5"),)


Handler = Callable[[WebSocket], Awaitable[None]]  # runs the conversation until `websocket.ending` is set; finish() follows by itself


@dataclass(frozen=True, slots=True)
class Selection:
    """A handler, and which of the subprotocols that the peer offers the answer selects (RFC 6455 section 4.2.2)."""

    handle: Handler
    subprotocol: str


Admit = Callable[[Upgrade, str], Awaitable[Handler | Selection | Refusal]]  # given the head and the peer's address


@dataclass(frozen=True, slots=True)
class Route:
    """A WebSocket endpoint: `admit` looks at the head, and gives the handler or refuses.

    also_http: the path serves plain requests too; any_origin: whoever comes shows a secret, so that a foreign page's Origin is no danger.
    """

    path: str
    admit: Admit
    limit: MessageLimit = MessageLimit()
    timing: Timing = Timing()
    also_http: bool = False
    any_origin: bool = False


def anyone(handle: Handler) -> Admit:
    """Admit whoever comes to `handle`."""

    async def admit(upgrade: Upgrade, address: str) -> Handler | Selection | Refusal:
        return handle

    return admit


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may come in."""

    connections: int = 2000
    per_address: int = 64
    origins: frozenset[str] | None = None  # None: no check
    tls_s: float = 5.0
    head_s: float = 5.0
    head: HeadLimit = HeadLimit()


class Observer(Protocol):
    """Who keeps the log and the figures."""

    def refused(self, refusal: Refusal) -> None: ...

    def opened(self, path: str, websocket: WebSocket) -> None: ...

    def closed(self, path: str, websocket: WebSocket) -> None: ...

    def escaped(self, error: BaseException) -> None:
        """A defect of ours ended one connection."""
        ...


HttpHandler = Callable[[trio.abc.Stream, bytes], Awaitable[None]]


class Listener:
    """Serves `routes` and gives all else to `http(stream, data read so far)`."""

    def __init__(
        self, routes: Sequence[Route], http: HttpHandler, observer: Observer, admission: Admission, tls: ssl.SSLContext | None = None
    ) -> None:
        self._routes = {route.path: route for route in routes}
        self._http = http
        self._observer = observer
        self._admission = admission
        self._tls = tls
        self._addresses: Counter[str] = Counter()
        self._count = 0
        self.draining = False

    async def greet(self, stream: trio.SocketStream) -> None:
        """Serve one connection to its end; raises nothing but cancellation."""
        try:
            address = str(stream.socket.getpeername()[0])
        except OSError:  # gone already
            await trio.aclose_forcefully(stream)
            return
        await self.serve(stream, SocketPipe(stream), address)

    async def serve(self, stream: trio.abc.HalfCloseableStream, pipe: Pipe, address: str) -> None:
        """As greet(), for any stream; `pipe` reads and writes the same connection."""
        crowded = self._crowded(address)
        try:
            if crowded is None:
                with self._counted(address):
                    await self._serve(stream, pipe, address, None)
            else:  # not counted: connections that we refuse must not keep others out
                await self._serve(stream, pipe, address, crowded)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the peer is gone: nobody to tell
        except Exception as error:  # exception groups too
            self._observer.escaped(error)
        finally:
            await trio.aclose_forcefully(stream)

    @contextmanager
    def _counted(self, address: str) -> Iterator[None]:
        self._count += 1
        self._addresses[address] += 1
        try:
            yield
        finally:
            self._count -= 1
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]

    def _crowded(self, address: str) -> Refusal | None:
        if self._count >= self._admission.connections:
            return Refusal(503, errors.TOO_MANY_CONNECTIONS, _RETRY)
        if self._addresses[address] >= self._admission.per_address:
            return Refusal(429, errors.TOO_MANY_FROM_ADDRESS, _RETRY)
        return None

    async def _serve(self, stream: trio.abc.HalfCloseableStream, pipe: Pipe, address: str, crowded: Refusal | None) -> None:
        outer: trio.abc.Stream = stream
        if self._tls is not None:
            secure = trio.SSLStream(stream, self._tls, server_side=True, https_compatible=True)
            if not await self._shake_hands(secure):
                self._observer.refused(Refusal(400, errors.TLS_HANDSHAKE))
                return
            outer, pipe = secure, StreamPipe(secure)
        head = crowded or await self._read_head(outer)
        if isinstance(head, Upgrade | Plain):
            head = self._refusal(head) or head
        match head:
            case None:
                return
            case Refusal():
                await self._refuse(outer, head)
            case Plain():
                await self._http(outer, head.data)
            case Upgrade():
                await self._admit(pipe, outer, head, address)

    async def _shake_hands(self, secure: trio.SSLStream[trio.abc.HalfCloseableStream]) -> bool:
        with trio.move_on_after(self._admission.tls_s) as patience:
            try:
                await secure.do_handshake()
            except trio.BrokenResourceError:
                return False
        return not patience.cancelled_caught

    async def _read_head(self, stream: trio.abc.Stream) -> Head | None:
        reader = HeadReader(self._admission.head)
        head: Head | None = None
        heard = False
        with trio.move_on_after(self._admission.head_s) as patience:
            while head is None:
                data = bytes(await stream.receive_some(16 * 1024))
                heard = heard or bool(data)
                if not data:
                    return None
                head = reader.feed(data)
        if patience.cancelled_caught:
            return Refusal(408, errors.HEAD_LATE) if heard else None
        return head

    def _refusal(self, head: Upgrade | Plain) -> Refusal | None:
        route = self._routes.get(head.path.rstrip("/") or "/")
        if isinstance(head, Plain):
            wanted = route is not None and not route.also_http
            return Refusal(426, errors.UPGRADE_WANTED, (("Upgrade", "websocket"),)) if wanted else None
        if route is None:
            return Refusal(404, errors.UNKNOWN_PATH)
        if self.draining:
            return Refusal(503, errors.DRAINING, _RETRY)
        origins = None if route.any_origin else self._admission.origins
        if head.origin is not None and origins is not None and head.origin not in origins:
            return Refusal(403, errors.FOREIGN_ORIGIN)
        return None

    async def _refuse(self, stream: trio.abc.Stream, refusal: Refusal) -> None:
        """Answer, then read on a little: a connection closed over unread bytes is reset before its answer is read."""
        self._observer.refused(refusal)
        with trio.move_on_after(1.0):
            await stream.send_all(bytes(refusal))
            if isinstance(stream, trio.abc.HalfCloseableStream):  # TLS is not
                await stream.send_eof()
            while await stream.receive_some(16 * 1024):
                pass

    async def _admit(self, pipe: Pipe, stream: trio.abc.Stream, upgrade: Upgrade, address: str) -> None:
        route = self._routes[upgrade.path.rstrip("/") or "/"]
        verdict = await route.admit(upgrade, address)
        if isinstance(verdict, Refusal):
            await self._refuse(stream, verdict)
            return
        handle, subprotocol = (verdict.handle, verdict.subprotocol) if isinstance(verdict, Selection) else (verdict, None)
        with trio.move_on_after(route.timing.write_s) as patience:
            await stream.send_all(acceptance(upgrade, subprotocol))
        if not patience.cancelled_caught:
            await self._converse(pipe, upgrade, route, handle)

    async def _converse(self, pipe: Pipe, upgrade: Upgrade, route: Route, handle: Handler) -> None:
        async with trio.open_nursery() as nursery:
            websocket = WebSocket(pipe, nursery, route.limit, route.timing, upgrade.early)
            self._observer.opened(route.path, websocket)
            try:
                try:
                    await handle(websocket)
                except Exception as error:
                    self._observer.escaped(error)
                    websocket.close(1011, "internal error")
                await websocket.finish()
                if websocket.defect is not None:
                    self._observer.escaped(websocket.defect)
            finally:  # cancelled ones too
                self._observer.closed(route.path, websocket)


async def listen(host: str, port: int) -> list[trio.SocketListener]:
    """Sockets that listen on `host` (a name, an address, or "" for all) and `port` (0: any free one)."""
    return list(await trio.open_tcp_listeners(port, host=host or None, backlog=BACKLOG))
