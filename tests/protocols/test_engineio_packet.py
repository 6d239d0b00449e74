"""Engine.IO packets against python-engineio's classes, which read and write the same wire."""

import string

import engineio
import pytest
from engineio import payload as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

from voicestream.errors import PeerError
from voicestream.protocols.engineio_outbox import Outbox
from voicestream.protocols.engineio_packet import Packet, PacketType, decode_packet, decode_payload, encode_packet

TEXT = st.text(st.characters(exclude_characters="\x1e", exclude_categories=["Cs"]), max_size=20)
PACKETS = st.lists(
    st.one_of(
        st.builds(Packet, st.sampled_from([PacketType.MESSAGE, PacketType.PING, PacketType.PONG]), TEXT),
        st.builds(Packet, st.just(PacketType.MESSAGE), st.binary(max_size=20)),
    ),
    min_size=1,
    max_size=12,
)


def payload(packets: list[Packet]) -> bytes:
    outbox = Outbox(1000, 1 << 30)
    for packet in packets:
        outbox.put(packet)
    return outbox.payload(1 << 30)


def test_the_golden_payload() -> None:
    body = b"4hello\x1ebAQIDBA=="
    packets = [Packet(PacketType.MESSAGE, "hello"), Packet(PacketType.MESSAGE, b"\1\2\3\4")]
    assert list(decode_payload(body, 64)) == packets
    assert payload(packets) == body


@given(PACKETS)
@settings(max_examples=60, deadline=None)
def test_a_payload_comes_back(packets: list[Packet]) -> None:
    assert list(decode_payload(payload(packets), 64)) == packets
    assert [decode_packet(encode_packet(packet)) for packet in packets] == packets


@given(PACKETS)
@settings(max_examples=60, deadline=None)
def test_a_payload_reads_the_same_in_python_engineio(packets: list[Packet]) -> None:
    read = theirs.Payload(encoded_payload=payload(packets).decode()).packets
    assert [packet.packet_type for packet in read] == [packet.type for packet in packets]
    for ours, other in zip(packets, read, strict=True):
        if isinstance(ours.data, bytes):  # it reads JSON out of text, which has no type of its own here
            assert other.data == ours.data


@pytest.mark.parametrize("first", [character for character in string.printable if character not in "0123456b"])
def test_no_other_character_begins_a_packet(first: str) -> None:
    with pytest.raises(PeerError):
        decode_packet(first + "x")
    if first in string.punctuation + string.ascii_letters:
        with pytest.raises(ValueError):
            engineio.packet.Packet(encoded_packet=first + "x")


@given(st.one_of(st.text(max_size=30), st.binary(max_size=30)))
@settings(max_examples=100, deadline=None)
def test_any_frame_is_a_packet_or_refused(frame: str | bytes) -> None:
    try:
        packet = decode_packet(frame)
    except PeerError:
        return
    assert decode_packet(encode_packet(packet)) == packet


@pytest.mark.fuzz
@given(st.binary(max_size=60))
@settings(max_examples=100_000, deadline=None)
def test_any_body_is_a_payload_or_refused(body: bytes) -> None:
    try:
        packets = list(decode_payload(body, 64))
    except PeerError:
        return
    assert list(decode_payload(payload(packets), 64)) == packets
