"""What follows from an assessment's words and scores."""

import pytest

from voicestream.cli.assessment.arpabet import ipa
from voicestream.cli.assessment.finding import Band, Finding, Utterance, Word, band_of


def spoken(*spans_s: tuple[float, float] | None) -> Finding:
    return Finding((), (Utterance(tuple(Word("w", 90.0, "good", span_s=span_s) for span_s in spans_s)),))


def test_silence_between_words_is_a_pause_from_a_fifth_of_a_second_on() -> None:
    assert spoken((0.5, 1.0), (1.19, 1.5), (1.75, 2.0)).pauses == ((1.5, 1.75),)


def test_words_without_times_and_words_that_overlap_make_no_pause() -> None:
    assert spoken((0.0, 2.0), None, (0.5, 0.6), (2.1, 3.0)).pauses == ()
    assert spoken().pauses == spoken(None).pauses == ()


@pytest.mark.parametrize(
    "decision, score, band",
    [
        ("incorrect", 99.0, "poor"),
        ("almost_correct", 10.0, "fair"),
        ("CORRECT", None, "good"),
        ("", 70.0, "good"),
        ("", 69.9, "fair"),
        ("", 60.0, "fair"),
        ("who knows", 59.9, "poor"),
        ("", None, "unknown"),
    ],
)
def test_a_servers_decision_goes_before_our_limits(decision: str, score: float | None, band: Band) -> None:
    assert band_of(decision, score) == band


@pytest.mark.parametrize("arpabet, letters", [("AA1", "ɑ"), ("AH0", "ə"), ("ah1", "ʌ"), ("K S", "ks"), ("QQ", ""), ("", "")])
def test_arpabet_in_ipa(arpabet: str, letters: str) -> None:
    assert ipa(arpabet) == letters
