"""What scripts/fuzz feeds bytes to: each target takes any bytes and lets nothing out, or there is a flaw.

Beside each stand texts to begin with, and the words of its grammar, from which the fuzzer makes its own.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

import engineio.packet
import socketio.packet

from tests.protocols import hook
from tests.protocols.engineio_life import FRAMES, LIFE_BYTES, live
from tests.protocols.socketio_server import Suite
from tests.protocols.tape import Tape
from voicestream.errors import PeerError
from voicestream.protocols.audiohook import AudioHook
from voicestream.protocols.base import Close, Dialect
from voicestream.protocols.engineio_packet import SEPARATOR, decode_packet, decode_payload, encode_packet, encode_part
from voicestream.protocols.http_signature import NonceCache, SignedRequest, parse_input, verify
from voicestream.protocols.socketio_attachment import put_together
from voicestream.protocols.socketio_packet import decode, encode
from voicestream.protocols.twilio import Twilio

MESSAGE_END = b"\xff"  # between the messages of one input: no text holds it
PACKETS_MAX = 16


# ---- Engine.IO


class RawText:
    """In the place of python-engineio's json: it shall not guess whether a text is JSON."""

    @staticmethod
    def loads(text: str) -> object:
        raise ValueError


class EnginePacket(engineio.packet.Packet):  # type: ignore[misc]
    json = RawText


class SocketPacket(socketio.packet.Packet):  # type: ignore[misc]
    json = json  # its own refuses integers of a hundred digits


def engineio_packet(data: bytes) -> None:
    """A polling body and a frame: read as python-engineio reads it, and written as it was understood."""
    try:
        packets = list(decode_payload(data, PACKETS_MAX))
    except PeerError:
        return
    assert list(decode_payload(b"\x1e".join(map(encode_part, packets)), PACKETS_MAX)) == packets
    text = data.decode()
    theirs = [EnginePacket(encoded_packet=part) for part in text.split(SEPARATOR)]
    assert [(packet.packet_type, packet.data) for packet in theirs] == packets
    if len(packets) == 1:
        assert decode_packet(text) == packets[0]
        assert decode_packet(encode_packet(packets[0])) == packets[0]


# ---- Socket.IO


def socketio_packet(data: bytes) -> None:
    """One packet: read as python-socketio reads it, and written as it was understood."""
    text = data.decode(errors="replace")
    try:
        packet = decode(text)
    except PeerError:
        return
    whole = packet
    if packet.attachments:  # else what looks like a placeholder is none
        whole = packet._replace(data=put_together(packet.data, [b"%d" % number for number in range(packet.attachments)]), attachments=0)
    again, *attachments = encode(whole)
    assert isinstance(again, str)
    read = decode(again)
    assert read[:3] == whole[:3]
    assert (put_together(read.data, cast(list[bytes], attachments)) if attachments else read.data) == whole.data
    if "?" in packet.namespace:  # which they cut off
        return
    theirs = SocketPacket(encoded_packet=text)
    kind = theirs.packet_type - 3 * (theirs.packet_type > socketio.packet.CONNECT_ERROR)
    assert (kind, theirs.namespace or "/", theirs.id) == packet[:3]
    assert theirs.attachment_count == packet.attachments
    assert ({} if kind == socketio.packet.CONNECT and theirs.data is None else theirs.data) == packet.data


# ---- a session of both


def session(data: bytes) -> None:
    """A life by the first bytes, in which the client also says what the others spell."""
    messages = [part.decode() if _is_text(part) else part for part in data[LIFE_BYTES:].split(MESSAGE_END)]
    live(Suite, Tape(data[:LIFE_BYTES]), [*FRAMES, *messages])


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


# ---- HTTP message signatures


def http_signature(data: bytes) -> None:
    """Signature-Input, newline, Signature: refused without an exception, because nobody guesses an HMAC."""
    signed, _, signature = data.decode("latin-1").partition("\n")
    fields = {**_FIELDS, "signature-input": signed, "signature": signature}
    assert verify(SignedRequest("/hook", fields), b"secret", 1_700_000_000.0, NonceCache()) is not None
    with suppress(PeerError):
        parse_input(signed)


_FIELDS = {
    "host": "voice.example", "audiohook-organization-id": hook.ORGANIZATION, "audiohook-session-id": hook.SESSION,
    "audiohook-correlation-id": "c", "x-api-key": "k",
}  # fmt: skip
_SIGNED = (
    'sig1=("@request-target" "@authority" "audiohook-organization-id" "audiohook-session-id" "audiohook-correlation-id" "x-api-key")'
    ';keyid="k";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";alg="hmac-sha256";created=1700000000;expires=1700000010'
)


