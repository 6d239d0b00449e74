"""`/echo`: gives back every message. For conformance testers of the wire (Autobahn), behind the setting `echo`."""

import contextlib
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

    def hear(messages: list[str | bytes]) -> bool:
        nonlocal size
        unsent.extend(messages)
        size += sum(map(len, messages))
        if size > _UNSENT_BYTES:
            unsent.clear()
            websocket.close(1013, "answers are not read")
        websocket.flush()
        return True

    websocket.attach(say)
    with contextlib.suppress(Disconnected):
        await websocket.listen(hear)
