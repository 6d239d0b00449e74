"""Scores of a recording, from words as an alignment finds them."""

import numpy as np
import pytest

from tests.models.speech.toy_speech import run, speech, word
from voicestream.models.speech.conclusion import FEWEST_PHONES, Scores, conclude

FLUENT = run([0.2 * n for n in range(20)], 0.2)
HALTING = run([1.0 * n for n in range(20)], 0.4)


def test_fluent_speech_scores_above_halting_speech_on_every_scale() -> None:
    fluent, halting = (conclude(speech(words)).scores for words in (FLUENT, HALTING))
    for scale in ("overall", "pronunciation", "fluency", "intonation"):
        assert getattr(fluent, scale) > getattr(halting, scale)


def test_scores_are_percent_with_one_decimal() -> None:
    for score in conclude(speech(FLUENT)).scores[:4]:
        assert score is not None
        assert 0.0 <= score <= 100.0
        assert score == round(score, 1)


def test_grammar_and_vocabulary_are_never_scored() -> None:
    scores = conclude(speech(FLUENT)).scores
    assert (scores.grammar, scores.vocabulary) == (None, None)


def test_less_than_half_of_a_sentence_is_not_scored() -> None:
    assert conclude(speech(FLUENT[:10]), ["to"] * 20).scores.overall is not None
    assert conclude(speech(FLUENT[:9]), ["to"] * 20).scores == Scores()


def test_mistakes_cost_pronunciation_where_the_sentence_is_known() -> None:
    wrong = run([0.2 * n for n in range(20)], 0.2, score=40.0)
    good, poor = (conclude(speech(words), ["to"] * 20).scores for words in (FLUENT, wrong))
    assert good.pronunciation is not None
    assert poor.pronunciation is not None
    assert poor.pronunciation < good.pronunciation - 5.0
    assert poor.fluency == good.fluency


def test_bands_go_with_the_scores_there_are() -> None:
    found = conclude(speech(FLUENT))
    assert set(found.bands) == {"overall", "pronunciation", "fluency", "intonation"}
    assert conclude(speech([])).bands == {}


def test_too_few_sounds_have_a_pace_and_no_scores() -> None:
    found = conclude(speech(run([0.0, 0.3])))
    assert sum(len(word.phones) for word in run([0.0, 0.3])) < FEWEST_PHONES
    assert found.scores == Scores()
    assert found.pace is not None


def test_nothing_said_has_nothing() -> None:
    found = conclude(speech([], samples=np.zeros(16000, np.float32)))
    assert (found.scores, found.pace, found.melody) == (Scores(), None, (None, None))


@pytest.mark.parametrize("sentence", [None, ["to"]])
def test_words_without_sounds_do_no_harm(sentence: list[str] | None) -> None:
    words = [word("a", 0.1 * n, 0.1 * n + 0.1, "AH")._replace(phones=()) for n in range(3)]
    assert conclude(speech(words), sentence).scores == Scores()
