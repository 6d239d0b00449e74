"""Whether a recording is what it should be: the sentence that was given, and English at all.

The transcript alone cannot tell: a beginner's is often that of another sentence, and the transcriber invents English for
whatever it hears. So its sounds must fit badly too. `scripts/measure_attempt.py` measures how often each is told rightly.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

_UNLIKE: Final = 0.4  # of the letters
_POOR: Final = 76.0  # mean score of the words
_UNSURE: Final = 0.5  # mean confidence of the transcriber in its words
_STRANGE: Final = 78.0  # their mean score
_TELLING: Final = 5  # words; fewer do not tell


def likeness(heard: Sequence[str], wanted: Sequence[str]) -> float:
    """0..1: how much the letters of two texts are alike."""
    return SequenceMatcher(None, letters("".join(heard)), letters("".join(wanted)), autojunk=False).ratio()


def letters(text: str) -> str:
    """A text without case, space and punctuation."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def is_another_sentence(alike: float, score: float) -> bool:
    """Of the likeness of transcript and sentence, and the mean score 0..100 of the words of the sentence."""
    return alike < _UNLIKE and score < _POOR


def is_another_language(words: int, confidence: float, score: float) -> bool:
    """Of free speech: how many words were heard, the mean confidence in them 0..1, and their mean score 0..100."""
    return words >= _TELLING and confidence < _UNSURE and score < _STRANGE
