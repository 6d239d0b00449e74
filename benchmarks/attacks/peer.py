"""An attacker's hands: a raw connection that says any bytes at any pace, and tells how the server ended it.

What an attack came to is one word or two: `http 400`, `close 1002`, `end` (end of stream without a word),
`reset`, or the last answers it got (`500 500 true`).
"""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
RSV1 = 4
_KEY = b"\x37\xfa\x21\x3d"
_MOST_S = 100.0  # no attack lasts longer, whatever the server does


@dataclass(frozen=True, slots=True)
class Target:
    """The server under attack."""

    port: int
    template: str  # a good one of this server
    drip_s: float = 1.0  # time between the bytes of a slow attacker
    address: str = "127.0.0.1"  # where the attackers come from
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Attack:
    """One thing a peer may do, what may come of it, and the number the server's log must show."""

    name: str
    run: Callable[[Target], Awaitable[str]]
    allowed: tuple[str, ...]
    code: str = ""  # "": nothing was refused
    slow: bool = False  # lasts as long as one of the server's deadlines


def opening(path: str, *headers: str) -> bytes:
    """A good upgrade request, with `headers` added."""
    lines = (
        f"GET {path} HTTP/1.1", "Host: voice.example", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers,
    )  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, reserved: int = 0, mask: bool = True, claim: int | None = None
) -> bytes:
    """One client frame; `claim`: the length its header gives instead of the true one."""
    size = len(payload) if claim is None else claim
    head = bytes(((0x80 if final else 0) | reserved << 4 | opcode,))
    masked = 0x80 if mask else 0
    if size < 126:
        head += bytes((masked | size,))
    elif size < 65536:
        head += bytes((masked | 126,)) + size.to_bytes(2, "big")
    else:
        head += bytes((masked | 127,)) + size.to_bytes(8, "big")
    if not mask:
        return head + payload
    key = int.from_bytes((_KEY * (len(payload) // 4 + 1))[: len(payload)], "big")
    return head + _KEY + (int.from_bytes(payload, "big") ^ key).to_bytes(len(payload), "big")


class Peer:
    """One raw connection. A server that hangs up is no error here: hear what it said."""

    def __init__(self, stream: trio.abc.Stream, connection: trio.socket.SocketType) -> None:
        self._stream = stream
        self._socket = connection
        self._heard = bytearray()
        self._reset = False

    async def say(self, data: bytes) -> None:
        try:
            await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._reset = True

    async def drip(self, data: Iterable[bytes], target: Target) -> None:
        """Each piece after a while, until the server says something or hangs up."""
        for piece in data:
            await self.say(piece)
            with trio.move_on_after(target.drip_s):
                await self._hear()
                return

    async def _hear(self) -> bool:
        try:
            data = await self._stream.receive_some(64 * 1024)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._reset = True
            return False
        self._heard += data
        return bool(data)

    async def upgrade(self, path: str, *headers: str, early: bytes = b"") -> None:
        """Open a WebSocket, `early` bytes in the same segment; ConnectionError when refused."""
        await self.say(opening(path, *headers) + early)
        head = await self.head()
        if not head.startswith("HTTP/1.1 101 "):
            raise ConnectionError(head)
        if "extensions" in head.lower():
            raise ConnectionError("an extension was selected")

    async def head(self) -> str:
        """The head of the next HTTP answer, "" when there is none."""
        while b"\r\n\r\n" not in self._heard:
            if not await self._hear():
                return ""
        head, _, rest = bytes(self._heard).partition(b"\r\n\r\n")
        self._heard[:] = rest
        return head.decode("latin1")

    async def swallow(self, head: str) -> None:
        """The body that belongs to `head`."""
        size = int(head.lower().partition("content-length:")[2].split()[0])
        while len(self._heard) < size and await self._hear():
            pass
        del self._heard[:size]

    async def http(self) -> str:
        """What the server answers to a request: `http 400`, and `, kept` where it keeps the connection."""
        head = await self.head()
        if not head:
            return self._parting()
        status = f"http {head.split(' ')[1]}"
        return status if "connection: close" in head.lower() else f"{status}, kept"

    async def answers(self, count: int) -> str:
        """The next answers of the WebSocket, spaces between; a close ends them."""
        said: list[str] = []
        while len(said) < count:
            opcode, payload = await self._frame()
            if opcode == TEXT:
                said.append(payload.decode())
            elif opcode == CLOSE:
                return " ".join([*said, f"close {int.from_bytes(payload[:2], 'big')}"])
            elif opcode < 0:
                return " ".join([*said, self._parting()])
        return " ".join(said)

    async def ending(self) -> str:
        """How the server ends the WebSocket; answers before that are passed over."""
        while True:
            opcode, payload = await self._frame()
            if opcode == CLOSE:
                return f"close {int.from_bytes(payload[:2], 'big')}"
            if opcode < 0:
                return self._parting()

    async def cut(self) -> str:
        """Whether the connection is ended at all, whatever was said."""
        while await self._hear():
            self._heard.clear()
        return "cut"

    async def cut_unread(self, target: Target) -> str:
        """The same for a peer that never reads: it learns of the end when it sends."""
        while not self._reset:
            await self.say(frame(BINARY))
            await trio.sleep(target.drip_s)
        return "cut"

    def _parting(self) -> str:
        return "reset" if self._reset else "end"

    async def _frame(self) -> tuple[int, bytes]:
        """The next frame, (-1, b"") at the end."""
        while True:
            heard = self._heard
            if len(heard) >= 2:
                size, begin = heard[1], 2
                if size > 125:
                    begin = 4 if size == 126 else 10
                    size = int.from_bytes(heard[2:begin], "big")
                if len(heard) >= begin + size:
                    opcode, payload = heard[0] & 0x0F, bytes(heard[begin : begin + size])
                    del heard[: begin + size]
                    return opcode, payload
            if not await self._hear():
                return -1, b""

    async def finish_sending(self) -> None:
        """FIN."""
        if isinstance(self._stream, trio.SocketStream):
            await self._stream.send_eof()

    def reset(self) -> None:
        """RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._socket.close()


@asynccontextmanager
async def connected(target: Target, receive_bytes: int = 0) -> AsyncIterator[Peer]:
    """A new connection; `receive_bytes`: a small receive buffer, for those who do not read."""
    connection = trio.socket.socket()
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    with trio.fail_after(_MOST_S):
        await connection.bind((target.address, 0))
        await connection.connect(("127.0.0.1", target.port))
        stream: trio.abc.Stream = trio.SocketStream(connection)
        try:
            yield Peer(stream, connection)
        finally:
            connection.close()


@asynccontextmanager
async def streaming(target: Target, receive_bytes: int = 0, path: str = "/speech_summary_stream") -> AsyncIterator[Peer]:
    """A conversation in which audio is awaited."""
    async with connected(target, receive_bytes) as peer:
        await peer.upgrade(path)
        await peer.say(frame(TEXT, b"16000"))
        if await peer.answers(1) != "200":
            raise ConnectionError("the sample rate was refused")
        yield peer
