"""Letters are dealt to the sounds that they are written with."""

import pytest

from voicestream.models.speech.grapheme import graphemes


@pytest.mark.parametrize(
    "word, phones, letters",
    [
        ("this", "DH IH S", "th i s"),
        ("market", "M AA R K AH T", "m a r k e t"),
        ("knight", "N AY T", "kn i ght"),  # what no sound is written with goes with the sound before it
        ("hour", "AW ER", "hou r"),  # or with the first
        ("through", "TH R UW", "th r ough"),
        ("name", "N EY M", "n a me"),
        ("box", "B AA K S", "b o x x"),  # two sounds in a letter
        ("I'll", "AY L", "I ll"),
        ("e-mail,", "IY M EY L", "e m ai l"),  # what is no letter is passed over
        ("42", "F AO", "42 42"),
        ("naïve", "N AY IY V", "n a ï ve"),
        ("a", "EY B S IY", "a a a a"),  # fewer letters than sounds
        ("thorough", "TH", "thorough"),
        ("xx" * 60, "K S " * 30, ("xx" * 60 + " ") * 60),  # that is no word
        ("x", "", ""),
        ("?!", "AA", "?!"),
    ],
)
def test_letters_of_each_sound(word: str, phones: str, letters: str) -> None:
    assert " ".join(word[begin:end] for begin, end in graphemes(word, phones.split())) == letters.strip()


@pytest.mark.parametrize("word", ["", "a", "zzzz", "ß", "ǅ", "İx", "ﬀ"])
def test_any_text_and_any_sounds_come_out_with_places_inside_the_word(word: str) -> None:
    spans = graphemes(word, ["AA", "?", "K"])
    assert len(spans) == 3
    assert all(0 <= begin <= end <= len(word) for begin, end in spans)
