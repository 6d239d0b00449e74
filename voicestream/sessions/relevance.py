"""Whether a recording is what it should be: the sentence that was given, and English at all.

The transcript alone cannot tell: a beginner's is often that of another sentence, and the transcriber invents English for
whatever it hears. So its sounds must fit badly too. `scripts/measure_attempt.py` measures how often each is told rightly.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

_ALIKE: Final = 0.5  # of the letters: such a transcript is that of the sentence, however badly it was said
_LIKENESS_POINTS: Final = 40.0  # of the words' mean score that the whole likeness is worth
_SENTENCE: Final = 88.0  # what both together must reach
_SURE: Final = 0.75  # mean confidence: so sure the transcriber is of English alone
_CONFIDENCE_POINTS: Final = 15.0  # as above
_LANGUAGE: Final = 85.0
_TELLING: Final = 5  # words; fewer do not tell


def likeness(heard: Sequence[str], wanted: Sequence[str]) -> float:
    """0..1: how much the letters of two texts are alike."""
    return SequenceMatcher(None, letters("".join(heard)), letters("".join(wanted)), autojunk=False).ratio()


def letters(text: str) -> str:
    """A text without case, space and punctuation."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def is_another_sentence(alike: float, score: float) -> bool:
    """Of the likeness of transcript and sentence, and the mean score 0..100 of the words of the sentence."""
    return alike < _ALIKE and score + _LIKENESS_POINTS * alike < _SENTENCE


def is_another_language(words: int, confidence: float, score: float) -> bool:
    """Of free speech: how many words were heard, the mean confidence in them 0..1, and their mean score 0..100."""
    return words >= _TELLING and confidence < _SURE and score + _CONFIDENCE_POINTS * confidence < _LANGUAGE
