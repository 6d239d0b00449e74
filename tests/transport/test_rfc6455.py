"""The rules of RFC 6455, one by one, in compiled kernels and in the same kernels as plain Python."""

import tracemalloc

import pytest
from websockets.frames import Frame, Opcode
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, Ping, TextMessage

from tests.transport.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_code, closing, masked, split
from voicestream.transport import rfc6455
from voicestream.transport.rfc6455 import ROWS, Codec, MessageLimit, State, close_frame, frame


@pytest.fixture(autouse=True, params=["compiled", "plain"])
def kernels(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "plain":
        for name in ("_parse", "_unmask"):
            compiled = getattr(rfc6455, name)
            monkeypatch.setattr(rfc6455, name, getattr(compiled, "py_func", compiled))


def receive(codec: Codec, *pieces: bytes) -> list[str | bytes]:
    return [message for piece in pieces for message in codec.receive(bytearray(piece), len(piece))]


def failure_of(stream: bytes, limit: MessageLimit = MessageLimit()) -> tuple[int, str] | None:
    """How the codec fails; it must have said so in its close frame and take nothing more."""
    codec = Codec(limit)
    receive(codec, stream)
    if codec.failure is not None:
        assert split(codec.last_frame) == [(CLOSE, codec.failure[0].to_bytes(2, "big") + codec.failure[1].encode())]
        assert codec.state is State.CLOSED
        assert receive(codec, masked(TEXT, b"late")) == []
    return codec.failure


# ---- whole messages -------------------------------------------------------------------------------


def test_the_examples_of_section_5_7() -> None:
    codec = Codec(MessageLimit())
    assert receive(codec, bytes.fromhex("818537fa213d7f9f4d5158")) == ["Hello"]
    assert receive(codec, bytes.fromhex("898537fa213d7f9f4d5158")) == []
    assert codec.pongs == [bytes.fromhex("8a0548656c6c6f")]


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 125, 126, 127, 128, 4095, 65535, 65536])
def test_messages_of_every_length_form(size: int) -> None:
    payload = bytes(i * 7 & 0xFF for i in range(size))
    assert receive(Codec(MessageLimit()), Frame(Opcode.BINARY, payload).serialize(mask=True)) == [payload]


def test_what_wsproto_sends_arrives() -> None:
    peer = Connection(ConnectionType.CLIENT)
    text, data = "Grüße, 世界 🎙", bytes(range(256)) * 3
    stream = peer.send(TextMessage(text[:3], message_finished=False)) + peer.send(Ping(b"?")) + peer.send(TextMessage(text[3:]))
    codec = Codec(MessageLimit())
    assert receive(codec, stream + peer.send(BytesMessage(data))) == [text, data]
    assert codec.pongs == [frame(PONG, b"?")]


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_wsproto_reads_our_frames(size: int) -> None:
    peer = Connection(ConnectionType.CLIENT)
    peer.receive_data(frame(BINARY, b"z" * size))
    assert b"".join(bytes(event.data) for event in peer.events() if isinstance(event, BytesMessage)) == b"z" * size


def test_more_frames_in_one_read_than_the_kernel_has_rows() -> None:
    count = 2 * ROWS + 3
    stream = b"".join(masked(BINARY, i.to_bytes(2, "big")) for i in range(count))
    assert receive(Codec(MessageLimit()), stream + b"\x82") == [i.to_bytes(2, "big") for i in range(count)]


def test_exactly_as_many_frames_as_rows_and_then_more() -> None:
    codec = Codec(MessageLimit())
    assert len(receive(codec, masked(BINARY, b"x") * ROWS)) == ROWS
    assert receive(codec, masked(BINARY, b"y")) == [b"y"]


def test_only_the_first_count_bytes_are_read() -> None:
    stream = masked(TEXT, b"now")
    data = bytearray(stream + masked(TEXT, b"old bytes of the buffer"))
    assert Codec(MessageLimit()).receive(data, len(stream)) == ["now"]


