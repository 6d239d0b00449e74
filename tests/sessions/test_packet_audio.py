"""A recording in packets: the same samples as the whole, in every format that clients send."""

import io
import struct
import threading

import av
import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from voicestream.codecs.growing_file import PROBE_BYTES
from voicestream.errors import NO_AUDIO, NOT_FINITE, RATE_UNSUPPORTED, UNKNOWN_FORMAT, UNREADABLE_AUDIO, Fault, PeerError
from voicestream.sessions.packet_audio import PacketAudio

CONTAINERS = {  # name -> FFmpeg's format, codec, rate, options
    "mp3": ("mp3", "libmp3lame", 44100, {}),
    "webm": ("webm", "libopus", 48000, {}),
    "ogg": ("ogg", "libopus", 48000, {}),
    "flac": ("flac", "flac", 44100, {}),
    "m4a": ("mp4", "aac", 44100, {}),  # its index is last
    "fragments": ("mp4", "aac", 44100, {"movflags": "frag_keyframe+empty_moov"}),
    "aac": ("adts", "aac", 44100, {}),
}


def tone(rate_hz: int, seconds: float = 1.3) -> NDArray[np.float32]:
    at = np.arange(int(rate_hz * seconds)) / rate_hz
    return (0.4 * np.sin(2 * np.pi * (300 + 60 * np.sin(5 * at)) * at) * (1 + 0.5 * np.sin(3 * at))).astype(np.float32)


def wav(samples: NDArray[np.float32], rate_hz: int, subtype: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, subtype, format="WAV")
    return file.getvalue()


def container(name: str, seconds: float = 1.3) -> bytes:
    form, codec, rate_hz, options = CONTAINERS[name]
    file = io.BytesIO()
    with av.open(file, "w", format=form, options=options) as out:
        stream = out.add_stream(codec, rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray((tone(rate_hz, seconds)[None] * 32767).astype(np.int16), format="s16", layout="mono")
        frame.sample_rate = rate_hz
        for one in av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=rate_hz).resample(frame):
            out.mux(stream.encode(one))
        out.mux(stream.encode(None))
    return file.getvalue()


def heard(*packets: bytes, max_s: float = 60.0) -> NDArray[np.int16]:
    audio = PacketAudio(max_s)
    return np.concatenate([*[audio.feed(packet) for packet in packets], audio.flush()])


def refused(*packets: bytes) -> Fault:
    with pytest.raises(PeerError) as refusal:
        heard(*packets)
    return refusal.value.fault


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[begin : begin + size] for begin in range(0, len(data), size)]


FILES = [
    wav(tone(8000, 0.1), 8000), wav(np.stack([tone(16000, 0.1)] * 2, axis=1), 16000, "PCM_24"), wav(tone(16000, 0.1), 16000, "FLOAT"),
    *[container(name, 0.1) for name in CONTAINERS],
]  # fmt: skip


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("size", [11, 1000])
def test_pieces_of_a_wav_file_give_the_samples_of_the_whole(rate_hz: int, size: int) -> None:
    data = wav(tone(rate_hz, 0.5), rate_hz)
    assert np.array_equal(heard(*cut(data, size)), heard(data))


