"""How written words are said."""

import pytest

from voicestream.models.speech.lexicon import Lexicon, lexicon
from voicestream.models.speech.number import spoken_number


@pytest.fixture(scope="module")
def english() -> Lexicon:
    return lexicon()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0", "zero"), ("7", "seven"), ("21", "twenty one"), ("100", "one hundred"), ("365", "three hundred sixty five"),
        ("1,000", "one thousand"), ("1999", "nineteen ninety nine"), ("1905", "nineteen oh five"), ("2005", "two thousand five"),
        ("1900", "nineteen hundred"), ("3.14", "three point one four"), ("007", "zero zero seven"), ("2nd", "second"),
        ("21st", "twenty first"), ("30th", "thirtieth"), ("1000000", "one million"), ("9" * 13, " ".join(["nine"] * 13)),
    ],
)  # fmt: skip
def test_numbers(text: str, said: str) -> None:
    assert " ".join(spoken_number(text)) == said


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("Hello,", "hello"), ("don't", "don't"), ("don’t", "don't"), ("Dr.", "doctor"), ("well-made", "well made"), ("$5", "five dollars"),
        ("50%", "fifty percent"), ("3rd", "third"), ("rock'n'roll", "rock'n'roll"), ("XQJ", "x. q. j."), ("X.Q.", "x. q."), ("—", ""),
        ("...", ""), ("'cause", "'cause"), ("cat-and-dog", "cat and dog"), ("A4", "a four"), ("naïve", "naive"), ("Café", "cafe"),
    ],
)  # fmt: skip
def test_words(english: Lexicon, word: str, said: str) -> None:
    assert " ".join(english.spoken(word)) == said


def test_every_pronunciation_of_the_dictionary_is_a_way(english: Lexicon) -> None:
    assert english.ways("tomato") == (("T", "AH", "M", "EY", "T", "OW"), ("T", "AH", "M", "AA", "T", "OW"))


def test_a_possessive_of_a_known_word(english: Lexicon) -> None:
    assert english.ways("octopus's")[0] == (*english.ways("octopus")[0], "IH", "Z")


def test_an_unknown_word_is_said_as_it_is_spelled(english: Lexicon) -> None:
    assert english.ways("strilp") == (("S", "T", "R", "IH", "L", "P"),)


def test_what_the_dictionary_knows_and_what_is_guessed(english: Lexicon) -> None:
    known = ["Hello,", "octopus's", "XQJ", "$5", "21st", "well-made", "Dr.", "—", ""]
    assert [word for word in known if not english.knows(word)] == []
    guessed = ["strilp", "strilp-made", "strilp's", "日本語"]
    assert [word for word in guessed if english.knows(word)] == []


@pytest.mark.parametrize("word", ["", "-", "日本語", "\0", "'", "''''", "🙂"])
def test_what_nobody_can_say_has_no_ways(english: Lexicon, word: str) -> None:
    assert english.ways(word) == ()


def test_a_word_of_endless_parts_is_cut(english: Lexicon) -> None:
    (way,) = set(english.ways("-".join(["b"] * 5000)))
    assert len(way) <= 60


def test_endless_letters_are_cut(english: Lexicon) -> None:
    assert len(english.ways("z" * 100_000)[0]) <= 80