def test_a_stream_that_comes_byte_by_byte() -> None:
    stream = masked(TEXT, "ü".encode() * 70) + masked(PING, b"p") + masked(BINARY, b"b" * 300)
    codec = Codec(MessageLimit())
    assert receive(codec, *(bytes((byte,)) for byte in stream)) == ["ü" * 70, b"b" * 300]
    assert codec.pongs == [frame(PONG, b"p")]


def test_a_large_frame_in_pieces_is_looked_at_twice_and_not_once_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    parse = rfc6455._parse

    def counted(*arguments: object) -> int:
        nonlocal calls
        calls += 1
        return parse(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(rfc6455, "_parse", counted)
    payload = bytes(64 * 1024)
    stream = masked(BINARY, payload)
    assert receive(Codec(MessageLimit()), *(stream[at : at + 16] for at in range(0, len(stream), 16))) == [payload]
    assert calls == 2  # at the first piece, which tells the length, and at the last


def test_an_idle_connection_holds_no_bytes() -> None:
    codec = Codec(MessageLimit())
    receive(codec, masked(BINARY, bytes(5000))[:-1])
    receive(codec, masked(BINARY, bytes(5000))[-1:])
    assert codec._held is None


# ---- fragments ------------------------------------------------------------------------------------


def test_fragments_with_control_frames_between_them() -> None:
    codec = Codec(MessageLimit())
    stream = masked(TEXT, b"one ", final=False) + masked(PING, b"1") + masked(CONTINUATION, b"two ", final=False)
    assert receive(codec, stream + masked(PONG) + masked(CONTINUATION, b"three")) == ["one two three"]
    assert codec.pongs == [frame(PONG, b"1")]


def test_a_character_may_be_split_between_fragments() -> None:
    euro = "€".encode()
    stream = masked(TEXT, euro[:1], final=False) + masked(CONTINUATION, euro[1:2], final=False) + masked(CONTINUATION, euro[2:])
    assert receive(Codec(MessageLimit()), stream) == ["€"]


def test_empty_fragments() -> None:
    assert receive(Codec(MessageLimit()), masked(BINARY, final=False) + masked(CONTINUATION)) == [b""]


def test_a_message_after_a_fragmented_one_starts_afresh() -> None:
    limit = MessageLimit(binary_bytes=10, fragments=2)
    pair = masked(BINARY, b"123456", final=False) + masked(CONTINUATION, b"7890")
    assert receive(Codec(limit), pair * 3) == [b"1234567890"] * 3


# ---- what a peer may not do -----------------------------------------------------------------------


@pytest.mark.parametrize("reserved", [1, 2, 4, 7])
def test_reserved_bits(reserved: int) -> None:
    assert failure_of(masked(TEXT, b"x", reserved=reserved)) == (1002, "reserved bits set")


def test_unmasked_frame() -> None:
    assert failure_of(masked(TEXT, b"x", mask=False)) == (1002, "frame not masked")


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_unknown_opcodes(opcode: int) -> None:
    assert failure_of(masked(opcode, b"x")) == (1002, "unknown opcode")


@pytest.mark.parametrize("opcode", [CLOSE, PING, PONG])
def test_control_frames_are_short_and_whole(opcode: int) -> None:
    assert failure_of(masked(opcode, b"\x03\xe8" + b"x" * 124)) == (1002, "control frame too long or fragmented")
    assert failure_of(masked(opcode, b"", final=False)) == (1002, "control frame too long or fragmented")
    assert failure_of(masked(opcode, b"\x03\xe8" + b"x" * 123)) is None


@pytest.mark.parametrize("size, length_bytes", [(0, 2), (125, 2), (0, 8), (126, 8), (65535, 8), (1 << 63, 8)])
def test_lengths_come_in_their_shortest_form(size: int, length_bytes: int) -> None:
    stream = masked(BINARY, length=size, length_bytes=length_bytes)
    assert failure_of(stream) == (1002, "length not in its shortest form")


@pytest.mark.parametrize(
    "stream",
    [
        masked(CONTINUATION, b"x"),
        masked(TEXT, b"x", final=False) + masked(TEXT, b"y"),
        masked(BINARY, b"x", final=False) + masked(TEXT, b"y", final=False),
        masked(TEXT, b"x", final=False) + masked(CONTINUATION, b"y") + masked(CONTINUATION, b"z"),
    ],
)
def test_fragments_out_of_order(stream: bytes) -> None:
    assert failure_of(stream) == (1002, "fragments out of order")


@pytest.mark.parametrize("text", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"caf\xc3", b"\x80"])
def test_text_is_utf8(text: bytes) -> None:
    assert failure_of(masked(TEXT, text)) == (1007, "text is not UTF-8")
    assert failure_of(masked(TEXT, text, final=False) + masked(CONTINUATION)) == (1007, "text is not UTF-8")


