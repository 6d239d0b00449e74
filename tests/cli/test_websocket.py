"""A server that does not answer a Close takes nothing away: what was heard stands, and so does what went wrong."""

import base64
import hashlib
from contextlib import nullcontext
from functools import partial

import pytest
import trio

from voicestream import errors
from voicestream.cli.websocket import open_websocket
from voicestream.errors import PeerError

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


async def deaf(stream: trio.SocketStream) -> None:
    """Accept the upgrade, and nothing after it."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += await stream.receive_some()
    key = next(line.partition(b":")[2].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
    await stream.send_all(b"HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %b\r\n\r\n" % accept)
    await trio.sleep_forever()


@pytest.mark.parametrize("failure", [None, PeerError(errors.UNEXPECTED_ANSWER, "no result")])
async def test_a_server_that_does_not_close_is_left_behind(failure: PeerError | None) -> None:
    told = nullcontext() if failure is None else pytest.raises(PeerError, match="no result")
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, deaf, 0, host="127.0.0.1"))
        url = f"ws://127.0.0.1:{listener.socket.getsockname()[1]}/"
        with told:
            async with open_websocket(url, message_bytes=1, closing_s=0.05):
                if failure is not None:
                    raise failure
        nursery.cancel_scope.cancel()
