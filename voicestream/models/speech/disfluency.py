"""Where a speaker hesitated in words: fillers, and words said over again."""

from collections.abc import Sequence
from typing import Final, NamedTuple

FILLERS: Final = frozenset({"ah", "eh", "er", "erm", "hm", "hmm", "huh", "mhm", "mm", "uh", "uhm", "um"})
_LONGEST_REPEAT: Final = 3  # words


class Disfluency(NamedTuple):
    """How many fillers, and how many words of a run that is said again at once ("I want I want": 2)."""

    fillers: int
    repetitions: int


def disfluency(words: Sequence[str], sentence: Sequence[str] | None = None) -> Disfluency:
    """Count in the words of a transcript; with a sentence that was to be said, what stands in it as well is no fault."""
    told = _plain(words)
    meant = _plain(sentence or ())
    fillers = sum(word in FILLERS for word in told) - sum(word in FILLERS for word in meant)
    return Disfluency(max(fillers, 0), max(_repeated(told) - _repeated(meant), 0))


def _plain(words: Sequence[str]) -> list[str]:
    return [plain for word in words if (plain := "".join(letter for letter in word.casefold() if letter.isalnum() or letter == "'"))]


def _repeated(words: list[str]) -> int:
    """Words that repeat the ones just before them; a filler in between changes nothing."""
    said = [word for word in words if word not in FILLERS]
    count = at = 0
    while at < len(said):
        length = next((n for n in range(_LONGEST_REPEAT, 0, -1) if at + n <= len(said) and said[at - n : at] == said[at : at + n]), 0)
        count += length
        at += max(length, 1)
    return count
