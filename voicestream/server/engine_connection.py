"""One Socket.IO connection as its application sees it: events are waited for, all else is said at once."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import trio

from voicestream.errors import MisuseError
from voicestream.protocols.base import Goodbye
from voicestream.protocols.engineio_event import Ending
from voicestream.protocols.socketio import SocketIO
from voicestream.protocols.socketio_attachment import Value
from voicestream.protocols.socketio_event import Ended, Event

SID_BYTES = 15  # 120 random bits: 20 characters


@dataclass(frozen=True, slots=True)
class Handshake:
    """The request that began a connection. fields: its headers by lower-case name; address: the peer's."""

    fields: Mapping[str, str] = field(repr=False)  # tokens are in it
    query: Mapping[str, str] = field(repr=False)
    address: str


class Connection:
    """The client of one application. What is said to one that is over is lost: nobody is there to hear it."""

    __slots__ = ("_events", "_io", "_news", "_over", "_turn", "address", "ending", "fields", "query", "unheard_bytes")

    def __init__(self, handshake: Handshake, io: SocketIO, turn: Callable[[], None]) -> None:
        self.fields = handshake.fields
        self.query = handshake.query
        self.address = handshake.address
        self.unheard_bytes = 0  # of the messages whose events the application has not taken yet
        self._io = io
        self._turn = turn
        self._events: list[Event] = []
        self._news = trio.lowlevel.ParkingLot()
        self._over = False  # Ended was taken
        self.ending: Ending | None = None

    async def listen(self) -> Sequence[Event]:
        """Wait for events; the last one ever is Ended, and whoever listens after it has a defect: MisuseError."""
        if self._over:
            raise MisuseError("this connection has ended")
        await trio.lowlevel.checkpoint()
        while not self._events:
            await self._news.park()
        events, self._events = self._events, []
        self.unheard_bytes = 0
        self._over = isinstance(events[-1], Ended)
        return events

    def accept(self, namespace: str) -> bool:
        """Let the client in; whether it still waits for it."""
        waited = self._io.accept(namespace, secrets.token_urlsafe(SID_BYTES))
        self._turn()
        return waited

    def refuse(self, namespace: str, message: str, data: Value = None) -> None:
        """Do not let the client in; the connection lives on."""
        self._io.refuse(namespace, message, data)
        self._turn()

    def emit(self, namespace: str, name: str, *arguments: Value, ack: bool = False, droppable: bool = False) -> int | None:
        """Send an event; with `ack` gives the id of the Acknowledged that is to come. A droppable one may get lost on a slow client."""
        id = self._io.emit(namespace, name, *arguments, ack=ack, droppable=droppable)
        self._turn()
        return id

    def acknowledge(self, namespace: str, id: int, *arguments: Value) -> bool:
        """Answer an Emitted with this id, once: whether it was sent."""
        sent = self._io.acknowledge(namespace, id, *arguments)
        self._turn()
        return sent

    def leave(self, namespace: str) -> None:
        """Put the client out of a namespace; the connection lives on."""
        self._io.leave(namespace)
        self._turn()

    def finish(self, goodbye: Goodbye | None = None) -> None:
        """End the connection after what waits; Ended follows, and the client comes back by itself."""
        self.tell(self._io.finish(trio.current_time(), goodbye))
        self._turn()

    def tell(self, events: Sequence[Event]) -> None:
        """What happened, for listen()."""
        if events:
            self._events += events
            if isinstance(events[-1], Ended):
                self.ending = events[-1].ending
            self._news.unpark_all()
