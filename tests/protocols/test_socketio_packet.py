"""Socket.IO packets: golden vectors, and python-socketio's packet class as a second opinion."""

from typing import Any

import pytest
import socketio.packet
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocols.tape import Tape, tapes
from voicestream.errors import MisuseError, PeerError
from voicestream.protocols.socketio_attachment import Value, check_placeholders, put_together, take_apart
from voicestream.protocols.socketio_packet import Packet, PacketType, decode, encode

SLOT = '{"_placeholder":true,"num":%d}'
T = PacketType


@pytest.mark.parametrize(
    "text, packet",
    [
        ('0{"token":"t"}', Packet(T.CONNECT, data={"token": "t"})),
        ('0/socket.io/register,{"a":1}', Packet(T.CONNECT, "/socket.io/register", data={"a": 1})),
        ("1", Packet(T.DISCONNECT)),
        ("1/custom,", Packet(T.DISCONNECT, "/custom")),
        ('2["message",1,"2",{"3":[true]}]', Packet(T.EVENT, data=["message", 1, "2", {"3": [True]}])),
        ('2/custom,17["save",{"a":1}]', Packet(T.EVENT, "/custom", 17, ["save", {"a": 1}])),
        ('3/custom,17["done"]', Packet(T.ACK, "/custom", 17, ["done"])),
        ("2[1]", Packet(T.EVENT, data=[1])),
        ('2999999999999999["e"]', Packet(T.EVENT, id=999_999_999_999_999, data=["e"])),
        ('4/random,{"message":"Invalid namespace"}', Packet(T.CONNECT_ERROR, "/random", data={"message": "Invalid namespace"})),
        ('4"text"', Packet(T.CONNECT_ERROR, data="text")),
        ('2["é☃","\\n","\\u001e"]', Packet(T.EVENT, data=["é☃", "\n", "\x1e"])),
    ],
)
def test_golden_texts_are_read_and_written(text: str, packet: Packet) -> None:
    assert decode(text) == packet
    assert encode(packet) == [text]


@pytest.mark.parametrize(
    "text, packet",
    [
        ("0", Packet(T.CONNECT, data={})),
        ("0/custom", Packet(T.CONNECT, "/custom", data={})),
        ("0/,{}", Packet(T.CONNECT, data={})),
        ('2 ["e"] ', Packet(T.EVENT, data=["e"])),
        ('2["e",{"a":1,"a":2}]', Packet(T.EVENT, data=["e", {"a": 2}])),
        ('2["connected"]', Packet(T.EVENT, data=["connected"])),
        ('2["__proto__"]', Packet(T.EVENT, data=["__proto__"])),
        ('501-["e"]', Packet(T.EVENT, data=["e"], attachments=1)),
        (f'2["e",{SLOT % 0}]', Packet(T.EVENT, data=["e", {"_placeholder": True, "num": 0}])),
        (f'58-["e",{SLOT % 7}]', Packet(T.EVENT, data=["e", {"_placeholder": True, "num": 7}], attachments=8)),
        (f"61-/a,7[{SLOT % 0}]", Packet(T.ACK, "/a", 7, [{"_placeholder": True, "num": 0}], 1)),
    ],
)
def test_other_spellings_are_read(text: str, packet: Packet) -> None:
    assert decode(text) == packet


def test_data_may_have_32_levels() -> None:
    assert decode('2["e",' + "[" * 31 + "]" * 31 + "]").type is T.EVENT
    with pytest.raises(PeerError):
        decode('2["e",' + "[" * 32 + "]" * 32 + "]")
    with pytest.raises(PeerError):
        decode('2["e",' + '{"a":' * 32 + "1" + "}" * 32 + "]")
    assert decode('2["e",' + "[]," * 100 + "1]").type is T.EVENT


def test_attachments_are_numbered_depth_first_in_the_order_of_keys() -> None:
    data: Value = ["e", {"z": [b"0"], "a": {"b": b"1"}}, b"2"]
    assert encode(Packet(T.EVENT, "/n", 5, data)) == [
        f'53-/n,5["e",{{"z":[{SLOT % 0}],"a":{{"b":{SLOT % 1}}}}},{SLOT % 2}]', b"0", b"1", b"2",
    ]  # fmt: skip


