"""One Socket.IO 5 connection: its namespaces, on top of one Engine.IO session. No I/O.

    EngineIO.events() ─► SocketIO.receive(event, now) ─► Connecting Emitted Acknowledged Disconnected… Ended ─► application
    EngineIO.send(…)  ◄─ accept refuse emit acknowledge leave finish ◄───────────────────────────────────────── application
    timer: tick(now) at `deadline`, beside the session's own

Each namespace, `/` too:

    ABSENT ── CONNECT ──► AUTHORISING ── accept(): "40ns,{sid}" ──► CONNECTED ◄─┐ EVENT, ACK
      ▲ ▲                      │                                      │  │  └────┘
      │ └── refuse(): "44ns" ──┘                                      │  │
      └───────────── DISCONNECT from the client, leave(): "41ns," ────┘  │
                                                                         ▼
    (anything else) ──► the whole connection is closed; so are time-outs, malformed packets, attachments out of place

Whatever is emitted after accept() follows the CONNECT packet. A call for a namespace that the client has left does
nothing: it could not know (socketio.md section 7).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import assert_never, cast

from voicestream.errors import SOCKET_ATTACHMENT, SOCKET_MANY, SOCKET_SILENT, SOCKET_STATE, Fault, PeerError
from voicestream.protocols import engineio_event as engineio
from voicestream.protocols.base import NEVER, Goodbye, Refusal
from voicestream.protocols.engineio import EngineIO
from voicestream.protocols.engineio_event import Ending
from voicestream.protocols.socketio_attachment import Value, put_together
from voicestream.protocols.socketio_event import Acknowledged, Connecting, Disconnected, Emitted, Ended, Event
from voicestream.protocols.socketio_packet import Packet, PacketType, decode, encode


class State(IntEnum):
    ABSENT = auto()
    AUTHORISING = auto()
    CONNECTED = auto()


class Action(IntEnum):
    ASK = auto()
    EVENT = auto()
    ACK = auto()
    LEAVE = auto()


TRANSITIONS: dict[tuple[State, PacketType], Action] = {  # what a packet of the client does; any other closes
    (State.ABSENT, PacketType.CONNECT): Action.ASK,
    (State.CONNECTED, PacketType.EVENT): Action.EVENT,
    (State.CONNECTED, PacketType.ACK): Action.ACK,
    (State.CONNECTED, PacketType.DISCONNECT): Action.LEAVE,
}


@dataclass(frozen=True, slots=True)
class Options:
    """What an operator may set about Socket.IO."""

    connect_s: float = 45.0  # within which some namespace must be connected
    attachment_s: float = 10.0  # within which all attachments of a packet must come
    namespaces_max: int = 16  # of one connection
    acknowledgements_max: int = 1024  # that the client waits for, in one namespace


@dataclass(slots=True)
class _Namespace:
    state: State = State.AUTHORISING
    next_id: int = 0
    asked: set[int] = field(default_factory=set)  # ids we gave out and wait for
    owed: set[int] = field(default_factory=set)  # ids the client gave and waits for


class SocketIO:
    """One connection. `namespaces`: those that exist; the answer to any other is "Invalid namespace"."""

    __slots__ = (
        "_attachments", "_complete_at", "_connect_at", "_engine", "_joined", "_namespaces", "_options", "_over", "_packet", "refusals",
    )  # fmt: skip

    def __init__(self, engine: EngineIO, namespaces: Collection[str], now: float, options: Options | None = None) -> None:
        self._engine = engine
        self._namespaces = frozenset(namespaces)
        self._options = options or Options()
        self._joined: dict[str, _Namespace] = {}
        self._packet: Packet | None = None  # that waits for attachments
        self._attachments: list[bytes] = []
        self._over = False
        self._connect_at = now + self._options.connect_s
        self._complete_at = NEVER
        self.refusals: list[Refusal] = engine.refusals  # one list for both, in order

    @property
    def deadline(self) -> float:
        """When tick() wants to be called, in the unit of `now`; NEVER for not at all."""
        return NEVER if self._over else min(self._connect_at, self._complete_at)

    def receive(self, event: engineio.Event, now: float) -> Sequence[Event]:
        """Take one event of the session."""
        if self._over:
            return ()
        match event:
            case engineio.Message(data):
                try:
                    packet = self._text(data, now) if isinstance(data, str) else self._binary(data)
                    return () if packet is None else self._act(packet)
                except PeerError as error:
                    return self._refuse(error.fault, error.detail, now)
            case engineio.Closed(ending):
                return self._end(ending)
            case _:
                assert_never(event)

    def tick(self, now: float) -> Sequence[Event]:
        """Close a connection that is late with a namespace or an attachment."""
        if now < self.deadline:
            return ()
        return self._refuse(SOCKET_SILENT if now >= self._connect_at else SOCKET_ATTACHMENT, "late", now)

    # ---- the application's side ---------------------------------------------------------------

    def accept(self, namespace: str, sid: str) -> bool:
        """Let the client in; `sid` is new, and tells nothing of the session's. Whether it still waits."""
        joined = self._joined.get(namespace)
        if joined is None or joined.state is not State.AUTHORISING:
            return False
        joined.state = State.CONNECTED
        self._connect_at = NEVER
        self._send(Packet(PacketType.CONNECT, namespace, data={"sid": sid}))
        return True

    def refuse(self, namespace: str, message: str, data: Value = None) -> None:
        """Do not let the client in; `data` None: none. The connection lives on."""
        joined = self._joined.get(namespace)
        if joined is not None and joined.state is State.AUTHORISING:
            del self._joined[namespace]
            self._say_refused(namespace, message, data)

    def emit(self, namespace: str, name: str, *arguments: Value, ack: bool = False, droppable: bool = False) -> int | None:
        """Send an event; gives the id of the Acknowledged that is to come. A droppable one without bytes may get lost."""
        joined = self._connected(namespace)
        if joined is None:
            return None
        id = None
        if ack:
            id = joined.next_id
            joined.next_id += 1
            joined.asked.add(id)
        self._send(Packet(PacketType.EVENT, namespace, id, [name, *arguments]), droppable and not ack)
        return id

    def acknowledge(self, namespace: str, id: int, *arguments: Value) -> bool:
        """Answer an Emitted with this id, once: whether it was sent."""
        joined = self._connected(namespace)
        if joined is None or id not in joined.owed:
            return False
        joined.owed.remove(id)
        self._send(Packet(PacketType.ACK, namespace, id, list(arguments)))
        return True

    def leave(self, namespace: str) -> None:
        """Put the client out of a namespace; the connection lives on, so it does not come back by itself."""
        if self._connected(namespace) is not None:
            del self._joined[namespace]
            self._send(Packet(PacketType.DISCONNECT, namespace))

    def finish(self, now: float, goodbye: Goodbye | None = None) -> Sequence[Event]:
        """Close the connection after what waits; clients come back by themselves."""
        if self._over:
            return ()
        self._engine.finish(now, goodbye)
        return self._end(Ending.FORCED)

    # ---- inside -------------------------------------------------------------------------------

    def _text(self, text: str, now: float) -> Packet | None:
        """A packet, or None while its attachments are missing."""
        if self._packet is not None:
            raise PeerError(SOCKET_ATTACHMENT, "text")
        packet = decode(text)
        if not packet.attachments:
            return packet
        self._packet = packet
        self._complete_at = now + self._options.attachment_s
        return None

    def _binary(self, data: bytes) -> Packet | None:
        """The packet that was waited for, once its last attachment is there."""
        packet = self._packet
        if packet is None:
            raise PeerError(SOCKET_ATTACHMENT, "binary")
        self._attachments.append(data)
        if sum(map(len, self._attachments)) > self._engine.max_payload:
            raise PeerError(SOCKET_ATTACHMENT, f"over {self._engine.max_payload} bytes")
        if len(self._attachments) < packet.attachments:
            return None
        attachments, self._attachments, self._packet = self._attachments, [], None
        self._complete_at = NEVER
        return packet._replace(data=put_together(packet.data, attachments))

    def _act(self, packet: Packet) -> Sequence[Event]:
        name = packet.namespace
        joined = self._joined.get(name)
        action = TRANSITIONS.get((State.ABSENT if joined is None else joined.state, packet.type))
        if action is None:
            raise PeerError(SOCKET_STATE, packet.type.name)
        if joined is None:
            return self._ask(name, packet.data)
        if action is Action.EVENT:
            return self._event(name, joined, packet)
        if action is Action.LEAVE:
            del self._joined[name]
            return (Disconnected(name, tuple(sorted(joined.asked)), None),)
        if packet.id not in joined.asked:
            return ()
        joined.asked.remove(packet.id)
        return (Acknowledged(name, packet.id, cast("Sequence[Value]", packet.data)),)

    def _ask(self, name: str, auth: Value) -> Sequence[Event]:
        if name not in self._namespaces:
            self._say_refused(name, "Invalid namespace", None)
            return ()
        if len(self._joined) >= self._options.namespaces_max:
            raise PeerError(SOCKET_MANY, f"{self._options.namespaces_max} namespaces")
        self._joined[name] = _Namespace()
        assert isinstance(auth, dict)
        return (Connecting(name, auth),)

    def _event(self, name: str, joined: _Namespace, packet: Packet) -> Sequence[Event]:
        if packet.id is not None:
            if len(joined.owed) >= self._options.acknowledgements_max:
                raise PeerError(SOCKET_MANY, f"{self._options.acknowledgements_max} acknowledgements")
            joined.owed.add(packet.id)
        assert isinstance(packet.data, list)
        event, *arguments = packet.data
        return (Emitted(name, event, arguments, packet.id),)

    def _connected(self, namespace: str) -> _Namespace | None:
        joined = self._joined.get(namespace)
        return joined if joined is not None and joined.state is State.CONNECTED else None

    def _say_refused(self, namespace: str, message: str, data: Value) -> None:
        content: dict[str, Value] = {"message": message}
        if data is not None:
            content["data"] = data
        self._send(Packet(PacketType.CONNECT_ERROR, namespace, data=content))

    def _send(self, packet: Packet, droppable: bool = False) -> None:
        messages = encode(packet)
        self._engine.send(*messages, droppable=droppable and len(messages) == 1)

    def _refuse(self, fault: Fault, detail: str, now: float) -> Sequence[Event]:
        self.refusals.append(Refusal(fault, "message", detail))
        self._engine.finish(now)
        return self._end(Ending.PARSE)

    def _end(self, ending: Ending) -> Sequence[Event]:
        self._over = True
        self._packet = None
        self._attachments = []
        left = [Disconnected(name, tuple(sorted(joined.asked)), ending) for name, joined in self._joined.items()]
        self._joined.clear()
        return (*left, Ended(ending))
