"""What a person reads in the terminal."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from tests.cli.assessment.golden import FREE, SENTENCE
from voicestream.cli.assessment.answer import read_result
from voicestream.cli.assessment.finding import LEVELS, Finding, Sound, Utterance, Word
from voicestream.cli.assessment.printout import print_report, spelled


def printed(finding: Finding, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_report(console, "talk.wav, 2.4 s", finding)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_sounds_stand_under_the_words_that_are_not_right() -> None:
    lines = printed(read_result(FREE)).splitlines()
    first = next(number for number, line in enumerate(lines) if "market" in line)
    assert lines[first : first + 3] == [
        "  0:00.3  I  went     to  the  market",
        "             ~~~~ 68           ^^^^^^ 41",
        "                               m ɑ ɹ→l k ə? t",
    ]


def test_a_right_word_with_a_wrong_sound_shows_its_sounds() -> None:
    word = Word("lucky", 88.0, "good", (Sound("l", 95.0, "good"), Sound("ʌ", 30.0, "poor", "æ")))
    lines = printed(Finding((), (Utterance((word,)),))).splitlines()
    assert [line.strip() for line in lines if line.strip()][1:3] == ["lucky", "l ʌ→æ"]


def test_scores_stand_with_their_scale_words_and_levels() -> None:
    text = printed(read_result(FREE))
    assert "0 to 100" in text
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    assert rows["pronunciation"] == ["pronunciation", "78.0", "████████████████░░░░", "good", "B2", "(B1–C1)"]
    assert rows["overall"] == ["overall", "–", "not", "scored"]
    assert LEVELS in text
    assert LEVELS not in printed(read_result(SENTENCE))  # where nobody says how far off they may be


def test_what_to_practise_and_pauses_and_notes() -> None:
    text = printed(read_result(FREE))
    assert ["/ɹ/", "/l/", "2", "market"] in [line.split() for line in text.splitlines()]
    assert "1, 0.7 s in all, the longest 0.7 s" in text
    assert "! There was too little speech" in text


def test_a_word_that_was_not_said_says_so() -> None:
    text = printed(read_result(SENTENCE))
    assert "to be said: pizza party" in text
    assert "not said" in text


@pytest.mark.parametrize("width", [28, 40, 77])
def test_words_stay_within_the_terminal(width: int) -> None:
    words = tuple(Word(f"word{number}", 40.0, "poor", (Sound("w", 10.0, "poor", "v"),)) for number in range(30))
    lines = printed(Finding((), (Utterance(words),)), width).splitlines()
    said = [line for line in lines if "word" in line and "^^^ ɹ!" not in line]
    assert max(map(len, said)) <= width
    assert " ".join(said).split() == [word.text for word in words]


def test_nothing_at_all_is_a_report_too() -> None:
    assert "talk.wav" in printed(Finding((), ()))
    assert "just words" in printed(replace(Finding((), ()), transcript="just words"))


@pytest.mark.parametrize(
    "sound, text",
    [
        (Sound("ɹ", 10.0, "poor", "l"), "ɹ→l"),
        (Sound("ɹ", 10.0, "poor", ""), "ɹ→∅"),
        (Sound("ɹ", 10.0, "poor"), "ɹ!"),
        (Sound("ɹ", 65.0, "fair"), "ɹ?"),
        (Sound("ɹ", 95.0, "good", "l"), "ɹ"),
        (Sound("ɹ", None, "unknown"), "ɹ"),
    ],
)
def test_a_sound_has_a_sign_for_what_is_wrong_with_it(sound: Sound, text: str) -> None:
    assert spelled(sound) == text