# ---- the dialects of telephone calls


def _converse(dialect: Dialect, opening: str, data: bytes) -> None:
    """Messages to a dialect, behind a good opening where the first byte is odd: it takes all, and says nothing after its Close."""
    if data[:1] and data[0] & 1:
        dialect.receive(opening, 0.0)
    closed = False
    for part in data[1:].split(MESSAGE_END):
        dialect.receive(part[1:] if part[:1] == b"\0" else part.decode(errors="replace"), 0.0)
        said = dialect.drain(hook.ROOM)
        assert not (closed and said)
        closed = closed or any(isinstance(word, Close) for word in said)


def twilio(data: bytes) -> None:
    _converse(Twilio(0.0), TWILIO_START, data)


def audiohook(data: bytes) -> None:
    _converse(AudioHook(hook.SESSION, hook.ORGANIZATION, 0.0), HOOK_OPEN, data)


TWILIO_START = json.dumps(
    {"event": "start", "sequenceNumber": "1", "streamSid": "MZ", "start": {
        "streamSid": "MZ", "accountSid": "AC", "callSid": "CA", "tracks": ["inbound"], "customParameters": {"apikey": "k", "call_id": "c"},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}},
)  # fmt: skip
_TWILIO = [
    TWILIO_START,
    '{"event":"media","sequenceNumber":2,"media":{"track":"inbound","chunk":"1","timestamp":"0","payload":"/w=="}}',
    '{"event":"stop"}',
    '{"event":"dtmf","dtmf":{"digit":"1"}}',
]
HOOK_OPEN = hook.text("open", hook.opening(customConfig={"call_id": "c"}, language="es-ES"), 1)
_HOOK = [
    HOOK_OPEN,
    hook.text("ping", {"rtt": "PT0.1S"}, 2),
    hook.text("discarded", {"start": "PT0S", "discarded": "PT1S"}, 2),
    hook.text("update", {"language": "en-US"}, 2),
    hook.text("paused", {}, 2),
    hook.text("resumed", {"start": "PT0S", "discarded": "PT1S"}, 2),
    hook.text("error", {"code": 400, "message": "m"}, 2),
    hook.text("close", {"reason": "end"}, 2),
]


# ---- the table


@dataclass(frozen=True)
class Target:
    run: Callable[[bytes], None]
    seeds: list[bytes]
    words: list[str] = field(default_factory=list)  # beside those between quotes in the seeds
    longest: int = 2048  # bytes of an input


def _conversations(messages: list[str]) -> list[bytes]:
    """Each message as the first one, and after a good opening."""
    return [begin + message.encode() for message in messages for begin in (b"\0", b"\1", b"\1\0ab\xff")]


SLOT = '{"_placeholder":true,"num":0}'
_JSON = ["null", "true", "1e400", "NaN", "-1", "[]", "{}", '""', "\\u0000", "\\ud800", "é", "[[[[", '{"a":']
TARGETS = {
    "engineio": Target(
        engineio_packet, [b"4hello\x1ebAQIDBA==", b"2probe\x1e3\x1e1", b"40/ns,{}", b"6\x1e5", "4é".encode()], ["b====", "bAA==", "\x1e"]
    ),
    "socketio": Target(
        socketio_packet,
        [text.encode() for text in (
            '0{"token":"t"}', "1/custom,", '2/custom,17["save",{"a":[1,2.5,"é",null]}]', '317["done"]', '4/r,{"message":"m"}',
            f'51-/n,5["e",{SLOT}]', f"62-[{SLOT},{SLOT}]", '2["message"]', '0/register,{"token":"t"}',
        )],
        [SLOT, "1-", "8-", "/a,", '["e"]', '["connect"]', "999999999999999", *_JSON],
        longest=256,
    ),
    "session": Target(
        session,
        [b"", bytes(range(LIFE_BYTES)), bytes([25, 2, 3, 4] * (LIFE_BYTES // 4)) + b'42["message",1]\xff' + f'451-["e",{SLOT}]'.encode()],
    ),
    "http_signature": Target(
        http_signature,
        [f"{_SIGNED}\nsig1=:AAAA:".encode(), b'a=("x");n=1.5, b=?1\na=:AA==:, b=1', b"a=();b;c=tok\na"],
        ['"@authority"', ";created=", ";nonce=", ':AA==:', "sig1=", "?1", "@1", "1.5", "99999999999999999"],
    ),
    "twilio": Target(twilio, _conversations(_TWILIO), _JSON),
    "audiohook": Target(audiohook, _conversations(_HOOK), _JSON),
}  # fmt: skip
