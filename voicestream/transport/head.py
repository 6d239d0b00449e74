"""The first request head of a connection: whose is it, a WebSocket's or HTTP's?

h11 reads the head, so what it refuses (smuggled lengths, bad names and values) is refused here too. What it
bears and others read differently (folded lines, bare line feeds: RFC 9112 sections 2.2 and 5.2) is refused as well.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeAlias

import h11

from voicestream import errors
from voicestream.errors import Fault

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3


@dataclass(frozen=True, slots=True)
class HeadLimit:
    """How large a request head may be; beyond: 431."""

    head_bytes: int = 16 * 1024
    headers: int = 64
    header_bytes: int = 8 * 1024


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A WebSocket opening. path without the query; early: bytes that came behind the head.

    target: path and query as sent; fields: by lower-case name, those of a repeated header joined by ", ".
    """

    path: str
    key: bytes
    origin: str | None
    early: bytes
    target: str = ""
    fields: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)  # keys and tokens are in it


@dataclass(frozen=True, slots=True)
class Plain:
    """Any other request: HTTP's affair. `data` is everything read so far, to be pushed back."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer before anything begins; the connection is closed behind it."""

    status: int
    fault: Fault
    headers: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, object] | None = None  # JSON, where a protocol has its own; else the fault's number and sentence

    def __bytes__(self) -> bytes:
        if self.body is None:
            content_type, body = "text/plain; charset=utf-8", f"{self.fault.code} {self.fault.sentence}\n".encode()
        else:
            content_type, body = "application/json", json.dumps(self.body).encode()
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            *(f"{name}: {value}" for name, value in self.headers),
            f"Content-Type: {content_type}",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


Head: TypeAlias = Upgrade | Plain | Refusal


class HeadReader:
    """Feed it bytes until it knows."""

    def __init__(self, limit: HeadLimit) -> None:
        self._limit = limit
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=limit.head_bytes)
        self._data = bytearray()

    def feed(self, data: bytes) -> Head | None:
        """The verdict, or None while the head is not whole."""
        self._data += data
        try:
            self._connection.receive_data(data)
            event = self._connection.next_event()
        except h11.RemoteProtocolError as error:
            too_large = error.error_status_hint == 431
            return Refusal(431, errors.HEAD_TOO_LARGE) if too_large else Refusal(400, errors.BAD_HEAD)
        if event is h11.NEED_DATA:
            return None
        if not isinstance(event, h11.Request):
            return Refusal(400, errors.BAD_HEAD)
        raw = self._data[: len(self._data) - len(self._connection.trailing_data[0])]
        if len(raw) > self._limit.head_bytes:
            return Refusal(431, errors.HEAD_TOO_LARGE)
        if raw.count(b"\n") != raw.count(b"\r\n") or b"\n " in raw or b"\n\t" in raw:
            return Refusal(400, errors.BAD_HEAD)
        return self._judge(event)

    def _judge(self, request: h11.Request) -> Head:
        longest = max((len(name) + len(value) for name, value in request.headers), default=0)
        if len(request.headers) > self._limit.headers or longest > self._limit.header_bytes:
            return Refusal(431, errors.HEAD_TOO_LARGE)
        headers: dict[bytes, bytes] = {}
        for name, value in request.headers:
            headers[name] = headers[name] + b", " + value if name in headers else value
        if b"content-length" in headers and b"transfer-encoding" in headers:
            return Refusal(400, errors.BAD_HEAD)  # RFC 9112 section 6.1: where a second request may hide
        path = request.target.partition(b"?")[0].decode("ascii", "replace")
        upgrades = {token.strip().lower() for token in headers.get(b"upgrade", b"").split(b",")}
        if b"websocket" not in upgrades:
            if request.http_version not in (b"1.1", b"1.0"):
                return Refusal(400, errors.NOT_HTTP1)
            return Plain(path, bytes(self._data))
        connection = {token.strip().lower() for token in headers.get(b"connection", b"").split(b",")}
        if request.method != b"GET" or request.http_version != b"1.1" or b"upgrade" not in connection:
            return Refusal(400, errors.BAD_UPGRADE)
        if headers.get(b"sec-websocket-version") != b"13":
            return Refusal(426, errors.WRONG_WEBSOCKET_VERSION, (("Sec-WebSocket-Version", "13"), ("Upgrade", "websocket")))
        key = headers.get(b"sec-websocket-key", b"")
        try:
            if len(base64.b64decode(key, validate=True)) != 16:
                return Refusal(400, errors.BAD_UPGRADE)
        except binascii.Error:
            return Refusal(400, errors.BAD_UPGRADE)
        if headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
            return Refusal(400, errors.BAD_UPGRADE)
        fields = {name.decode("ascii"): value.decode("latin-1") for name, value in headers.items()}
        early = self._connection.trailing_data[0]
        return Upgrade(path, key, fields.get("origin"), early, request.target.decode("ascii"), fields)


def acceptance(upgrade: Upgrade, subprotocol: str | None = None) -> bytes:
    """The answer that turns the connection into a WebSocket; no extension is ever selected. subprotocol: one of those offered."""
    accept = base64.b64encode(hashlib.sha1(upgrade.key + _GUID, usedforsecurity=False).digest())
    selected = b"" if subprotocol is None else b"Sec-WebSocket-Protocol: " + subprotocol.encode("ascii") + b"\r\n"
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    return head + accept + b"\r\n" + selected + b"\r\n"
