"""One Engine.IO session at work: its clock, its application, and the drivers that look at it after each turn.

    polling requests ─┐                              ┌─► held GETs wake
    WebSockets ───────┼─► engine.… ─► session.turn() ┼─► WebSockets flush, in the same moment
    clock, application┘                              ├─► events for the application
                                                     └─► the clock is set to the next deadline

Nothing here waits but the clock and the application; between two deadlines an idle session costs nothing.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

import trio

from voicestream.errors import ENGINE_UNHEARD
from voicestream.protocols.base import Goodbye, Refusal
from voicestream.protocols.engineio import EngineIO
from voicestream.protocols.engineio_event import Closed, Message
from voicestream.protocols.socketio import SocketIO
from voicestream.server.engine_connection import Connection, Handshake
from voicestream.server.engine_watch import ConnectionWatch, EngineWatch

Application = Callable[[Connection], Awaitable[None]]  # returns after Ended; returning earlier ends the connection

_EVENT_BYTES = 256  # of an event in memory, so that many small ones count too


class Driver(Protocol):
    """Whoever says to a client what its session says."""

    def flush(self) -> None: ...

    def abort(self) -> None:
        """End at once: a defect of ours ended the session."""
        ...


class Session:
    """Drivers call the engine, then turn()."""

    __slots__ = (
        "_arriving_bytes", "_clock", "_engine_watch", "_io", "_unheard_bytes_max", "connection", "drivers", "engine",
        "polls", "watch",
    )  # fmt: skip

    def __init__(
        self,
        engine: EngineIO,
        io: SocketIO,
        handshake: Handshake,
        watch: ConnectionWatch,
        engine_watch: EngineWatch,
        unheard_bytes_max: int,
    ) -> None:
        self.engine = engine
        self.connection = Connection(handshake, io, self.turn)
        self.drivers: list[Driver] = []  # the WebSockets
        self.polls = trio.lowlevel.ParkingLot()  # where GETs are held
        self.watch = watch
        self._io = io
        self._engine_watch = engine_watch
        self._unheard_bytes_max = unheard_bytes_max
        self._arriving_bytes = 0  # of the packet that is coming in: a text and its attachments
        self._clock = trio.CancelScope()

    async def run(self, application: Application, return_s: float) -> None:
        """Keep the deadlines until the session is over, beside its application, which then has `return_s` to return."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._run_application, application)
                await self._keep_time()
                patience = nursery.cancel_scope
                patience.deadline = trio.current_time() + return_s
            if patience.cancelled_caught:
                self.watch.late(return_s)
        finally:
            self.watch.ended(self.connection.ending)

    async def _run_application(self, application: Application) -> None:
        goodbye = None
        try:
            await application(self.connection)
        except Exception as error:
            self._engine_watch.escaped(error)
            goodbye = Goodbye.INTERNAL
        self.connection.finish(goodbye)

    async def _keep_time(self) -> None:
        while self.engine.transport is not None:
            with trio.CancelScope(deadline=self._due()) as self._clock:
                await trio.sleep_forever()
            now = trio.current_time()
            self.engine.tick(now)
            self.connection.tell(self._io.tick(now))
            self.turn()

    def _due(self) -> float:
        return min(self.engine.deadline, self._io.deadline)

    def turn(self) -> None:
        """Let everybody look at the session; to be called after every call of its engine."""
        engine = self.engine
        try:
            self._take_events()
        finally:  # a defect in the dialect must not keep a session that is over
            for driver in self.drivers:
                driver.flush()
            self.polls.unpark_all()
            if engine.transport is None:
                self._clock.cancel()
            elif (due := self._due()) != self._clock.deadline:
                self._clock.deadline = due

    def _take_events(self) -> None:
        now = trio.current_time()
        engine, watch = self.engine, self.watch
        while events := engine.events():
            for event in events:
                self._hear(event, now)
        if engine.refusals:
            for refusal in engine.refusals:
                watch.refused(refusal)
            engine.refusals.clear()
        if watch.transport == "polling" and engine.transport == "websocket":
            watch.upgraded()

    def _hear(self, event: Message | Closed, now: float) -> None:
        """Let Socket.IO hear what the engine heard, and the application what that means."""
        if isinstance(event, Closed):
            self.connection.tell(self._io.receive(event, now))
            return
        self.watch.heard(1)
        if isinstance(event.data, str):
            self._arriving_bytes = 0
        self._arriving_bytes += len(event.data) + _EVENT_BYTES
        told = self._io.receive(event, now)
        if not told:
            return
        connection = self.connection
        connection.tell(told)
        connection.unheard_bytes += self._arriving_bytes
        if connection.unheard_bytes > self._unheard_bytes_max:
            self.watch.refused(Refusal(ENGINE_UNHEARD, "connection", f"over {self._unheard_bytes_max} bytes"))
            connection.tell(self._io.finish(now, Goodbye.OVERLOAD))