def test_a_bad_fragment_is_refused_before_the_message_is_whole() -> None:
    assert failure_of(masked(TEXT, b"\xf4\x90\x80", final=False)) == (1007, "text is not UTF-8")


def test_binary_may_be_anything() -> None:
    assert receive(Codec(MessageLimit()), masked(BINARY, b"\xff\xc0")) == [b"\xff\xc0"]


# ---- limits ---------------------------------------------------------------------------------------

LIMIT = MessageLimit(text_bytes=10, binary_bytes=20, fragments=3)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("text_bytes, binary_bytes", [(10, 20), (20, 10)])
def test_a_message_at_its_limit_passes_and_one_above_does_not(opcode: int, text_bytes: int, binary_bytes: int) -> None:
    limit, size = MessageLimit(text_bytes, binary_bytes), text_bytes if opcode == TEXT else binary_bytes
    assert len(receive(Codec(limit), masked(opcode, b"x" * size))[0]) == size
    assert failure_of(masked(opcode, b"x" * (size + 1)), limit) == (1009, "message too big")
    fragments = masked(opcode, b"x" * size, final=False) + masked(CONTINUATION, b"x", final=False)
    assert failure_of(fragments, limit) == (1009, "message too big")


@pytest.mark.parametrize("claimed", [21, 1 << 16, (1 << 63) - 1])
def test_a_frame_too_big_is_refused_by_its_header_alone(claimed: int) -> None:
    header = masked(BINARY, length=claimed)
    assert failure_of(header[:-5], LIMIT) is None
    assert failure_of(header, LIMIT) == (1009, "message too big")


def test_too_many_fragments() -> None:
    fragment = masked(CONTINUATION, final=False)
    assert failure_of(masked(TEXT, final=False) + fragment * 2, LIMIT) is None
    assert failure_of(masked(TEXT, final=False) + fragment * 3, LIMIT) == (1008, "too many fragments")


def test_messages_before_the_violation_are_kept() -> None:
    codec = Codec(MessageLimit())
    assert receive(codec, masked(TEXT, b"good") + masked(TEXT, mask=False) + masked(TEXT, b"late")) == ["good"]


def test_a_header_that_claims_much_costs_nothing() -> None:
    tracemalloc.start()
    receive(Codec(MessageLimit(binary_bytes=1 << 30)), masked(BINARY, length=1 << 30))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 10_000


# ---- closing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])
def test_close_codes_that_may_be_sent_are_echoed(code: int) -> None:
    codec = Codec(MessageLimit())
    receive(codec, closing(code, "tschüß".encode()))
    assert (codec.peer_close, codec.last_frame, codec.state) == (code, close_frame(code), State.CLOSED)


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_close_codes_that_may_not_be_sent(code: int) -> None:
    assert failure_of(closing(code)) == (1002, "bad close code")


def test_a_close_without_code_is_answered_without_one() -> None:
    codec = Codec(MessageLimit())
    receive(codec, masked(CLOSE))
    assert (codec.peer_close, codec.last_frame) == (1005, frame(CLOSE, b""))


def test_a_close_of_one_byte() -> None:
    assert failure_of(masked(CLOSE, b"\x03")) == (1002, "bad close code")


