"""How long a frame is and where it lies: counts of whole frames, without floating point."""

from dataclasses import dataclass

VAD_FRAME_MS = 30


@dataclass(frozen=True, slots=True)
class Framing:
    """Frames of `length` samples every `shift` samples; frame i covers [i * shift, i * shift + length)."""

    length: int
    shift: int

    def count(self, samples: int) -> int:
        """Whole frames in `samples` samples (Kaldi's snip_edges: no frame hangs over an edge)."""
        return 0 if samples < self.length else 1 + (samples - self.length) // self.shift

    def samples(self, frames: int) -> int:
        """Samples that `frames` whole frames need."""
        return 0 if frames == 0 else (frames - 1) * self.shift + self.length


def vad_frames(samples: int, rate_hz: int) -> int:
    """Whole 30 ms frames in `samples` samples at any rate, in integers: floor(100 n / (3 r))."""
    return 100 * samples // (3 * rate_hz)


def vad_frame_start(frame: int, rate_hz: int) -> int:
    """First sample of a 30 ms frame: at 11025 and 22050 Hz frames differ in length by one sample."""
    return 3 * rate_hz * frame // 100
