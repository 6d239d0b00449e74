"""Pauses and speeds of words whose times are known."""

import numpy as np
import pytest

from tests.models.speech.toy_speech import run, speech, word
from voicestream.models.speech.pace import pace
from voicestream.models.speech.spoken import pauses


def test_a_gap_over_200_ms_is_a_pause() -> None:
    assert pauses(speech(run([0.0, 0.5, 1.01, 1.5]))) == (pytest.approx((0.8, 1.01)),)


def test_silence_before_the_first_and_after_the_last_word_is_none() -> None:
    words = run([1.0, 1.3])
    labels = np.array([0] * 33 + [1] * 20 + [0] * 60, np.uint8)
    assert pauses(speech(words, labels)) == ()


def test_a_word_stretched_over_a_silence_holds_a_pause() -> None:
    labels = np.array([1] * 20 + [0] * 20 + [1] * 20, np.uint8)
    assert pauses(speech([word("usually", 0.0, 1.8, "Y UW ZH")], labels)) == (pytest.approx((0.6, 1.2)),)


def test_a_gap_and_the_silence_in_it_are_one_pause() -> None:
    labels = np.ones(40, np.uint8)
    labels[9:18] = 0  # 0.27 to 0.54 s, in a gap from 0.3 to 0.6 s
    assert pauses(speech(run([0.0, 0.6]), labels)) == (pytest.approx((0.27, 0.6)),)


def test_speeds_are_counts_over_time_with_and_without_pauses() -> None:
    found = pace(speech(run([0.0, 0.3, 1.6, 1.9])))  # 2.2 s with a pause of 1 s
    assert found is not None
    assert found.words_per_minute == pytest.approx(60 * 4 / 2.2)
    assert found.syllables_per_minute == pytest.approx(60 * 4 / 2.2)
    assert found.phones_per_minute == pytest.approx(60 * 8 / 2.2)
    assert found.articulated_words_per_minute == pytest.approx(60 * 4 / 1.2)
    assert found.articulated_phones_per_minute == pytest.approx(60 * 8 / 1.2)


def test_stressed_vowels_are_syllables_too() -> None:
    found = pace(speech([word("today", 0.0, 0.6, "T AH0 D EY1")]))
    assert found is not None
    assert found.syllables_per_minute == pytest.approx(200.0)


def test_without_words_there_is_no_pace() -> None:
    assert pace(speech([])) is None


def test_words_that_take_no_time_have_no_pace() -> None:
    assert pace(speech([word("a", 0.5, 0.5, "AH")])) is None


def test_a_recording_labelled_silent_throughout_has_no_pace() -> None:
    assert pace(speech(run([0.0, 0.3]), np.zeros(30, np.uint8))) is None