def test_one_attachment_may_stand_twice() -> None:
    assert put_together([{"_placeholder": True, "num": 0}] * 2, [b"x"]) == [b"x", b"x"]


def test_only_true_marks_a_placeholder() -> None:
    plain: Value = [{"_placeholder": 1, "num": 9}, {"_placeholder": False, "num": 9}, {"num": 9}]
    check_placeholders(plain, 1)
    assert put_together(plain, [b"x"]) == plain


def test_no_number_leaves_that_json_lacks() -> None:
    assert encode(Packet(T.EVENT, data=["e", float("nan"), float("inf")])) == ['2["e",null,null]']


@pytest.mark.parametrize("data", [["e", *[b"x"] * 9], ["e", "\ud800"], ["e", object()]])
def test_what_cannot_be_spelled_is_our_mistake(data: Any) -> None:
    with pytest.raises(MisuseError):
        encode(Packet(T.EVENT, data=data))


# ---- python-socketio --------------------------------------------------------------------------------

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8)
)
KEYS = st.text(max_size=4).filter(lambda key: key != "_placeholder")


def values(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)


NAMES = st.sampled_from(["message", "", "é", "initialize"])
NAMESPACES = st.sampled_from(["/", "/register", "/socket.io/register"])
IDS = st.none() | st.integers(0, 10**14)
EVENTS = st.builds(
    lambda namespace, id, name, arguments: Packet(T.EVENT, namespace, id, [name, *arguments]),
    NAMESPACES, IDS, NAMES, st.lists(values(SCALARS | st.binary(max_size=4)), max_size=3),
).filter(lambda packet: len(packet_bytes(packet)) <= 8)  # fmt: skip


def packet_bytes(packet: Packet) -> list[bytes]:
    attachments: list[bytes] = []
    take_apart(packet.data, attachments)
    return attachments


@given(EVENTS)
@settings(max_examples=60, deadline=None)
def test_an_event_comes_back(packet: Packet) -> None:
    text, *attachments = encode(packet)
    assert isinstance(text, str)
    read = decode(text)
    assert read.attachments == len(attachments)
    assert read._replace(data=put_together(read.data, packet_bytes(packet)), attachments=0) == packet


@given(EVENTS)
@settings(max_examples=60, deadline=None)
def test_python_socketio_reads_what_we_write(packet: Packet) -> None:
    text, *attachments = encode(packet)
    theirs = socketio.packet.Packet(encoded_packet=text)
    for attachment in attachments:
        theirs.add_attachment(attachment)
    assert (theirs.namespace or "/", theirs.id, theirs.data) == (packet.namespace, packet.id, packet.data)


@given(EVENTS)
@settings(max_examples=60, deadline=None)
def test_we_read_what_python_socketio_writes(packet: Packet) -> None:
    theirs = socketio.packet.Packet(socketio.packet.EVENT, packet.data, packet.namespace, packet.id)
    encoded = theirs.encode()
    text, *attachments = encoded if isinstance(encoded, list) else [encoded]
    read = decode(text)
    assert read._replace(data=put_together(read.data, attachments), attachments=0) == packet


PIECES = ["0", "1", "2", "3", "4", "5", "6", "7", "-", "/", "/a", ",", "12", '["e"]', "[]", "{}", '"x"', "null", '["e",' + SLOT % 0 + "]",
          "1-", "2-", " ", "é", "\\", '["connect"]', "NaN"]  # fmt: skip


def read_or_refuse(text: str) -> None:
    """Whatever is read is written as a text that is read the same."""
    try:
        packet = decode(text)
    except PeerError:
        return
    assert packet.attachments <= 8
    if not packet.attachments:
        (again,) = encode(packet)
        assert isinstance(again, str)
        assert decode(again) == packet


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_packet_or_refused(text: str) -> None:
    read_or_refuse(text)


@pytest.mark.fuzz
@given(tapes(32))
@settings(max_examples=100_000, deadline=None)
def test_very_many_texts_are_packets_or_refused(tape: Tape) -> None:
    read_or_refuse("".join(tape.text(4) if tape.below(4) == 3 else tape.choice(PIECES) for _ in range(tape.below(9))))
