"""What the scores look at: words as an alignment found them in a recording, whoever made it.

`sessions.assessment_result.Word` is such a word, and so are the aligner's own.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

VOWELS: Final = frozenset({"AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"})
VAD_FRAME_S: Final = 0.03
SHORTEST_PAUSE_S: Final = 0.2  # shorter gaps are the closures of plosives (N. de Jong, H. Bosker, 2013: 0.25)

Span: TypeAlias = tuple[float, float]  # start and end in seconds


class SpokenPhone(Protocol):
    """A sound: ARPAbet, without stress or with it; score 0..100."""

    @property
    def symbol(self) -> str: ...
    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def score(self) -> float: ...


class SpokenWord(Protocol):
    """A word that was said, its phones in order; confidence of the transcript 0..1, 1 where the text was given."""

    @property
    def text(self) -> str: ...
    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def phones(self) -> Sequence[SpokenPhone]: ...
    @property
    def confidence(self) -> float: ...


class Speech(NamedTuple):
    """Words in order of time, with all of the recording around them.

    samples (n,) float32 in -1..1 at 16 kHz; labels (frames,) uint8, 1 for speech, per 30 ms from the start.
    """

    words: Sequence[SpokenWord]
    samples: NDArray[np.float32]
    labels: NDArray[np.uint8]


def is_vowel(phone: SpokenPhone) -> bool:
    return phone.symbol.rstrip("012") in VOWELS


def pauses(speech: Speech) -> tuple[Span, ...]:
    """Where nothing was said for more than 0.2 s between the first word and the last.

    A gap between words, or within a word that an alignment stretched over a silence the detector heard.
    """
    words = speech.words
    silences = [(before.end_s, after.start_s) for before, after in pairwise(words) if after.start_s > before.end_s]
    silences += _unlabelled(speech.labels, words[0].start_s, words[-1].end_s) if words else []
    return tuple((start_s, end_s) for start_s, end_s in _joined(silences) if end_s - start_s > SHORTEST_PAUSE_S)


def _unlabelled(labels: NDArray[np.uint8], first_s: float, last_s: float) -> list[Span]:
    """Runs without speech, clipped to what lies between first_s and last_s."""
    edges = np.flatnonzero(np.diff(np.concatenate(([1], labels, [1])).astype(np.int8)))
    runs = [(max(float(start) * VAD_FRAME_S, first_s), min(float(end) * VAD_FRAME_S, last_s)) for start, end in edges.reshape(-1, 2)]
    return [(start_s, end_s) for start_s, end_s in runs if end_s > start_s]


def _joined(spans: list[Span]) -> list[Span]:
    """The same seconds in spans that do not touch, in order."""
    joined: list[Span] = []
    for start_s, end_s in sorted(spans):
        if joined and start_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_s))
        else:
            joined.append((start_s, end_s))
    return joined
