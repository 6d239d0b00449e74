"""Where a speaker hesitated in words: fillers, and words said over again."""

from collections.abc import Sequence
from typing import Final, NamedTuple

FILLERS: Final = frozenset({"ah", "eh", "er", "erm", "hm", "hmm", "huh", "mhm", "mm", "uh", "uhm", "um"})
_LONGEST_REPEAT: Final = 3  # words


class Disfluency(NamedTuple):
    """How many fillers, and how many words of a run that is said again at once ("I want I want": 2)."""

    fillers: int
    repetitions: int


def disfluency(words: Sequence[str]) -> Disfluency:
    """Count in the words of a transcript of free speech: those of a sentence that was given are its own, whatever was said."""
    told = _plain(words)
    return Disfluency(sum(word in FILLERS for word in told), _repeated(told))


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
