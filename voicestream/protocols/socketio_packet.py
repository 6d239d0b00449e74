"""Socket.IO 5 packets: the text of an Engine.IO message to a packet and back.

    text = type [ attachments "-" ] [ namespace "," ] [ id ] [ json ]        read strictly left to right

A packet with attachments is decoded as the EVENT or ACK that it is, with placeholders in its data; an EVENT or
ACK with bytes in its data is encoded as BINARY_EVENT or BINARY_ACK (socketio.md section 7; the reference is the
npm package socket.io-parser 4.2.7).
"""

import re
from enum import IntEnum
from typing import NamedTuple

import msgspec

from voicestream.errors import SOCKET_PACKET, MisuseError, PeerError
from voicestream.protocols.socketio_attachment import Value, check_placeholders, take_apart

ATTACHMENTS_MAX = 8
_ID_DIGITS = 15  # what a double holds exactly
_NAMESPACE_CHARACTERS = 128
_DEPTH_MAX = 32
_HEAD = re.compile(r"(?:([0-4])|([56])([0-9]+)-)(?:(/[^,]*)(?:,|\Z))?([0-9]*)")
_RESERVED = frozenset({"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"})


class PacketType(IntEnum):
    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


_PLAIN = {PacketType.BINARY_EVENT: PacketType.EVENT, PacketType.BINARY_ACK: PacketType.ACK}
_BINARY = {plain: binary for binary, plain in _PLAIN.items()}


class Packet(NamedTuple):
    """`data` None: none. `attachments`: how many binary messages follow a decoded one."""

    type: PacketType
    namespace: str = "/"
    id: int | None = None
    data: Value = None
    attachments: int = 0


def decode(text: str) -> Packet:
    """Read one packet; PeerError where it is none."""
    head = _HEAD.match(text)
    if head is None:
        raise PeerError(SOCKET_PACKET, "head")
    plain, binary, count, namespace, id = head.groups()
    type = PacketType(int(plain or binary))
    attachments = 0
    if binary:
        if len(count) > _ID_DIGITS or not 1 <= int(count) <= ATTACHMENTS_MAX:
            raise PeerError(SOCKET_PACKET, f"1 to {ATTACHMENTS_MAX} attachments")
        attachments = int(count)
        type = _PLAIN[type]
    if namespace is not None and len(namespace) > _NAMESPACE_CHARACTERS:
        raise PeerError(SOCKET_PACKET, f"namespace over {_NAMESPACE_CHARACTERS} characters")
    if len(id) > _ID_DIGITS:
        raise PeerError(SOCKET_PACKET, f"id over {_ID_DIGITS} digits")
    data = _payload(type, text[head.end() :])
    if attachments:
        check_placeholders(data, attachments)
    return Packet(type, namespace or "/", int(id) if id else None, data, attachments)


def encode(packet: Packet) -> list[str | bytes]:
    """Spell a packet: its text, then its attachments. NaN and infinities become null; MisuseError for what is not JSON."""
    attachments: list[bytes] = []
    type, data = packet.type, packet.data
    if type in _BINARY:
        data = take_apart(data, attachments)
    if len(attachments) > ATTACHMENTS_MAX:
        raise MisuseError(f"{len(attachments)} attachments in a packet")
    head = f"{_BINARY[type].value}{len(attachments)}-" if attachments else str(type.value)
    namespace = "" if packet.namespace == "/" else f"{packet.namespace},"
    id = "" if packet.id is None else str(packet.id)
    return [f"{head}{namespace}{id}{'' if data is None else _json(data)}", *attachments]


def _payload(type: PacketType, text: str) -> Value:
    """Read the JSON that a packet of this type takes; none is given as None, but for a CONNECT as {}."""
    data = _read(text) if text else None
    match type:
        case PacketType.CONNECT:
            good = not text or isinstance(data, dict)
            return _checked({} if data is None else data, good)
        case PacketType.DISCONNECT:
            return _checked(data, not text)
        case PacketType.CONNECT_ERROR:
            return _checked(data, not text or isinstance(data, (dict, str)))
        case PacketType.EVENT:
            return _checked(data, isinstance(data, list) and bool(data) and _is_event_name(data[0]))
        case _:
            return _checked(data, isinstance(data, list))


def _checked(data: Value, good: bool) -> Value:
    if not good:
        raise PeerError(SOCKET_PACKET, "payload")
    return data


def _is_event_name(name: Value) -> bool:
    if isinstance(name, str):
        return name not in _RESERVED
    return isinstance(name, (int, float)) and not isinstance(name, bool)


def _read(text: str) -> Value:
    """Read JSON of at most 32 levels. NaN, numbers beyond a double and lone surrogates are refused."""
    try:
        value: Value = msgspec.json.decode(text)
    except (ValueError, RecursionError):  # msgspec's errors, and a lone surrogate that WebSocket text cannot hold
        raise PeerError(SOCKET_PACKET, "JSON") from None
    if text.count("[") + text.count("{") > _DEPTH_MAX and not _is_flat(value, _DEPTH_MAX):
        raise PeerError(SOCKET_PACKET, f"JSON deeper than {_DEPTH_MAX}")
    return value


def _is_flat(value: Value, levels: int) -> bool:
    """Whether `value` has at most `levels` levels."""
    if isinstance(value, dict):
        return levels > 0 and all(_is_flat(part, levels - 1) for part in value.values())
    if isinstance(value, list):
        return levels > 0 and all(_is_flat(part, levels - 1) for part in value)
    return True


def _json(data: Value) -> str:
    try:
        return msgspec.json.encode(data).decode()
    except (TypeError, ValueError) as error:
        raise MisuseError("not JSON") from error
