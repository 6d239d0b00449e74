"""WAV files against libsndfile, and headers that lie."""

import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from voicestream.codecs.wav import is_wav, read_wav, write_wav
from voicestream.dsp.g711 import alaw_expand, mulaw_expand
from voicestream.errors import UNREADABLE_AUDIO, MisuseError, PeerError

EXPAND = {"pcm16": lambda coded: np.frombuffer(coded, "<i2"), "mulaw": mulaw_expand, "alaw": alaw_expand}
STEREO = np.random.default_rng(1).integers(-32768, 32767, (777, 2)).astype(np.int16)


def written(samples: np.ndarray, rate_hz: int = 8000, subtype: str = "PCM_16", container: str = "WAV") -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate_hz, format=container, subtype=subtype)
    return out.getvalue()


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    return name + struct.pack("<I", len(content) if size is None else size) + content + b"\0" * (len(content) % 2)


def file_of(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def form(tag: int = 1, channels: int = 1, rate_hz: int = 8000, bits: int = 16) -> bytes:
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, channels, rate_hz, 0, 0, bits))


@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
@pytest.mark.parametrize("subtype, codec", [("PCM_16", "pcm16"), ("ULAW", "mulaw"), ("ALAW", "alaw")])
@pytest.mark.parametrize("channels", [1, 2])
def test_libsndfile_hears_the_same(container: str, subtype: str, codec: str, channels: int) -> None:
    data = written(STEREO[:, :channels], 16000, subtype, container)
    wav = read_wav(data)
    assert (wav.rate_hz, wav.channels, wav.codec, wav.frames) == (16000, channels, codec, 777)
    assert wav.duration_s == 777 / 16000
    heard, _ = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    for channel in range(channels):
        assert np.array_equal(EXPAND[codec](wav.channel(channel + 1)), heard[:, channel])


@pytest.mark.parametrize("subtype", ["PCM_24", "PCM_32", "PCM_U8", "FLOAT", "DOUBLE", "IMA_ADPCM", "GSM610"])
def test_other_codecs_are_told_apart(subtype: str) -> None:
    wav = read_wav(written(STEREO[:, 0], subtype=subtype))
    assert (wav.codec, wav.rate_hz, wav.channels, wav.frames) == (None, 8000, 1, 0)
    with pytest.raises(MisuseError):
        wav.channel(1)


def test_a_channel_that_is_not_there() -> None:
    for number in (0, 3, -1):
        with pytest.raises(MisuseError):
            read_wav(written(STEREO)).channel(number)


@pytest.mark.parametrize("size", [0, 10, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_size_left_open_means_the_rest(size: int) -> None:
    wav = read_wav(file_of(form(), chunk(b"data", b"\1\0" * 5, size)))
    assert wav.channel(1) == b"\1\0" * 5


def test_chunks_round_the_audio_and_odd_ones_are_passed() -> None:
    data = file_of(chunk(b"LIST", b"abc"), form(), chunk(b"fact", b"\0" * 4), chunk(b"data", b"\1\0\2\0"), chunk(b"id3 ", b"xyz"))
    assert read_wav(data).channel(1) == b"\1\0\2\0"


def test_samples_that_are_not_whole_are_left_out() -> None:
    assert read_wav(file_of(form(channels=2), chunk(b"data", bytes(11)))).frames == 2


def test_a_file_cut_off_anywhere_is_shorter_or_refused() -> None:
    data = written(STEREO[:20, 0])
    for end in range(len(data)):
        try:
            assert read_wav(data[:end]).frames <= (end - 44) // 2
        except PeerError:
            assert end < 44


@pytest.mark.parametrize(
    "data",
    [
        file_of(),
        file_of(form()),
        file_of(chunk(b"data", bytes(8)), form()),
        file_of(chunk(b"fmt ", bytes(15)), chunk(b"data", bytes(8))),
        file_of(form(channels=0), chunk(b"data", bytes(8))),
        file_of(form(rate_hz=0), chunk(b"data", bytes(8))),
        file_of(chunk(b"JUNK", b"", 0xFFFFFFFF), form(), chunk(b"data", bytes(8))),
    ],
)
def test_headers_that_say_nothing(data: bytes) -> None:
    with pytest.raises(PeerError) as caught:
        read_wav(data)
    assert caught.value.fault is UNREADABLE_AUDIO


def test_what_is_no_wav() -> None:
    assert is_wav(written(STEREO))
    for data in (b"", b"RIFF", b"RIFX\0\0\0\0WAVE", b"RIFF\0\0\0\0AVI ", b"fLaC", b"# a text"):
        assert not is_wav(data)


@settings(max_examples=2000, deadline=None)
@given(st.binary(max_size=200), st.lists(st.tuples(st.integers(0, 83), st.integers(0, 255)), max_size=6))
def test_no_bytes_raise_anything_else(tail: bytes, changes: list[tuple[int, int]]) -> None:
    data = bytearray(written(STEREO[:20, 0]) + tail)
    for place, byte in changes:
        data[place] = byte
    try:
        wav = read_wav(data)
    except PeerError:
        return
    if wav.codec is not None:
        for channel in range(1, min(wav.channels, 3) + 1):
            assert len(wav.channel(channel)) in (wav.frames, 2 * wav.frames)


def test_no_samples_are_none() -> None:
    wav = read_wav(written(STEREO[:0]))
    assert (wav.frames, wav.duration_s, wav.channel(2)) == (0, 0.0, b"")


def test_what_is_written_is_read() -> None:
    samples = np.arange(-500, 500, dtype="<i2")
    written = read_wav(write_wav(samples.tobytes(), 16_000))
    assert (written.rate_hz, written.channels, written.codec, written.channel(1)) == (16_000, 1, "pcm16", samples.tobytes())
