"""Cuts a recording at its pauses while it still comes in, so that most of the work is done when it ends.

labels of 30 ms:  ....######.###....####.########..........#####
segments:           [----------------------------]      [------ ...

A transcriber errs less the more it hears around a word, above all of those who halt, so a segment goes on over pauses. One that
reaches `LONGEST_S` is cut in the longest pause of its second half, or where that is quietest. A pause of `PAUSE_S` ends it at once:
the speaker may have stopped, and then its work is done when the end is told. Silence between segments belongs to none, but for a
margin on each side, which faint first and last sounds need. Decisions are made frame by frame: pieces give the same as the whole.
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.int16]

RATE_HZ: Final = 16000
FRAME_MS: Final = 30
FRAME: Final = RATE_HZ * FRAME_MS // 1000
# Longer segments err less: of learners in recordings of 30 s 38.1 % of the words go wrong with 10 s and a pause of 2 s, 35.1 % with
# 15 s and 3 s, 36.6 % in one piece. 20 s would be kinder to those who halt, but what is left at the end takes longer then, most
# of all to align. A margin of 8 frames instead loses three words in a hundred of short recordings; 50 are no better than 24.
LONGEST_S: Final = 15.0
PAUSE_S: Final = 3.0
MARGIN_FRAMES: Final = 24
FEWEST_FRAMES: Final = 3  # of speech: less is a click
_LONGEST: Final = int(LONGEST_S * 1000) // FRAME_MS
_PAUSE: Final = int(PAUSE_S * 1000) // FRAME_MS
_GAP: Final = 4  # frames: a shorter pause is a stop within a word
_QUIET_FRAMES: Final = 3  # over which loudness is taken where there is no pause
_SILENCE: Final = re.compile(rb"\0+")


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
        if pause >= _PAUSE:
            return self._close(FRAME * min(segment.end, segment.spoken + MARGIN_FRAMES))
        return [] if len(segment.labels) < _LONGEST else self._cut(segment)

    def _cut(self, segment: _Open) -> list[Segment]:
        """End the segment in the longest pause of its second half, and begin the next one there; each keeps its margin, or shares it."""
        half = len(segment.labels) // 2
        pauses = (found.span() for found in _SILENCE.finditer(segment.labels, half))
        start, end = max(pauses, key=lambda pause: pause[1] - pause[0], default=(0, 0))
        if end - start < _GAP:
            start = end = self._quietest(segment, half)
        end_here = min(start + MARGIN_FRAMES, (start + end + 1) // 2)
        start_next = max(end_here, end - MARGIN_FRAMES)
        rest = segment.labels[start_next:]
        del segment.labels[end_here:]
        done = self._close(FRAME * segment.end)
        self._open = _Open(segment.start + start_next, rest) if any(rest) else None
        return done

    def _quietest(self, segment: _Open, since: int) -> int:
        """The frame of the segment, from that one on, around which it is quietest."""
        frames = self._samples(FRAME * (segment.start + since), FRAME * segment.end).reshape(-1, FRAME).astype(np.float64)
        loudness = np.convolve((frames**2).mean(axis=1), np.ones(_QUIET_FRAMES), "valid")
        return since + int(loudness.argmin()) + _QUIET_FRAMES // 2

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
