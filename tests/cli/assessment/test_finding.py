"""What follows from an assessment's words and scores."""

import pytest

from voicestream.cli.assessment.arpabet import ipa
from voicestream.cli.assessment.finding import Band, band_of


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
