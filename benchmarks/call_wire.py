"""WebSockets of a load generator: raw sockets that never wait, read when the poll says so, written at once.

What a client library adds would be measured too; frames that go out a hundred thousand times are made before.
"""

import select
import socket
from collections.abc import Callable, Iterator

_KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # the example of RFC 6455: a generator needs no secret

REFUSED, UPGRADED, TEXT, CLOSE, PONG = -1, 0, 1, 8, 10  # opcodes; no frame here has the first two
PING = b"\x89\x80\0\0\0\0"
NORMAL_CLOSE = b"\x88\x82\0\0\0\0\x03\xe8"  # 1000


def text_frame(text: str) -> bytes:
    """A final text frame, masked with the key 0: its payload is the text itself, which costs a server no less to unmask."""
    data = text.encode()
    size = len(data)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + data


class Wire:
    """A WebSocket client's connection. `heard(opcode, payload)` is called for each frame; before them with UPGRADED, or REFUSED."""

    def __init__(self, poll: "Poll", port: int, target: str, fields: dict[str, str], heard: Callable[[int, bytes], None]) -> None:
        self._poll = poll
        self._heard = heard
        self._in = bytearray()
        self._out = bytearray()
        self._upgraded = False
        self.open = True
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        poll.add(self._socket, self._ready)
        head = {"Host": f"localhost:{port}", "Upgrade": "websocket", "Connection": "Upgrade"}
        head |= {"Sec-WebSocket-Key": _KEY, "Sec-WebSocket-Version": "13"} | fields
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self.send(f"GET {target} HTTP/1.1\r\n{lines}\r\n".encode())

    def send(self, data: bytes) -> bool:
        """Send at once, or keep what the socket does not take for later; whether all of it went."""
        if not self.open:
            return True
        if not self._out:
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:  # the server has gone: reading tells
                return True
            if sent == len(data):
                return True
            data = data[sent:]
            self._poll.watch(self._socket, select.EPOLLIN | select.EPOLLOUT)
        self._out += data
        return False

    def say(self, text: str) -> None:
        self.send(text_frame(text))

    def close(self) -> None:
        """No more of this connection."""
        if self.open:
            self.open = False
            self._poll.remove(self._socket)
            self._socket.close()

    def _ready(self, events: int) -> None:
        if events & select.EPOLLOUT and self._out:
            try:
                del self._out[: self._socket.send(self._out)]
            except OSError:
                self._out.clear()
            if not self._out:
                self._poll.watch(self._socket, select.EPOLLIN)
        if events & ~select.EPOLLOUT:
            try:
                data = self._socket.recv(1 << 18)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            self._in += data
            for opcode, payload in self._frames():
                self._heard(opcode, payload)
            if not data and self.open:
                self._heard(CLOSE, b"")
                self.close()

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        if not self._upgraded:
            head, end, rest = bytes(self._in).partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                yield REFUSED, head.partition(b"\r\n")[0]
                self.close()
                return
            self._upgraded = True
            self._in[:] = rest
            yield UPGRADED, b""
        while len(self._in) >= 2:
            size, at = self._in[1], 2
            if size >= 126:
                at += 2 if size == 126 else 8
                size = int.from_bytes(self._in[2:at], "big")
            if len(self._in) < at + size:
                return
            opcode, payload = self._in[0] & 15, bytes(self._in[at : at + size])
            del self._in[: at + size]
            yield opcode, payload


class Poll:
    """Which sockets can be read."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[int], None]] = {}

    def add(self, connection: socket.socket, ready: Callable[[int], None]) -> None:
        self._ready[connection.fileno()] = ready
        self._epoll.register(connection, select.EPOLLIN)

    def watch(self, connection: socket.socket, events: int) -> None:
        self._epoll.modify(connection, events)

    def remove(self, connection: socket.socket) -> None:
        self._epoll.unregister(connection)
        del self._ready[connection.fileno()]

    def look(self) -> None:
        """Serve all that is ready now; does not wait."""
        for number, events in self._epoll.poll(0):
            ready = self._ready.get(number)
            if ready is not None:
                ready(events)
