from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voicestream.codecs.containers import decode_file
from voicestream.dsp.frontend import FrontEndPlan
from voicestream.dsp.pcm import to_int16
from voicestream.errors import LITTLE_SPEECH, MUCH_NOISE, NO_VOICE, SPEECH_CLIPPED, SPEECH_QUIET, Fault, PeerError
from voicestream.sessions.quality import MAX_SNR_DB, MIN_SNR_DB, SILENCE_DBFS, Gate, Quality, Threshold, admit, assess


class LoudFront:
    """A 30 ms frame whose first sample is above 1000 is speech."""

    def __init__(self, plan: FrontEndPlan) -> None:
        self._rate_hz = plan.rate_hz
        self._data = b""
        self._frames = 0

    def feed(self, data: bytes) -> tuple[bytes, np.ndarray]:
        self._data += data
        samples = np.frombuffer(self._data, "<i2", len(self._data) // 2)
        end = 100 * len(samples) // (3 * self._rate_hz)
        labels = bytes(int(abs(samples[3 * self._rate_hz * frame // 100]) > 1000) for frame in range(self._frames, end))
        self._frames = end
        return labels, np.empty((0, 0), np.float32)

    def flush(self) -> tuple[bytes, np.ndarray]:
        return self.feed(b"")


def square(level: int, seconds: float, rate_hz: int = 16000) -> bytes:
    """A square wave: its power is its level squared, whatever the frame."""
    count = round(rate_hz * seconds)
    return np.where(np.arange(count) % 2, level, -level).astype("<i2").tobytes()


def judged(*blocks: bytes, rate_hz: int = 16000) -> Quality:
    return assess(rate_hz, blocks, make_front=LoudFront)


def test_measures_levels_and_lengths() -> None:
    found = judged(square(100, 3.0), square(5000, 3.0))
    assert found.snr_db == pytest.approx(20 * np.log10(50), abs=0.02)
    assert (found.speech_length_ms, found.relative_length, found.word(Threshold())) == (3000.0, 0.5, "OK")


def test_names_the_shortage() -> None:
    assert judged(square(800, 3.0), square(1100, 3.0)).word(Threshold()) == "TOO_NOISY"
    assert judged(square(1, 1.0), square(5000, 1.9)).word(Threshold()) == "TOO_SMALL_SPEECH_TOTAL_LENGTH"
    assert judged(square(1, 60.0), square(5000, 3.0)).word(Threshold()) == "TOO_SMALL_SPEECH_RELATIVE_LENGTH"


def test_thresholds_are_the_callers() -> None:
    blocks = [square(100, 1.0), square(5000, 1.0)]
    assert judged(*blocks).word(Threshold(speech_length_ms=900.0)) == "OK"
    assert judged(*blocks).word(Threshold(40.0, 900.0)) == "TOO_NOISY"


@pytest.mark.parametrize("blocks", [[], [b""], [b"\x01"], [bytes(100_000)], [square(5000, 0.029)]])
def test_no_speech_has_the_lowest_ratio(blocks: list[bytes]) -> None:
    found = assess(16000, blocks, make_front=LoudFront)
    assert (found.snr_db, found.speech_length_ms, found.relative_length) == (MIN_SNR_DB, 0.0, 0.0)
    assert found.word(Threshold()) == "TOO_SMALL_SPEECH_TOTAL_LENGTH"


def test_digital_silence_is_not_taken_for_a_quiet_room() -> None:
    assert judged(bytes(8 * 32000), square(100, 3.0), square(5000, 3.0)).snr_db == pytest.approx(33.98, abs=0.02)


def test_a_constant_offset_is_no_noise() -> None:
    offset = (np.frombuffer(square(10, 3.0), "<i2") + 900).astype("<i2").tobytes()
    assert judged(offset, square(5000, 3.0)).snr_db == pytest.approx(20 * np.log10(500), abs=0.02)


def test_stays_within_its_bounds() -> None:
    assert judged(square(1, 3.0), square(32000, 3.0)).snr_db == MAX_SNR_DB
    assert judged(square(5000, 3.0)).snr_db == MIN_SNR_DB  # one level throughout


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100])
def test_pieces_equal_the_whole(rate_hz: int) -> None:
    whole = square(90, 2.0, rate_hz) + square(4000, 3.0, rate_hz) + b"\x01"
    one = judged(whole, rate_hz=rate_hz)
    assert judged(*(whole[at : at + 777] for at in range(0, len(whole), 777)), rate_hz=rate_hz) == one
    assert judged(*(whole[at : at + 1] for at in range(20_000)), whole[20_000:], rate_hz=rate_hz) == one
    assert one.snr_db == pytest.approx(20 * np.log10(4000 / 90), abs=0.3)


@pytest.mark.parametrize("noise", ["running_tap", "doing_the_dishes"])
def test_recorded_speech_in_recorded_noise(shared: Path, noise: str) -> None:
    found = []
    for level_db in (0, 5, 10, 20):
        samples, rate_hz = decode_file((shared / f"eval/vad/8k/{noise}_{level_db}dB.wav").read_bytes())
        found.append(assess(rate_hz, [to_int16(samples).tobytes()]).snr_db)
    assert found == sorted(found)
    assert found == pytest.approx([0, 5, 10, 20], abs=7)


def test_level_is_that_of_the_speech() -> None:
    assert judged(square(100, 3.0), square(3277, 1.0)).level_dbfs == pytest.approx(-20.0, abs=0.01)
    assert judged(square(100, 3.0)).level_dbfs == SILENCE_DBFS


def noise(peak: int, seconds: float = 3.0) -> np.ndarray:
    wave = np.random.default_rng(5).laplace(size=round(16000 * seconds))  # as the levels of speech lie
    return wave * peak / np.abs(wave).max()


@pytest.mark.parametrize("peak", [5000, 32000])
def test_a_wave_cut_off_at_any_level_is_clipped(peak: int) -> None:
    whole = noise(8 * peak)
    assert judged(np.clip(whole, -peak, peak).astype("<i2").tobytes()).clipped > 0.05
    assert judged((whole / 8).astype("<i2").tobytes()).clipped < 0.001


GOOD = Quality(snr_db=20.0, speech_length_ms=3000.0, relative_length=0.5, level_dbfs=-30.0, clipped=0.0, voice=0.9)


def test_the_gate_lets_good_speech_in() -> None:
    admit(GOOD, Gate())


@pytest.mark.parametrize(
    "shortage, fault, detail",
    [
        ({"speech_length_ms": 990.0}, LITTLE_SPEECH, "0.99 s found, 1.00 s needed"),
        ({"voice": 0.1}, NO_VOICE, "10% of the sound is like a voice, 25% needed"),
        ({"level_dbfs": -60.0}, SPEECH_QUIET, "-60 dBFS found, -55 needed"),
        ({"clipped": 0.2}, SPEECH_CLIPPED, "20.0% of the speech, 5.0% allowed"),
        ({"snr_db": 2.0}, MUCH_NOISE, "2 dB found, 3 needed"),
    ],
)
def test_the_gate_names_each_shortage(shortage: dict[str, float], fault: Fault, detail: str) -> None:
    with pytest.raises(PeerError) as caught:
        admit(replace(GOOD, **shortage), Gate())
    assert (caught.value.fault, caught.value.detail) == (fault, detail)


def test_a_tone_is_no_voice_and_a_person_is_one(shared: Path) -> None:
    at = np.arange(16000 * 4) / 16000
    tone = (8000 * np.sin(2 * np.pi * 440 * at) * (np.sin(2 * np.pi * 0.5 * at) > 0)).astype("<i2")
    assert assess(16000, [tone.tobytes()]).voice < 0.05
    samples, rate_hz = decode_file(min((shared / "eval/sv/enrol").iterdir()).read_bytes())
    assert assess(rate_hz, [to_int16(samples).tobytes()]).voice > 0.6