def test_a_close_reason_is_utf8() -> None:
    assert failure_of(closing(1000, b"\xff")) == (1007, "close reason is not UTF-8")


def test_after_our_close_only_the_peers_close_counts() -> None:
    codec = Codec(MessageLimit())
    codec.close(1001, "going down")
    assert receive(codec, masked(TEXT, b"x") + masked(CONTINUATION) + masked(PING)) == []
    assert (codec.state, codec.pongs) == (State.CLOSING, [])
    receive(codec, closing(1000))
    assert (codec.state, codec.peer_close, codec.last_frame) == (State.CLOSED, 1000, close_frame(1001, "going down"))


def test_our_close_is_said_once() -> None:
    codec = Codec(MessageLimit())
    codec.close(1001)
    codec.close(1011)
    assert codec.last_frame == close_frame(1001)


def test_a_close_reason_is_cut_between_characters() -> None:
    ((_, payload),) = split(close_frame(1000, "é" * 70))
    assert (close_code(payload), payload[2:].decode()) == (1000, "é" * 61)


# ---- every state x every frame --------------------------------------------------------------------

STATES = {
    "open": b"", "text": masked(TEXT, b"a", final=False), "binary": masked(BINARY, b"a", final=False),
    "closing": b"", "closed": closing(1000), "failed": masked(TEXT, mask=False),
}  # fmt: skip
FRAMES = {
    "text": masked(TEXT, b"x"), "text begins": masked(TEXT, b"x", final=False),
    "binary": masked(BINARY, b"x"), "binary begins": masked(BINARY, b"x", final=False),
    "goes on": masked(CONTINUATION, b"x", final=False), "ends": masked(CONTINUATION, b"x"),
    "ping": masked(PING, b"x"), "pong": masked(PONG, b"x"), "close": closing(1000),
    "bad text": masked(TEXT, b"\xff"), "bad close": closing(1005), "unmasked": masked(TEXT, b"x", mask=False),
    "reserved": masked(TEXT, b"x", reserved=1), "unknown": masked(7, b"x"), "half a frame": masked(TEXT, b"x")[:-1],
}  # fmt: skip
# what it leads to: m a message, p a pong, c the peer's close, digits a failure, . nothing; X ends our closing, too
TABLE = """
               open  text  binary  closing  closed  failed
text           m     1002  1002    .        .       .
text begins    .     1002  1002    .        .       .
binary         m     1002  1002    .        .       .
binary begins  .     1002  1002    .        .       .
goes on        1002  .     .       .        .       .
ends           1002  m     m       .        .       .
ping           p     p     p       .        .       .
pong           .     .     .       .        .       .
close          c     c     c       c        .       .
bad text       1007  1002  1002    .        .       .
bad close      1002  1002  1002    X        .       .
unmasked       1002  1002  1002    X        .       .
reserved       1002  1002  1002    X        .       .
unknown        1002  1002  1002    X        .       .
half a frame   .     .     .       .        .       .
"""
ROWS_OF_TABLE = [(line[:15].strip(), line[15:].split()) for line in TABLE.strip("\n").splitlines()[1:]]


@pytest.mark.parametrize("name, expected", ROWS_OF_TABLE)
def test_every_state_and_every_frame(name: str, expected: list[str]) -> None:
    assert set(FRAMES) == {name for name, _ in ROWS_OF_TABLE}
    for (state, stream), wanted in zip(STATES.items(), expected, strict=True):
        codec = Codec(MessageLimit())
        receive(codec, stream)
        if state == "closing":
            codec.close(1001)
        failed, closed = codec.failure, codec.state
        messages = receive(codec, FRAMES[name])
        seen = "m" * len(messages) + "p" * len(codec.pongs)
        if codec.state is not closed:
            seen += "c" if codec.peer_close else "X" if codec.failure == failed else str(codec.failure[0] if codec.failure else "")
        assert (state, seen or ".") == (state, wanted)
