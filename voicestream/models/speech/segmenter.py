"""Cuts a recording at its pauses while it still comes in, so that most of the work is done when it ends.

labels of 30 ms:  ....######.###....####.########..........#####
segments:           [----------------------------]      [------ ...

The longer a segment has become, the shorter the pause that ends it. One that reaches `LONGEST_S` without any is cut where it is
quietest in its second half. Silence between segments belongs to none, but for a margin on each side, which faint first and last
sounds need. Decisions are made frame by frame: pieces give the same as the whole.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.int16]

RATE_HZ: Final = 16000
FRAME_MS: Final = 30
FRAME: Final = RATE_HZ * FRAME_MS // 1000
LONGEST_S: Final = 10.0
MARGIN_FRAMES: Final = 8
FEWEST_FRAMES: Final = 3  # of speech: less is a click
_LONGEST: Final = int(LONGEST_S * 1000) // FRAME_MS
_QUIET_FRAMES: Final = 3  # over which loudness is taken where there is no pause

# Up to so many frames of a segment, the frames of pause that end it. A transcriber errs less with more around it, so short
# segments wait for a long pause; each row was chosen so that the last segment is on average half of the longest one.
_PAUSES: Final = ((66, 24), (133, 20), (200, 14), (266, 8), (_LONGEST, 4))


class Segment(NamedTuple):
    """A stretch of the recording with speech in it. start_sample: since the recording began; samples (n,) int16 at 16 kHz."""

    start_sample: int
    samples: Samples


@dataclass(slots=True)
class _Open:
    """The segment under way: the frame it begins with, since the recording began, and its labels so far."""

    start: int
    labels: bytearray

    @property
    def end(self) -> int:
        return self.start + len(self.labels)

    @property
    def spoken(self) -> int:
        """The frame after its last speech frame."""
        return self.start + self.labels.rfind(1) + 1


class Segmenter:
    """One recording at 16 kHz. Holds at most a segment's audio, whatever is fed."""

    def __init__(self) -> None:
        self._waiting = np.empty(0, np.int16)
        self._at = 0  # sample since the recording began that `waiting` begins with
        self._labels = bytearray()  # not looked at yet
        self._frame = 0  # the next one to look at
        self._free = 0  # frames before this one belong to earlier segments
        self._open: _Open | None = None

    def feed(self, samples: Samples, labels: bytes) -> list[Segment]:
        """Samples (n,) int16 and the labels that became known with them, one byte 0 or 1 per 30 ms -> the segments that are complete."""
        self._waiting = np.concatenate((self._waiting, samples))
        self._labels += labels
        found = []
        whole = (self._at + len(self._waiting)) // FRAME
        while self._labels and self._frame < whole:
            found += self._step(self._labels.pop(0))
        self._forget()
        return found

    def flush(self) -> list[Segment]:
        """The segment under way; the recording is over."""
        if self._open is None:
            return []
        return self._close(min(self._at + len(self._waiting), FRAME * (self._open.spoken + MARGIN_FRAMES)))

    def _step(self, label: int) -> list[Segment]:
        frame = self._frame
        self._frame += 1
        if self._open is None:
            if not label:
                return []
            start = max(self._free, frame - MARGIN_FRAMES)
            self._open = _Open(start, bytearray(frame - start))
        segment = self._open
        segment.labels.append(label)
        pause = segment.end - segment.spoken
        if pause >= _pause_that_ends(len(segment.labels) - pause):
            return self._close(FRAME * min(segment.end, segment.spoken + MARGIN_FRAMES))
        return [] if len(segment.labels) < _LONGEST else self._cut(segment)

    def _cut(self, segment: _Open) -> list[Segment]:
        """End the segment where its second half is quietest, and begin the next one there."""
        middle = (segment.start + segment.end) // 2
        frames = self._samples(FRAME * middle, FRAME * segment.end).reshape(-1, FRAME).astype(np.float64)
        loudness = np.convolve((frames**2).mean(axis=1), np.ones(_QUIET_FRAMES), "valid")
        at = middle + int(loudness.argmin()) + _QUIET_FRAMES // 2
        rest = segment.labels[at - segment.start :]
        del segment.labels[at - segment.start :]
        done = self._close(FRAME * at)
        self._open = _Open(at, rest) if any(rest) else None
        return done

    def _close(self, end_sample: int) -> list[Segment]:
        segment, self._open = self._open, None
        assert segment is not None
        self._free = -(-end_sample // FRAME)
        if segment.labels.count(1) < FEWEST_FRAMES:
            return []
        start_sample = FRAME * segment.start
        return [Segment(start_sample, self._samples(start_sample, end_sample))]

    def _samples(self, start_sample: int, end_sample: int) -> Samples:
        return self._waiting[start_sample - self._at : end_sample - self._at].copy()

    def _forget(self) -> None:
        start = self._open.start if self._open else max(self._free, self._frame - MARGIN_FRAMES)
        gone = min(FRAME * start - self._at, len(self._waiting))
        if gone > 0:
            self._waiting = self._waiting[gone:].copy()
            self._at += gone


def _pause_that_ends(length: int) -> int:
    return next((pause for longest, pause in _PAUSES if length <= longest), _PAUSES[-1][1])
