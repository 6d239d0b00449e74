"""The way of a known client's token request, which is short: no view, no HTTP server, one answer.

    request ─┬─► POST /oauth2/token, plainly spelled, of a client whose secret is remembered ─► 200, and the next request
             └─► anything else, once and for all ─► the HTTP server, with every byte that came

So nothing is decided here but what is common: who is new, wrong, guessing or asks oddly is answered by the view (`oauth.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

import msgspec
import trio

from voicestream.errors import PeerError
from voicestream.protocols import oauth2
from voicestream.server.http.oauth import TOKEN_PATHS

if TYPE_CHECKING:
    from voicestream.server.login import Login
    from voicestream.transport.listener import HttpHandler

_PATHS: Final = "|".join(map(re.escape, TOKEN_PATHS)).encode()
_HEAD: Final = re.compile(rb"POST (?:%b) HTTP/1\.1\r\n((?:[A-Za-z0-9-]+:[ -~]*\r\n)+)\r\n" % _PATHS)
_LENGTH: Final = re.compile(r"[0-9]{1,4}")
_FIELDS: Final = frozenset(  # any other may mean something to the HTTP server
    {"host", "user-agent", "accept", "accept-encoding", "accept-language", "content-type", "content-length", "authorization", "connection"}
)
_ANSWER: Final = (
    "HTTP/1.1 200 \r\ncontent-type: application/json\r\ncontent-length: {length}\r\ndate: {date}\r\n"
    + "".join(f"{name}: {value}\r\n" for name, value in oauth2.NOT_TO_STORE.items())
    + "x-content-type-options: nosniff\r\nreferrer-policy: no-referrer\r\n\r\n"
)


class TokenDoor:
    """Stands before `http`. body_s: how long a request may take to come; keep_alive_s: and the next one; write_s: an answer to go."""

    def __init__(self, login: Login, http: HttpHandler, body_s: float, write_s: float, keep_alive_s: float = 5.0) -> None:
        self._login = login
        self._http = http
        self._body_s = body_s
        self._write_s = write_s
        self._keep_alive_s = keep_alive_s
        self.draining = False  # then the HTTP server says that the connection ends

    async def serve(self, stream: trio.abc.Stream, data: bytes) -> None:
        """Serve one connection whose first bytes, `data`, are read already."""
        address = _address(stream)
        while address is not None and not self.draining and (found := _HEAD.match(data)) is not None:
            fields = _usual_fields(found[1])
            end = found.end() + int(fields.get("content-length", 0))
            if fields and len(data) < end:
                data += await self._more(stream, end - len(data), self._body_s)
            answer = self._answer(fields, data[found.end() : end], address) if fields and len(data) >= end else None
            if answer is None:
                break
            with trio.move_on_after(self._write_s) as patience:
                await stream.send_all(answer)
            if patience.cancelled_caught:  # the peer does not read
                return
            data = data[end:] or await self._more(stream, 1, self._keep_alive_s)
            if not data:
                return
        await self._http(stream, data)

    async def _more(self, stream: trio.abc.Stream, wanted: int, patience_s: float) -> bytes:
        """At least `wanted` bytes; fewer where they do not come."""
        data = b""
        with trio.move_on_after(patience_s):
            while len(data) < wanted and (piece := await stream.receive_some(16 * 1024)):
                data += piece
        return data

    def _answer(self, fields: Mapping[str, str], body: bytes, address: str) -> bytes | None:
        login = self._login
        try:
            asked = oauth2.token_request(fields.get("content-type", ""), fields.get("authorization"), body)
            client = login.known(asked.client, address)
            if client is None:
                return None
            granted = login.authority.grant(client, asked.scope, login.clock())
        except PeerError:
            return None
        told = msgspec.json.encode(oauth2.token_answer(granted, login.authority.tokens.life_s, asked.scope))
        return _ANSWER.format(length=len(told), date=formatdate(login.clock(), usegmt=True)).encode() + told


def _address(stream: trio.abc.Stream) -> str | None:
    """The peer's; None where there is none any more."""
    plain = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
    try:
        return str(plain.socket.getpeername()[0]) if isinstance(plain, trio.SocketStream) else None
    except OSError:  # gone already
        return None


def _usual_fields(head: bytes) -> dict[str, str]:
    """The fields of a request that is like most; empty for any other."""
    pairs = [line.split(":", 1) for line in head.decode("ascii").split("\r\n")[:-1]]
    fields = {name.lower(): value.strip(" ") for name, value in pairs}
    usual = len(fields) == len(pairs) and _FIELDS.issuperset(fields) and _LENGTH.fullmatch(fields.get("content-length", ""))
    return fields if usual and fields.get("connection", "keep-alive").lower() == "keep-alive" else {}
