"""Engine.IO 4 packets and payloads: text and bytes to packets and back.

    packet   one ASCII digit 0..6, then data            one WebSocket text frame
    binary   the bytes alone on WebSocket, "b" + base64 in a text; always a message
    payload  packet *( %x1E packet )                    the body of a polling request or answer, UTF-8

socketio.md section 1; the reference is the npm package engine.io-parser 5.2.3.
"""

from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from voicestream.errors import ENGINE_PACKET, ENGINE_PACKETS, PeerError

SEPARATOR = "\x1e"


class PacketType(IntEnum):
    OPEN = 0
    CLOSE = 1
    PING = 2
    PONG = 3
    MESSAGE = 4
    UPGRADE = 5
    NOOP = 6


class Packet(NamedTuple):
    """`data` is bytes for a binary message, else the text after the type."""

    type: PacketType
    data: str | bytes = ""


_TYPES = {str(type.value): type for type in PacketType}


def decode_packet(frame: str | bytes) -> Packet:
    """Read one WebSocket frame or one part of a payload; PeerError where it is none.

    base64 is taken in a text frame too: clients without binary WebSockets send it (`forceBase64` of socket.io-client).
    """
    if isinstance(frame, bytes):
        return Packet(PacketType.MESSAGE, frame)
    first = frame[:1]
    if first == "b":
        try:
            return Packet(PacketType.MESSAGE, a2b_base64(frame[1:], strict_mode=True))
        except ValueError:  # binascii.Error, and non-ASCII text
            raise PeerError(ENGINE_PACKET) from None
    type = _TYPES.get(first)
    if type is None:
        raise PeerError(ENGINE_PACKET)
    return Packet(type, frame[1:])


def encode_packet(packet: Packet) -> str | bytes:
    """Spell a packet as one WebSocket frame."""
    if isinstance(packet.data, bytes):
        return packet.data
    return f"{packet.type.value}{packet.data}"


def decode_payload(body: bytes, packets_max: int) -> Iterator[Packet]:
    """Read the body of a POST packet by packet: those before a malformed one are given before PeerError is raised."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise PeerError(ENGINE_PACKET) from None
    if text.count(SEPARATOR) >= packets_max:
        raise PeerError(ENGINE_PACKETS, f"at most {packets_max}")
    for part in text.split(SEPARATOR):
        yield decode_packet(part)


def encode_part(packet: Packet) -> bytes:
    """Spell a packet as one part of a payload."""
    if isinstance(packet.data, bytes):
        return b"b" + b2a_base64(packet.data, newline=False)
    return f"{packet.type.value}{packet.data}".encode()
