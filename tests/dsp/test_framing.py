"""Frame arithmetic in integers."""

import pytest

from voicestream.dsp.framing import Framing, vad_frame_start, vad_frames


def test_counts_of_the_vendors_sample() -> None:
    """idvoice.md section 9: 6,133 samples per message at 16 kHz."""
    assert [vad_frames(6133 * message, 16000) for message in range(1, 9)] == [12, 25, 38, 51, 63, 76, 89, 102]


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 22050, 44100, 96000])
def test_a_frame_is_whole_when_its_last_sample_has_come(rate_hz: int) -> None:
    frames = [(vad_frame_start(k, rate_hz), vad_frame_start(k + 1, rate_hz)) for k in range(500)]
    assert all(abs(end - start - 0.03 * rate_hz) < 1 for start, end in frames)
    for k, (_, end) in enumerate(frames):
        assert vad_frames(end + 1, rate_hz) >= k + 1 > vad_frames(end - 1, rate_hz)


def test_frames_and_samples_are_inverse() -> None:
    framing = Framing(400, 160)
    assert [framing.count(samples) for samples in (0, 399, 400, 559, 560)] == [0, 0, 1, 1, 2]
    assert all(framing.count(framing.samples(frames)) == frames for frames in range(50))
