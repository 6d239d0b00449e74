"""Files of every container: the right samples, the right refusal, and no memory for a header's promises."""

import io
import struct
import tracemalloc

import av
import numpy as np
import pytest
import soundfile

from voicestream.codecs.containers import decode_file, open_file
from voicestream.errors import (
    AUDIO_LONG,
    MANY_CHANNELS,
    NO_AUDIO,
    NOT_FINITE,
    RATE_UNSUPPORTED,
    UNKNOWN_FORMAT,
    UNREADABLE_AUDIO,
    Fault,
    PeerError,
)

RATE_HZ = 16000
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.float32)


def sndfile(samples: np.ndarray, subtype: str = "PCM_16", container: str = "WAV", rate_hz: int = RATE_HZ) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate_hz, format=container, subtype=subtype)
    return out.getvalue()


def ffmpeg(samples: np.ndarray, container: str, codec: str, rate_hz: int = 48000) -> bytes:
    """samples (n,) float32 at `rate_hz`, encoded mono."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = rate_hz
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
    return out.getvalue()


def header(tag: int, bits: int, channels: int = 1, rate_hz: int = RATE_HZ, data: bytes = b"", promised: int | None = None) -> bytes:
    """A WAV file written by hand; `promised` is the length its data chunk claims."""
    width = (bits + 7) // 8
    fmt = struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * channels * width, channels * width, bits)
    size = len(data) if promised is None else promised
    return b"RIFF" + struct.pack("<I", min(size + 36, 0xFFFFFFFF)) + b"WAVEfmt \x10\0\0\0" + fmt + b"data" + struct.pack("<I", size) + data


def refusal(data: bytes, max_s: float = 1800) -> Fault:
    with pytest.raises(PeerError) as refused:
        decode_file(data, max_s)
    return refused.value.fault


@pytest.mark.parametrize(
    ("subtype", "container", "tolerance"),
    [
        ("PCM_U8", "WAV", 1e-2),
        ("PCM_16", "WAV", 1e-4),
        ("PCM_24", "WAV", 1e-6),
        ("PCM_32", "WAV", 1e-6),
        ("FLOAT", "WAV", 0),
        ("DOUBLE", "WAV", 0),
        ("ALAW", "WAV", 2e-2),
        ("ULAW", "WAV", 2e-2),
        ("IMA_ADPCM", "WAV", 5e-2),
        ("MS_ADPCM", "WAV", 5e-2),
        ("PCM_16", "WAVEX", 1e-4),
        ("PCM_16", "RF64", 1e-4),
        ("PCM_24", "AIFF", 1e-6),
        ("PCM_16", "AU", 1e-4),
        ("PCM_16", "CAF", 1e-4),
        ("PCM_16", "FLAC", 1e-4),
        ("VORBIS", "OGG", 0.1),
    ],
)
def test_libsndfile_formats_keep_the_signal(subtype: str, container: str, tolerance: float) -> None:
    samples, rate_hz = decode_file(sndfile(TONE, subtype, container))
    assert rate_hz == RATE_HZ
    assert len(samples) >= len(TONE)  # ADPCM pads its last block
    assert np.abs(samples[100 : len(TONE)] - TONE[100:]).max() <= tolerance  # ADPCM swings in


def test_twelve_bits_are_the_upper_bits_of_sixteen() -> None:
    codes = np.array([0, 0x4000, -0x4000, 0x7FF0], np.int16)
    samples, _ = decode_file(header(1, 12, data=codes.tobytes()))
    np.testing.assert_allclose(samples, codes / 32768.0, atol=1e-6)


@pytest.mark.parametrize(
    ("container", "codec", "rate_hz"),
    [
        ("mp3", "libmp3lame", 44100),
        ("ipod", "aac", 44100),
        ("adts", "aac", 44100),
        ("webm", "libopus", 48000),
        ("matroska", "pcm_s16le", 16000),
        ("ogg", "libopus", 48000),
        ("wav", "mp2", 16000),
        ("wav", "adpcm_ima_wav", 8000),
    ],
)
def test_ffmpeg_formats_keep_the_signal(container: str, codec: str, rate_hz: int) -> None:
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)).astype(np.float32)
    samples, decoded_hz = decode_file(ffmpeg(tone, container, codec, rate_hz))
    assert decoded_hz == rate_hz
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert abs(np.argmax(spectrum) * rate_hz / len(middle) - 440) < 3
    assert np.sqrt((middle**2).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


def test_the_start_of_an_opus_file_is_not_late() -> None:
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)).astype(np.float32)
    samples, _ = decode_file(ffmpeg(tone, "ogg", "libopus"))
    assert np.abs(samples[:40000] - tone[:40000]).max() < 0.05


def test_channels_are_averaged() -> None:
    samples, _ = decode_file(sndfile(np.stack([TONE, -TONE / 2], axis=1), "FLOAT"))
    np.testing.assert_allclose(samples, TONE / 4, atol=1e-7)


def test_loud_floats_are_clipped() -> None:
    samples, _ = decode_file(sndfile(np.array([3.0, -3.0, 0.5], np.float32), "FLOAT"))
    assert samples.tolist() == [1.0, -1.0, 0.5]


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_floats_that_are_no_numbers_are_refused(number: float) -> None:
    assert refusal(sndfile(np.array([0.0, number, 0.0], np.float32), "FLOAT")) is NOT_FINITE


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"hello", b"#EXTM3U\nhttp://127.0.0.1/a.ts\n", b"ffconcat version 1.0\nfile a\n", b"\xff"]
)
def test_unknown_first_bytes_are_an_unknown_format(data: bytes) -> None:
    assert refusal(data) is UNKNOWN_FORMAT


@pytest.mark.parametrize(
    "magic", [b"RIFF", b"RIFX", b"fLaC", b"OggS", b"\0\0\0\x20ftypM4A ", b"\x1a\x45\xdf\xa3", b"ID3", b"#!AMR", b"\xff\xfb"]
)
def test_right_first_bytes_and_then_rubbish_are_unreadable(magic: bytes) -> None:
    rubbish = np.random.default_rng(1).integers(0, 256, 4000, np.uint8).tobytes()
    assert refusal(magic + rubbish) in (UNREADABLE_AUDIO, NO_AUDIO)


def test_a_header_that_promises_four_gigabytes_costs_nothing() -> None:
    file = header(1, 16, data=b"\1\0" * 800, promised=0xFFFFFFFF)
    tracemalloc.start()
    samples, _ = decode_file(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(samples) == 800
    assert peak < 8e6


def test_a_header_without_samples_is_no_audio() -> None:
    assert refusal(header(1, 16, promised=0xFFFFFFFF)) is NO_AUDIO


def test_decoding_stops_at_the_limit() -> None:
    bomb = sndfile(np.zeros(RATE_HZ * 60, np.float32), "PCM_16", "FLAC")
    assert len(bomb) < 20_000
    decoded: list[int] = []
    with pytest.raises(PeerError) as refused:
        decoded.extend(len(block) for block in open_file(bomb, max_s=10)[1])
    assert refused.value.fault is AUDIO_LONG
    assert 8 * RATE_HZ < sum(decoded) <= 10 * RATE_HZ
    assert len(decode_file(bomb, max_s=60)[0]) == 60 * RATE_HZ


@pytest.mark.parametrize("rate_hz", [1, 4000, 44000, 192000, 1_000_000_000])
def test_odd_rates_are_refused(rate_hz: int) -> None:
    assert refusal(header(1, 16, rate_hz=rate_hz, data=b"\0\0" * 100)) is RATE_UNSUPPORTED


def test_a_thousand_channels_are_refused() -> None:
    assert refusal(header(1, 16, channels=1000, data=b"\0" * 2000)) is MANY_CHANNELS


def test_a_cut_file_gives_what_is_there() -> None:
    samples, _ = decode_file(sndfile(TONE, "PCM_16")[: 44 + 2000])
    np.testing.assert_allclose(samples, TONE[:1000], atol=1e-4)


def test_a_header_that_points_before_the_start_is_refused_quietly(capfd: pytest.CaptureFixture[str]) -> None:
    file = bytearray(sndfile(TONE, "PCM_24", "AIFF"))
    file[38] = 0xFF
    assert refusal(bytes(file)) in (UNREADABLE_AUDIO, NO_AUDIO)
    assert capfd.readouterr().err == ""


@pytest.mark.fuzz
@pytest.mark.parametrize(
    "good",
    [
        sndfile(TONE, "PCM_16"),
        sndfile(TONE, "MS_ADPCM"),
        sndfile(TONE, "PCM_24", "AIFF"),
        sndfile(TONE, "PCM_16", "FLAC"),
        sndfile(TONE, "OPUS", "OGG"),
        ffmpeg(TONE, "mp3", "libmp3lame", 16000),
        ffmpeg(TONE, "ipod", "aac", 16000),
        ffmpeg(TONE, "webm", "libopus", 48000),
    ],
    ids=["wav", "adpcm", "aiff", "flac", "ogg", "mp3", "m4a", "webm"],
)
def test_mutations_decode_or_are_refused(good: bytes) -> None:
    random = np.random.default_rng(7)
    for _ in range(300):
        bad = bytearray(good[: random.integers(1, len(good) + 1)])
        for place in random.integers(0, len(bad), random.integers(1, 20)):
            bad[place] = random.integers(0, 256)
        try:
            samples, _ = decode_file(bytes(bad), max_s=60)
        except PeerError:
            continue
        assert np.isfinite(samples).all()