def test_a_header_in_each_packet_gives_the_samples_of_the_whole() -> None:
    samples = tone(44100)
    packets = [wav(samples[begin : begin + 22050], 44100) for begin in range(0, len(samples), 22050)]
    assert np.array_equal(heard(*packets), heard(wav(samples, 44100)))


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 48000])
def test_every_rate_becomes_16_khz_in_time_and_in_size(rate_hz: int) -> None:
    samples = tone(rate_hz)
    found = heard(wav(samples, rate_hz)).astype(float) / 32768
    wanted = soxr.resample(samples, rate_hz, 16000)
    assert len(found) == -(-len(samples) * 16000 // rate_hz)
    inner = slice(200, min(len(found), len(wanted)) - 200)
    assert np.abs(found[inner] - wanted[inner]).max() < 0.002


def test_16_khz_stays_as_it_is() -> None:
    data = wav(tone(16000), 16000)
    assert heard(data).tobytes() == data[44:]


@pytest.mark.parametrize("subtype, close", [("PCM_U8", 1 / 64), ("PCM_24", 2e-5), ("PCM_32", 2e-5), ("FLOAT", 2e-5), ("DOUBLE", 2e-5),
                                            ("ULAW", 0.03), ("ALAW", 0.03)])  # fmt: skip
def test_samples_are_read_however_they_are_written(subtype: str, close: float) -> None:
    samples = tone(16000)
    assert np.abs(heard(wav(samples, 16000, subtype)) / 32768 - samples).max() < close


def test_channels_are_averaged() -> None:
    left, right = tone(16000), np.zeros(len(tone(16000)), np.float32)
    assert np.abs(heard(wav(np.stack((left, right), axis=1), 16000)) / 32768 - left / 2).max() < 2e-4


def test_a_later_header_may_change_rate_and_channels() -> None:
    first, then = tone(8000), np.stack((tone(48000), tone(48000)), axis=1)
    found = heard(wav(first, 8000), wav(then, 48000))
    assert np.array_equal(found, np.concatenate((heard(wav(first, 8000)), heard(wav(then, 48000)))))


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("size", [37, 1000])
def test_a_container_in_packets_is_the_whole_file(name: str, size: int) -> None:
    data = container(name)
    found = heard(*cut(data, size))
    assert np.array_equal(found, heard(data))
    assert len(found) / 16000 == pytest.approx(1.3, abs=0.1)


def test_a_container_is_decoded_while_it_grows() -> None:
    data, audio = container("webm", seconds=20.0), PacketAudio(60.0)
    packets = cut(data, 2000)
    early = sum(len(audio.feed(packet)) for packet in packets[:-1])
    deadline = threading.Event()
    while not early and not deadline.wait(0.01):  # the decoder has a thread of its own
        early += len(audio.feed(b""))
    audio.close()
    assert early


def test_a_bomb_is_decoded_no_further_than_the_plan_is_long() -> None:
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros(16000 * 600, np.int16), 16000, format="FLAC")
    assert len(heard(silence.getvalue(), max_s=2.0)) < 16000 * 8


@pytest.mark.parametrize(
    "packets, fault",
    [
        ((), NO_AUDIO),
        ((b"",), NO_AUDIO),
        ((bytes(16000),), UNKNOWN_FORMAT),
        ((b"RIFF",), UNKNOWN_FORMAT),
        ((b"OggS" + bytes(1000),), UNREADABLE_AUDIO),
        ((b"\x1a\x45\xdf\xa3", bytes(100), bytes(900)), UNREADABLE_AUDIO),
        ((wav(tone(16000), 16000).replace(struct.pack("<I", 16000), struct.pack("<I", 16001), 1),), RATE_UNSUPPORTED),
        ((wav(np.array([np.nan, 0.1], np.float32), 16000, "FLOAT"),), NOT_FINITE),
    ],
)
def test_what_is_no_audio(packets: tuple[bytes, ...], fault: Fault) -> None:
    assert refused(*packets) is fault


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_damage_and_no_cut_raises_anything_else(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(FILES)))
    for _ in range(data.draw(st.integers(0, 6))):
        damaged[data.draw(st.integers(0, min(99, len(damaged) - 1)))] = data.draw(st.integers(0, 255))
    size = data.draw(st.integers(1, 3000))
    audio = PacketAudio(2.0)
    try:
        for packet in cut(bytes(damaged), size):
            audio.feed(packet)
        audio.flush()
    except PeerError:
        audio.close()


def test_a_container_in_which_nothing_is_found_is_given_up() -> None:
    before = threading.active_count()
    assert refused(b"\0\0\0\x18ftypisom" + bytes(12), *[bytes(PROBE_BYTES // 2)] * 3) is UNREADABLE_AUDIO
    assert threading.active_count() == before


def test_a_stream_that_is_left_leaves_no_thread() -> None:
    before = threading.active_count()
    audio = PacketAudio(60.0)
    audio.feed(container("ogg")[:900])
    audio.close()
    for thread in threading.enumerate():
        if thread.name == "container":
            thread.join(10)
    assert threading.active_count() == before
