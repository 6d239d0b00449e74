"""How words are said: the dictionary of the installed package, and letters to sounds for what it lacks.

A written word may be several spoken ones (`21`, `e-mail`, `Dr.`): they are found first, then joined.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Final

from voicestream.models.speech import package
from voicestream.models.speech.number import spoken_number
from voicestream.models.speech.sentence import Pronunciation
from voicestream.models.speech.spelling import Spelling, spelling

MAX_WAYS: Final = 6  # of saying a word that are told apart
MAX_WORDS: Final = 24  # spoken ones that one written word may stand for
_ABBREVIATIONS: Final = {
    "mr.": "mister", "mrs.": "missus", "ms.": "miz", "dr.": "doctor", "st.": "street", "vs.": "versus", "etc.": "et cetera",
    "prof.": "professor", "jr.": "junior", "sr.": "senior", "no.": "number", "&": "and", "%": "percent", "$": "dollars", "€": "euros",
    "£": "pounds", "+": "plus", "=": "equals", "@": "at", "ok": "okay",
}  # fmt: skip
_PIECE: Final = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?:st|nd|rd|th)?(?![a-z])|\d+|[a-z]+(?:'[a-z]+)*|[&%$€£+=@]")
_ACRONYM: Final = re.compile(r"(?:[A-Z]\.?){2,5}s?")
_CURRENCIES: Final = "$€£"


class Lexicon:
    """Words to phones, ARPAbet without stress."""

    def __init__(self, dictionary: str, letters: Spelling) -> None:
        """dictionary: lines of `word PH ON E` and `word(2) PH ON E`."""
        self._ways: dict[str, list[str]] = {}
        for line in dictionary.splitlines():
            word, _, phones = line.partition(" ")
            self._ways.setdefault(word.partition("(")[0], []).append(phones)
        self._letters = letters

    def knows(self, word: str) -> bool:
        """Whether all that is said of a written word is in the dictionary; else it is said by its letters, or not at all."""
        parts = self.spoken(word)
        return all(self._listed(part) for part in parts) and (bool(parts) or not any(letter.isalnum() for letter in word))

    def ways(self, word: str) -> tuple[Pronunciation, ...]:
        """How a written word may be said, likeliest first; none for what is not said at all (a dash, a comma)."""
        parts = [self._said(part) for part in self.spoken(word)]
        found = (tuple(phone for part in parts_ for phone in part) for parts_ in product(*parts[:MAX_WORDS]))
        ways = dict.fromkeys(way for way, _ in zip(found, range(MAX_WAYS), strict=False) if way)
        return tuple(ways)

    def spoken(self, word: str) -> tuple[str, ...]:
        """The dictionary words that a written word is said as."""
        plain = _ascii(word).strip(' ,;:!?"()[]…')
        if plain.lower() in _ABBREVIATIONS:
            return tuple(_ABBREVIATIONS[plain.lower()].split())
        if _ACRONYM.fullmatch(plain) and plain.replace(".", "").lower().rstrip("s") not in self._ways:
            return tuple(f"{letter.lower()}." for letter in plain if letter.isupper())
        lowered = plain.lower().strip(".'")
        for known in (plain.lower(), lowered):
            if known in self._ways:
                return (known,)
        spoken: list[str] = []
        waiting: list[str] = []  # a currency sign is said behind its number
        for piece in _PIECE.findall(lowered):
            if piece[0].isdigit():
                spoken += [*spoken_number(piece), *waiting]
                waiting = []
            elif piece in _CURRENCIES:
                waiting.append(_ABBREVIATIONS[piece])
            else:
                spoken += _ABBREVIATIONS.get(piece, piece).split()
        return (*spoken, *waiting)

    def _said(self, word: str) -> Sequence[Pronunciation]:
        return self._listed(word) or [self._letters.pronounce(word)]

    def _listed(self, word: str) -> Sequence[Pronunciation]:
        for known in (word, word.rstrip(".")):
            if known in self._ways:
                return [tuple(phones.split()) for phones in self._ways[known]]
        stem = word.removesuffix("'s").removesuffix("'")
        if stem != word and stem in self._ways:
            return [(*way, *_possessive(way)) for way in (tuple(phones.split()) for phones in self._ways[stem])]
        return []


def _ascii(word: str) -> str:
    """Accents fall: `naïve` -> naive; what has no Latin letter under it is gone."""
    return unicodedata.normalize("NFKD", word.replace("’", "'")).encode("ascii", "ignore").decode("ascii")


def _possessive(way: Pronunciation) -> Pronunciation:
    match way[-1]:
        case "S" | "Z" | "SH" | "ZH" | "CH" | "JH":
            return ("IH", "Z")
        case "P" | "T" | "K" | "F" | "TH":
            return ("S",)
        case _:
            return ("Z",)


@cache
def lexicon() -> Lexicon:
    """The dictionary of the installed package, read once; PeerError VS2100 when there is none, VS2101 when it is another."""
    return Lexicon(package.model_file(package.DICTIONARY).decode("utf-8"), spelling())
