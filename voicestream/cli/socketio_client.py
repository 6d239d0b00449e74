"""A Socket.IO 5 client over Engine.IO 4's WebSocket transport, without a socket: frames in, events and frames out.

    server                            client
    0{"sid":..,"pingInterval":..}     40/register,{}              one namespace; where it is unknown, its next name
    40/register,{"sid":..}            -> Joined                   44/register,{"message":..} -> Left
    2                                 3                           silence of pingInterval + pingTimeout -> Left
    42/register,["name",..]           -> Heard
    451-/register,["name",..] bytes   -> Heard, with the bytes in their place
    41/register,                      -> Left

socketio.md sections 1, 4 and 7. The packets are spelt by the server's codec, the conduct is the client's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from voicestream import errors
from voicestream.errors import PeerError
from voicestream.protocols import engineio_packet as engine
from voicestream.protocols import socketio_packet as socket
from voicestream.protocols.socketio_attachment import Value, put_together

PATH = "/socket.io/?transport=websocket&EIO=4"
_OPENING_S = 20.0  # for the server's first packet


class Joined(NamedTuple):
    """The namespace is ours to speak in."""


class Heard(NamedTuple):
    """The server emitted `name`."""

    name: str
    arguments: list[Value]


class Left(NamedTuple):
    """Nothing more comes. reason: a sentence; "" when the server took its leave as it should."""

    reason: str = ""


Event: TypeAlias = Joined | Heard | Left


class _Handshake(msgspec.Struct):
    ping_interval: float = msgspec.field(name="pingInterval")
    ping_timeout: float = msgspec.field(name="pingTimeout")


class _Message(msgspec.Struct):
    message: str = ""


class SocketClient:
    """One connection to one namespace. namespaces: its names, tried in this order.

    receive and tick raise PeerError VS1022 where the server breaks the protocol.
    """

    def __init__(self, namespaces: Sequence[str], now: float) -> None:
        self.deadline = now + _OPENING_S  # when tick() wants to be called
        self._names = list(namespaces)
        self._silence_s = _OPENING_S
        self._outbox: list[str | bytes] = []
        self._waiting: socket.Packet | None = None  # an event whose attachments are still to come
        self._attachments: list[bytes] = []

    def receive(self, frame: str | bytes, now: float) -> list[Event]:
        """Take one WebSocket message."""
        self.deadline = now + self._silence_s
        try:
            return self._engine(engine.decode_packet(frame), now)
        except PeerError as error:
            raise PeerError(errors.UNEXPECTED_ANSWER, "not Engine.IO 4 with Socket.IO 5") from error

    def tick(self, now: float) -> list[Event]:
        """The server was silent until the deadline."""
        return [Left("the server fell silent")] if now >= self.deadline else []

    def emit(self, name: str, *arguments: Value) -> None:
        """Say something in the namespace."""
        self._say(socket.PacketType.EVENT, [name, *arguments])

    def leave(self) -> None:
        """Say goodbye; the connection may be closed after the next drain."""
        self._say(socket.PacketType.DISCONNECT, None)

    def drain(self) -> list[str | bytes]:
        """Frames to send, in order."""
        frames, self._outbox = self._outbox, []
        return frames

    def _engine(self, packet: engine.Packet, now: float) -> list[Event]:
        match packet.type, packet.data:
            case engine.PacketType.OPEN, str(text):
                self._open(text, now)
            case engine.PacketType.PING, str(text):
                self._outbox.append(f"3{text}")
            case engine.PacketType.MESSAGE, bytes(attachment):
                return self._attach(attachment)
            case engine.PacketType.MESSAGE, str(text):
                return self._socket(socket.decode(text))
            case engine.PacketType.CLOSE, _:
                return [Left("the server closed the session")]
            case _:  # a noop, or what only polling clients are told
                pass
        return []

    def _open(self, text: str, now: float) -> None:
        try:
            handshake = msgspec.json.decode(text, type=_Handshake)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise PeerError(errors.UNEXPECTED_ANSWER) from error
        self._silence_s = (handshake.ping_interval + handshake.ping_timeout) / 1000
        self.deadline = now + self._silence_s
        self._say(socket.PacketType.CONNECT, {})

    def _socket(self, packet: socket.Packet) -> list[Event]:
        if packet.namespace != self._names[0]:
            return []
        match packet.type:
            case socket.PacketType.CONNECT:
                return [Joined()]
            case socket.PacketType.CONNECT_ERROR:
                return self._refused(packet.data)
            case socket.PacketType.DISCONNECT:
                return [Left()]
            case socket.PacketType.EVENT if packet.attachments:
                self._waiting, self._attachments = packet, []
            case socket.PacketType.EVENT:
                return self._heard(packet)
            case _:  # an ack: we ask for none
                pass
        return []

    def _refused(self, data: Value) -> list[Event]:
        try:
            reason = msgspec.convert({"message": data} if isinstance(data, str) else data, _Message).message
        except msgspec.ValidationError:
            reason = ""
        if reason == "Invalid namespace" and len(self._names) > 1:
            del self._names[0]
            self._say(socket.PacketType.CONNECT, {})
            return []
        return [Left(f"the server refused the namespace: {reason or 'without a reason'}")]

    def _attach(self, attachment: bytes) -> list[Event]:
        packet = self._waiting
        if packet is None:
            raise PeerError(errors.UNEXPECTED_ANSWER)
        self._attachments.append(attachment)
        if len(self._attachments) < packet.attachments:
            return []
        self._waiting = None
        return self._heard(packet._replace(data=put_together(packet.data, self._attachments)))

    def _heard(self, packet: socket.Packet) -> list[Event]:
        assert isinstance(packet.data, list)  # the codec says so
        if packet.id is not None:
            self._say(socket.PacketType.ACK, [], packet.id)
        return [Heard(str(packet.data[0]), packet.data[1:])]

    def _say(self, type: socket.PacketType, data: Value, id: int | None = None) -> None:
        for part in socket.encode(socket.Packet(type, self._names[0], id, data)):
            self._outbox.append(part if isinstance(part, bytes) else f"4{part}")
