"""One WebSocket of an Engine.IO session: its own, the new one of an upgrade, or one that is closed at once.

What it hears goes to the engine in the moment it is read; what the engine says on it leaves by flush(), which any
turn of the session calls. So this task waits for nothing but bytes.
"""

from collections.abc import Iterator
from typing import cast

import trio

from voicestream.protocols.base import Close
from voicestream.server.engine_session import Session
from voicestream.transport.websocket import Disconnected, WebSocket

_TURN = 32  # messages of one connection before the others have theirs


class EngineSocket:
    """A Driver. run() it until the WebSocket has ended; `websocket.finish()` is the caller's."""

    __slots__ = ("_alarm", "_messages", "_session", "_socket", "_websocket")

    def __init__(self, session: Session, websocket: WebSocket) -> None:
        self._session = session
        self._websocket = websocket
        self._messages: Iterator[str | bytes] = iter(())
        self._alarm = trio.CancelScope()
        self._socket = session.engine.attach(trio.current_time())
        websocket.attach(self._say)

    async def run(self) -> None:
        session = self._session
        session.drivers.append(self)
        session.turn()
        try:
            while self._websocket.ending is None:
                with trio.CancelScope(deadline=self._websocket.due) as self._alarm:
                    while True:
                        await self._websocket.listen(self._hear)
                        done = False
                        while not done:  # what was read is not lost
                            await trio.lowlevel.cancel_shielded_checkpoint()
                            done = self._work()
                self._websocket.tick(trio.current_time())
                self._websocket.flush()
        except Disconnected:
            pass
        finally:
            session.drivers.remove(self)
            session.engine.lose_socket(self._socket, trio.current_time())
            session.turn()

    def flush(self) -> None:
        self._websocket.flush()

    def abort(self) -> None:
        self._websocket.close(1011, "internal error")
        self._alarm.cancel()

    def _hear(self, messages: list[str | bytes]) -> bool:
        """Whether all of them were looked at."""
        self._messages = iter(messages)
        return self._work()

    def _work(self) -> bool:
        """Give the engine the messages that wait, up to the end of a turn; whether none is left."""
        engine, now = self._session.engine, trio.current_time()
        for _ in range(_TURN):
            message = next(self._messages, None)
            if message is None:
                break
            engine.receive(self._socket, message, now)
        self._session.turn()
        return message is None

    def _say(self, room_bytes: int) -> list[str | bytes]:
        said = self._session.engine.drain(self._socket, room_bytes)
        self._session.watch.said(len(said))
        if said and isinstance(said[-1], Close):
            close = cast("Close", said.pop())
            self._websocket.close(close.code, close.reason)
            self._alarm.cancel()
        return cast("list[str | bytes]", said)  # a Close comes last: no other is in it
