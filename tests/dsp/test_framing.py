"""Frame arithmetic in integers."""

from voicestream.dsp.framing import Framing


def test_frames_and_samples_are_inverse() -> None:
    framing = Framing(400, 160)
    assert [framing.count(samples) for samples in (0, 399, 400, 559, 560)] == [0, 0, 1, 1, 2]
    assert all(framing.count(framing.samples(frames)) == frames for frames in range(50))
