"""Raw Opus packets: decoded at the stream's rate, lost ones concealed, garbage refused and never a crash."""

import ctypes
import ctypes.util
import gc
import importlib.util
import random
import resource
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from voicestream.codecs import opus
from voicestream.codecs.opus import PACKET_MAX_BYTES, RATES_HZ, OpusDecoder, OpusEncoder
from voicestream.errors import MisuseError, PeerError


def tone(rate_hz: int, seconds: float = 1.0, hz: float = 440.0) -> NDArray[np.int16]:
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    return (10_000 * np.sin(2 * np.pi * hz * time_s)).astype(np.int16)


def packets(rate_hz: int, ms: float = 20, bitrate_bps: int = 32_000) -> list[bytes]:
    encoder = OpusEncoder(rate_hz, bitrate_bps)
    size = int(rate_hz * ms / 1000)
    signal = tone(rate_hz)
    return [encoder.encode(signal[start : start + size]) for start in range(0, len(signal) - size + 1, size)]


def code_of(decoder: OpusDecoder, packet: bytes) -> str:
    with pytest.raises(PeerError) as caught:
        decoder.decode(packet)
    return caught.value.fault.code


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_tone_survives_at_every_rate(rate_hz: int) -> None:
    decoder = OpusDecoder(rate_hz)
    out = np.concatenate([decoder.decode(packet) for packet in packets(rate_hz)])
    assert len(out) == rate_hz
    settled = out[rate_hz // 4 :].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(settled * np.hanning(len(settled))))
    assert np.argmax(spectrum) * rate_hz / len(settled) == pytest.approx(440, abs=3)
    assert settled.std() == pytest.approx(10_000 / np.sqrt(2), rel=0.15)


@pytest.mark.parametrize("ms", [2.5, 5, 10, 20, 40, 60, 80, 100, 120])
def test_a_packet_of_every_length_gives_its_samples(ms: float) -> None:
    (packet, *_) = packets(16000, ms)
    assert len(OpusDecoder(16000).decode(packet)) == 16 * ms
    assert len(OpusDecoder(48000).decode(packet)) == 48 * ms  # whatever rate it was made at


def test_a_stereo_packet_comes_out_as_one_channel() -> None:
    stereo = bytes([packets(48000)[0][0] | 0x04]) + packets(48000)[0][1:]  # RFC 6716 section 3.1: the s bit
    assert len(OpusDecoder(48000).decode(stereo)) == 960


def test_what_is_no_packet_is_refused_and_the_stream_goes_on() -> None:
    decoder, undisturbed = OpusDecoder(16000), OpusDecoder(16000)
    first, second, *_ = packets(16000)
    decoder.decode(first)
    undisturbed.decode(first)
    # RFC 6716 section 3.4: no bytes; odd length of two equal frames; a frame longer than the packet; 3 frames of 60 ms
    for bad in (b"", b"\x01\x00", b"\x02\xfe", b"\x1b\x03" + bytes(6), b"\x03"):
        assert code_of(decoder, bad) == "VS2020"
    assert np.array_equal(decoder.decode(second), undisturbed.decode(second))


def test_a_message_longer_than_any_packet_is_not_handed_to_the_library() -> None:
    assert code_of(OpusDecoder(16000), bytes(PACKET_MAX_BYTES + 1)) == "VS2021"


def test_rates_and_lengths_that_opus_has_not_are_our_own_mistake() -> None:
    with pytest.raises(MisuseError, match="44100"):
        OpusDecoder(44100)
    with pytest.raises(MisuseError, match="321"):
        OpusEncoder(16000).encode(np.zeros(321, np.int16))


def fuzz(rounds: int) -> None:
    chance = random.Random(1)
    stream = packets(16000)
    decoders = [OpusDecoder(rate_hz) for rate_hz in RATES_HZ]
    for _ in range(rounds):
        if chance.random() < 0.5:
            packet = chance.randbytes(chance.choice((1, 2, 3, 40, 400, 1276, 5000)))
        else:  # a real packet with bits turned, or cut
            damaged = bytearray(chance.choice(stream))
            for _ in range(chance.randint(1, 4)):
                damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            packet = bytes(damaged[: chance.randint(1, len(damaged))])
        try:
            samples = chance.choice(decoders).decode(packet)
        except PeerError:
            continue
        assert 0 < len(samples) <= 48 * 120


def test_garbage_is_an_error_or_noise_and_never_a_crash() -> None:
    fuzz(5_000)


@pytest.mark.fuzz
def test_much_garbage() -> None:
    fuzz(500_000)


def test_decoders_are_freed() -> None:
    def rss_kib() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for _ in range(200):
        OpusDecoder(48000)
    gc.collect()
    before = rss_kib()
    for _ in range(5_000):
        OpusDecoder(48000)
    assert rss_kib() - before < 20_000  # 5,000 that stay would be 140 MB


def test_the_library_beside_pyav_comes_first_and_a_broken_file_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    candidates = list(opus._candidates())
    assert Path(candidates[0]).parent.name in ("av.libs", ".dylibs")
    broken = tmp_path / "libopus.so"
    broken.write_bytes(b"not a library")
    monkeypatch.setattr(opus, "_candidates", lambda: iter([str(broken), candidates[0]]))
    assert opus._library.__wrapped__().opus_decoder_create.argtypes is not None


def test_the_system_library_is_taken_where_there_is_no_pyav(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: f"lib{name}.so.0")
    assert list(opus._candidates()) == ["libopus.so.0"]


def test_a_machine_without_libopus_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    with pytest.raises(MisuseError, match="libopus0"):
        opus._library.__wrapped__()
