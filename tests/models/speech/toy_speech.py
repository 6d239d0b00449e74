"""Words as an alignment would find them, in made-up sounds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicestream.models.speech.spoken import VAD_FRAME_S, Speech


class Phone(NamedTuple):
    symbol: str
    start_s: float
    end_s: float
    score: float = 80.0


class Word(NamedTuple):
    text: str
    start_s: float
    end_s: float
    phones: tuple[Phone, ...]
    confidence: float = 1.0


def word(text: str, start_s: float, end_s: float, phones: str, score: float = 80.0, confidence: float = 1.0) -> Word:
    """Its phones share its time."""
    symbols = phones.split()
    borders = np.linspace(start_s, end_s, len(symbols) + 1).tolist()
    parts = tuple(Phone(*part, score) for part in zip(symbols, borders, borders[1:], strict=False))
    return Word(text, start_s, end_s, parts, confidence)


def run(starts_s: Sequence[float], length_s: float = 0.3, score: float = 80.0) -> list[Word]:
    """A two-phone word of one syllable at each start."""
    return [word("to", start_s, start_s + length_s, "T UW", score) for start_s in starts_s]


def speech(words: Sequence[Word], labels: NDArray[np.uint8] | None = None, samples: NDArray[np.float32] | None = None) -> Speech:
    """Labelled speech throughout, and silent, unless told otherwise."""
    end_s = words[-1].end_s if words else 0.0
    full = np.ones(int(end_s / VAD_FRAME_S) + 1, np.uint8)
    silent = np.zeros(int(end_s * 16000), np.float32)
    return Speech(words, silent if samples is None else samples, full if labels is None else labels)
