"""Recordings as clients stream them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicestream.cli.recording import Recording, read_recording
from voicestream.codecs.opus import OpusDecoder


def tone(rate_hz: int, seconds: float) -> Recording:
    time_s = np.arange(round(rate_hz * seconds)) / rate_hz
    return Recording((8000 * np.sin(2 * np.pi * 440 * time_s)).astype(np.int16), rate_hz)


def test_pcm_messages_are_the_whole_recording() -> None:
    recording = tone(11_025, 0.35)
    messages = list(recording.messages("pcm16"))
    assert [len(message) for message in messages] == [2204, 2204, 2204, 2 * (3859 - 3 * 1102)]
    assert b"".join(messages) == recording.samples.astype("<i2").tobytes()


def test_opus_packets_cover_the_recording() -> None:
    recording = tone(16_000, 0.205)
    decoder = OpusDecoder(16_000)
    decoded = np.concatenate([decoder.decode(packet) for packet in recording.messages("opus")])
    assert len(decoded) == 11 * 320
    assert np.sqrt(np.mean(decoded[640:3200].astype(float) ** 2)) > 4000  # the tone is in it, not its edge


def test_a_rate_that_opus_has_not_is_resampled() -> None:
    recording = tone(44_100, 0.5)
    assert recording.at_rate_of("pcm16") is recording
    resampled = recording.at_rate_of("opus")
    assert resampled.rate_hz == 16_000
    assert resampled.duration_s == pytest.approx(0.5)
    assert np.abs(resampled.samples[1000:7000]).max() == pytest.approx(8000, rel=0.01)


def test_a_file_is_read_as_mono(tmp_path: Path) -> None:
    left = tone(8000, 0.25).samples
    soundfile.write(tmp_path / "stereo.wav", np.stack([left, left], axis=1), 8000)
    recording = read_recording(tmp_path / "stereo.wav")
    assert recording.rate_hz == 8000
    assert np.array_equal(recording.samples, left)


def test_a_file_that_cannot_be_read_ends_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "noise.wav").write_bytes(b"RIFF nonsense")
    for file, code in ((tmp_path / "absent.wav", "VS1020"), (tmp_path / "noise.wav", "VS20")):
        with pytest.raises(SystemExit) as ended:
            read_recording(file)
        assert ended.value.code == 2
        assert capsys.readouterr().err.startswith(code)
