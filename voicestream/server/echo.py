"""`/echo`: gives back every message. For conformance testers of the wire (Autobahn), behind the setting `echo`."""

from collections import deque

from voicestream.transport.rfc6455 import MessageLimit
from voicestream.transport.websocket import Disconnected, WebSocket

ECHO_LIMIT = MessageLimit(text_bytes=1 << 24, binary_bytes=1 << 24, fragments=1 << 18)
_UNSENT_BYTES = 1 << 26


async def echo(websocket: WebSocket) -> None:
    """Until the peer closes; a peer that sends 64 MiB more than it reads is closed with 1013."""
    unsent: deque[str | bytes] = deque()
    size = 0

    def say(room_bytes: int) -> list[str | bytes]:
        nonlocal size
        said = []
        while unsent and room_bytes > 0:
            message = unsent.popleft()
            size -= len(message)
            room_bytes -= len(message)
            said.append(message)
        return said

    websocket.attach(say)
    try:
        while True:
            for message in await websocket.receive():
                unsent.append(message)
                size += len(message)
            if size > _UNSENT_BYTES:
                unsent.clear()
                websocket.close(1013, "answers are not read")
            websocket.flush()
    except Disconnected:
        pass
