"""Any bytes, cut anywhere: the codec and its naive twin come to the same end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transport.naive_codec import Outcome, read_all
from tests.transport.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, closing, masked, split
from voicestream.transport.rfc6455 import Codec, MessageLimit

LIMIT = MessageLimit(text_bytes=200, binary_bytes=300, fragments=4)

TEXTS = st.text(max_size=60).map(str.encode) | st.sampled_from([b"\xff", "€".encode()[:2], b"\xed\xa0\x80", b"x" * 201])
DATA = st.binary(max_size=80) | st.sampled_from([bytes(n) for n in (125, 126, 200, 300, 301)])
CODES = st.sampled_from([999, 1000, 1005, 1014, 1015, 2999, 3000, 4999, 5000])

GOOD = (
    st.builds(masked, st.just(TEXT), TEXTS)
    | st.builds(masked, st.just(BINARY), DATA)
    | st.builds(masked, st.sampled_from([TEXT, BINARY]), TEXTS, final=st.just(False))
    | st.builds(masked, st.just(CONTINUATION), TEXTS, final=st.booleans())
    | st.builds(masked, st.sampled_from([PING, PONG]), st.binary(max_size=125))
)
SELDOM = (
    st.builds(
        masked,
        st.integers(0, 15),
        DATA,
        final=st.booleans(),
        reserved=st.sampled_from([0, 0, 0, 1, 4]),
        mask=st.booleans(),
        length_bytes=st.sampled_from([None, 2, 8]),
    )
    | st.builds(closing, CODES, TEXTS.map(lambda reason: reason[:100]))
    | st.builds(masked, st.just(CLOSE), st.binary(max_size=2))
    | st.builds(masked, st.just(BINARY), length=st.sampled_from([301, 70_000, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]))
    | st.binary(max_size=20)
)
STREAMS = st.lists(GOOD | GOOD | GOOD | SELDOM, max_size=12).map(b"".join)


def outcome(codec: Codec, pieces: list[bytes]) -> Outcome:
    messages = [message for piece in pieces for message in codec.receive(bytearray(piece), len(piece))]
    pongs = [payload for _, payload in split(b"".join(codec.pongs))]
    return Outcome(messages, pongs, codec.peer_close, codec.failure[0] if codec.failure else None)


def cut(stream: bytes, sizes: list[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(stream[:size])
        stream = stream[size:]
    return [*pieces, stream]


@settings(max_examples=500, deadline=None)
@given(STREAMS, st.lists(st.sampled_from([1, 1, 2, 3, 7, 50, 400]), max_size=40))
def test_the_codec_agrees_with_its_naive_twin_however_the_stream_is_cut(stream: bytes, sizes: list[int]) -> None:
    assert outcome(Codec(LIMIT), cut(stream, sizes)) == read_all(stream, LIMIT)


@pytest.mark.parametrize("at", range(60))
def test_a_stream_of_every_kind_cut_in_two_at_every_byte(at: int) -> None:
    kinds = [masked(TEXT, b"a", final=False), masked(PING, b"p"), masked(CONTINUATION, b"b"), masked(BINARY, bytes(126)), closing(1000)]
    stream = b"".join(kinds)
    for cut_at in range(at, len(stream), 60):
        assert outcome(Codec(LIMIT), [stream[:cut_at], stream[cut_at:]]) == Outcome(["ab", bytes(126)], [b"p"], 1000, None)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=8))
def test_no_bytes_make_it_raise(pieces: list[bytes]) -> None:
    assert outcome(Codec(LIMIT), pieces) == read_all(b"".join(pieces), LIMIT)


@settings(max_examples=200, deadline=None)
@given(STREAMS, STREAMS)
def test_nothing_is_said_after_the_end(first: bytes, second: bytes) -> None:
    codec = Codec(LIMIT)
    codec.close(1001)
    last_frame = codec.last_frame
    assert outcome(codec, [first, second]).messages == []
    assert (codec.pongs, codec.last_frame, codec.failure) == ([], last_frame, None)


@pytest.mark.fuzz
@settings(max_examples=10_000, deadline=None)
@given(STREAMS, st.lists(st.integers(0, 500), max_size=30))
def test_the_twins_agree_on_many_streams(stream: bytes, sizes: list[int]) -> None:
    assert outcome(Codec(LIMIT), cut(stream, sizes)) == read_all(stream, LIMIT)
