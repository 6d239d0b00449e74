"""How long a frame is and where it lies: counts of whole frames, without floating point."""

from dataclasses import dataclass


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
