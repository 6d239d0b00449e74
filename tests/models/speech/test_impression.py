"""The measures that ratings go by."""

from math import exp, log

import pytest

from tests.models.speech.toy_speech import Word, run, speech, word
from voicestream.models.speech.impression import Impression, impression
from voicestream.models.speech.pace import pace


def heard(words: list[Word]) -> Impression:
    found = impression(words, pace(speech(words)))
    assert found is not None
    return found


def test_quality_is_lost_by_the_number_and_severity_of_mistakes() -> None:
    right, poor, wrong = (heard([word("bee", 0.0, 0.6, "B IY"), word("a", 0.6, 1.0, "AH", score)]).quality for score in (60.0, 30.0, 0.0))
    assert (right, poor, wrong) == pytest.approx((100.0, 100.0 * 5 / 6, 100.0 * 2 / 3))


def test_what_is_no_mistake_loses_nothing() -> None:
    assert heard([word("bee", 0.0, 0.6, "B IY", 61.0)]).quality == heard([word("bee", 0.0, 0.6, "B IY", 99.0)]).quality


def test_rate_is_phones_per_second() -> None:
    assert exp(heard(run([0.0, 0.3, 0.6])).rate) == pytest.approx(6 / 0.9)


def test_pauses_slow_down_and_are_told() -> None:
    with_pause, without = heard(run([0.0, 1.3, 1.6])), heard(run([0.0, 0.3, 0.6]))
    assert with_pause.rate < without.rate
    assert exp(with_pause.pausing) - exp(without.pausing) == pytest.approx(1.0 / 1.9)


def test_a_pause_for_breath_is_no_hesitation() -> None:
    fluent = [0.3 * n for n in range(8)]
    breathing = run(fluent + [2.8 + start for start in fluent])  # 2.4 s, 0.4 s of pause, 2.4 s
    through = run([0.3 * n for n in range(16)])
    assert heard(breathing) == pytest.approx(heard(through))


def test_rhythm_is_how_unlike_the_lengths_of_sounds_are() -> None:
    even = [word("bee", 0.0, 0.2, "B IY"), word("bee", 0.2, 0.4, "B IY")]
    dragged = [word("bee", 0.0, 0.2, "B IY"), word("bee", 0.2, 0.6, "B IY")]
    assert heard(even).rhythm == pytest.approx(0.0, abs=1e-9)
    assert heard(dragged).rhythm == pytest.approx(log(2) / 2)


def test_confidence_is_a_mean_of_logarithms_with_a_floor() -> None:
    words = [word("a", 0.0, 0.2, "AH", confidence=0.5), word("an", 0.2, 0.4, "AH N", confidence=0.0)]
    assert heard(words).confidence == pytest.approx((log(0.5) + log(0.01)) / 2)


def test_without_phones_there_is_none() -> None:
    words = [word("a", 0.0, 0.2, "AH")]
    assert impression([words[0]._replace(phones=())], pace(speech(words))) is None
