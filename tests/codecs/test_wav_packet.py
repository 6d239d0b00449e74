"""WAV in packets: headers each, none, cut anywhere, and headers that lie."""

import struct

import pytest

from voicestream.codecs.wav_packet import WavPackets
from voicestream.errors import MANY_CHANNELS, UNKNOWN_FORMAT, UNREADABLE_AUDIO, Fault, PeerError

SOUND = bytes(range(1, 251)) * 16  # 4000 bytes


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(body) if size is None else size) + body + b"\0" * (len(body) % 2)


def fmt(tag: int = 1, channels: int = 1, rate_hz: int = 16000, bits: int = 16) -> bytes:
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * channels * bits // 8, channels * bits // 8, bits))


def wav(body: bytes = SOUND, size: int | None = None, before: bytes = b"", behind: bytes = b"", form: bytes | None = None) -> bytes:
    inside = b"WAVE" + (form or fmt()) + before + chunk(b"data", body, size) + behind
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


def heard(*packets: bytes) -> bytes:
    """All whole frames."""
    wave = WavPackets()
    pieces = [data for packet in packets for _, data in wave.feed(packet)]
    wave.flush()
    return b"".join(pieces)


def refused(*packets: bytes) -> Fault:
    with pytest.raises(PeerError) as refusal:
        heard(*packets)
    return refusal.value.fault


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[begin : begin + size] for begin in range(0, len(data), size)]


def test_packets_with_a_header_each_are_heard_without_their_headers() -> None:
    assert heard(*[wav(piece) for piece in cut(SOUND, 500)]) == SOUND


def test_packets_without_a_header_go_on_in_the_form_of_the_last() -> None:
    assert heard(wav(SOUND[:1000]), SOUND[1000:2000], SOUND[2000:]) == SOUND


@pytest.mark.parametrize("size", [12, 43, 44, 45, 1000])
@pytest.mark.parametrize("told", [None, 0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_file_cut_anywhere_is_the_whole_file(size: int, told: int | None) -> None:
    assert heard(*cut(wav(size=told, before=chunk(b"LIST", b"INFOISFT\x03\0\0\0odd")), size)) == SOUND


@pytest.mark.parametrize("size", [12, 13, 44, 700, 10_000])
def test_chunks_behind_the_samples_are_not_heard(size: int) -> None:
    assert heard(*cut(wav(behind=chunk(b"LIST", b"INFO of a player") + chunk(b"id3 ", b"x" * 99)), size)) == SOUND


def test_after_such_a_chunk_the_next_header_is_heard() -> None:
    assert heard(wav(SOUND[:500], behind=chunk(b"LIST", b"INFO")), b"more of it", wav(SOUND[500:])) == SOUND


@pytest.mark.parametrize("size", [12, 13, 44, 700, 10_000])
def test_a_header_that_tells_too_few_bytes_loses_none(size: int) -> None:
    assert heard(*cut(wav(size=100), size)) == SOUND


def test_part_of_a_frame_waits_for_the_rest() -> None:
    wave = WavPackets()
    assert [data for _, data in wave.feed(wav(SOUND[:6], form=fmt(channels=2)))] == [SOUND[:4]]
    assert [data for _, data in wave.feed(SOUND[6:11])] == [SOUND[4:8]]
    assert [data for _, data in wave.feed(SOUND[11:12])] == [SOUND[8:12]]


def test_the_form_is_told_with_each_piece() -> None:
    wave = WavPackets()
    pieces = wave.feed(wav(form=fmt(7, 2, 8000, 8))) + wave.feed(wav(form=fmt(1, 1, 44100, 24)))
    assert [(form.tag, form.channels, form.rate_hz, form.bits) for form, _ in pieces] == [(7, 2, 8000, 8), (1, 1, 44100, 24)]


def test_an_extensible_header_tells_its_form_further_behind() -> None:
    body = struct.pack("<HHIIHHHHI", 0xFFFE, 1, 16000, 64000, 4, 32, 22, 32, 4) + struct.pack("<H", 3) + bytes(14)
    ((form, _),) = WavPackets().feed(wav(form=chunk(b"fmt ", body)))
    assert (form.tag, form.bits) == (3, 32)


@pytest.mark.parametrize(
    "packet, fault",
    [
        (b"RIFF\0\0\0\0WAVE" + chunk(b"data", SOUND), UNREADABLE_AUDIO),
        (wav(form=fmt(channels=0)), UNREADABLE_AUDIO),
        (wav(form=fmt(rate_hz=0)), UNREADABLE_AUDIO),
        (wav(form=chunk(b"fmt ", b"short")), UNREADABLE_AUDIO),
        (wav(form=fmt(channels=9)), MANY_CHANNELS),
        (wav(form=fmt(tag=0x55)), UNKNOWN_FORMAT),
        (wav(form=fmt(bits=12)), UNKNOWN_FORMAT),
        (b"RIFF\0\0\0\0WAVEfmt ", UNREADABLE_AUDIO),
        (b"RIFF\0\0\0\0WAVE" + chunk(b"LIST", b"", size=0xFFFFFFF0), UNREADABLE_AUDIO),
    ],
)
def test_headers_that_cannot_be_believed(packet: bytes, fault: Fault) -> None:
    assert refused(packet) is fault


def test_a_header_without_end_is_given_up() -> None:
    assert refused(b"RIFF\0\0\0\0WAVE", *[chunk(b"JUNK", bytes(1000))] * 70) is UNREADABLE_AUDIO
