"""Results as ELSA's clients read them: the names of the specification, always all of them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.assessment.fake_assessor import assessed
from voicestream.protocols.elsa_json import result_object, transcript_object
from voicestream.sessions.assessment import unspoken
from voicestream.sessions.assessment_result import Assessment, Melody, Phone, Scores, Utterance, Word

FREE = assessed(np.full(16000, 1000, np.int16), None)  # two words of M and R, the R always an L
SCRIPTED = replace(FREE, sentence="two words left", omitted=("left",), inserted=("uh",))
NOTHING = Assessment(0.0, 0.0, 0.0, "no_speech", (), Scores(), None, Melody())

ELSA = {
    f"{name}_{kind}"
    for name in ("eps", "pronunciation", "intonation", "fluency", "grammar", "vocabulary")
    for kind in ("score", "decision")
}
CEFR = {f"{name}_cefr" for name in ("overall", "pronunciation", "intonation", "fluency", "grammar", "vocabulary")}
UTTERANCE = {
    "sentence_id", "sentence", "attempt_type", "initial_silence", "total_time", "snr", "recording_quality", "decision", "ipa",
    "nativeness_score", "nativeness_score_partial", "pronunciation_score", "intonation_score", "fluency_score", "speed_metrics",
    "pronunciation_rate_metrics", "words",
}  # fmt: skip
SPEED = {f"{kind}{unit}_per_minute" for kind in ("", "articulated_") for unit in ("words", "syllables", "phones")}
RATES = {f"correct_{unit}_{kind}" for unit in ("words", "syllables", "phones") for kind in ("per_minute", "ratio")}


def speaker(assessment: Assessment) -> dict[str, Any]:
    (one,) = result_object(assessment)["speakers"]
    return dict(one)


def test_what_was_not_understood_is_of_low_quality() -> None:
    assert result_object(FREE)["assessment_quality"] == "ok"
    assert result_object(replace(FREE, attempt="IRRELEVANT"))["assessment_quality"] == "low"


@pytest.mark.parametrize("assessment", [FREE, NOTHING])
def test_every_key_of_free_speech_is_there(assessment: Assessment) -> None:
    told = result_object(assessment)
    assert set(told) == {"api_version", "total_time", "transcript", "recording_quality", "assessment_quality", "speakers"}
    one = speaker(assessment)
    assert set(one) == {"speaker_id", "total_time", "metrics", "utterances", "feedbacks"}
    general, other = one["metrics"]["general_scores"], one["metrics"]["other_metrics"]
    assert (set(general["elsa"]), set(general["cefr"])) == (ELSA, CEFR)
    assert general["other_scores"] == dict.fromkeys(("ielts_score", "toefl_score", "toeic_score", "pte_score"))
    assert set(other["pronunciation"]) == {"advanced_pronunciation_score"}
    assert set(other["fluency"]) >= {"pausing_score", "words_per_minute"}
    assert set(other["intonation"]) == {"energy_variation", "pitch_variation", "word_prominence_score", "word_prominence_cefr"}


@pytest.mark.parametrize("assessment", [SCRIPTED, unspoken("pizza party", 2.0)])
def test_every_key_of_a_given_sentence_is_there(assessment: Assessment) -> None:
    told = result_object(assessment)
    assert set(told) == {"api_version", "total_time", "utterance"}
    (utterance,) = told["utterance"]
    assert set(utterance) >= UTTERANCE
    assert (set(utterance["speed_metrics"]), set(utterance["pronunciation_rate_metrics"])) == (SPEED, RATES)


def test_scores_are_percent_with_one_decimal_and_a_word() -> None:
    scores = speaker(FREE)["metrics"]["general_scores"]["elsa"]
    assert (scores["eps_score"], scores["eps_decision"]) == (74.2, "good")
    assert (scores["fluency_score"], scores["intonation_decision"]) == (73.1, "fair")
    assert (scores["grammar_score"], scores["grammar_decision"]) == (None, None)


@pytest.mark.parametrize(
    "score, word", [(90.0, "excellent"), (89.9, "great"), (80.0, "great"), (70.0, "good"), (60.0, "fair"), (59.9, "poor")]
)
def test_bands_of_the_decisions(score: float, word: str) -> None:
    told = speaker(replace(FREE, scores=Scores(overall=score)))
    assert told["metrics"]["general_scores"]["elsa"]["eps_decision"] == word


def test_a_band_is_told_where_somebody_knows_it() -> None:
    told = result_object(FREE, lambda aspect, score: "B2" if aspect == "fluency" and score > 73 else None)
    cefr = told["speakers"][0]["metrics"]["general_scores"]["cefr"]
    assert {name for name, band in cefr.items() if band} == {"fluency_cefr"}


def test_words_and_phones_have_their_places() -> None:
    word = speaker(FREE)["utterances"][0]["result"]["words"][1]
    assert (word["start_time"], word["end_time"], word["decision"], word["confidence"]) == (0.5, 1.0, "warning", 0.8)
    assert word["phonemes"][1] == {
        "text": "r", "trans": "ɹ", "trans_arpabet": "R", "start_index": 75, "end_index": 100, "nativeness_score": 32.0,
        "decision": "incorrect", "phoneme_error": "l", "phoneme_error_arpabet": "L",
    }  # fmt: skip


def test_a_sound_that_was_another_is_wrong_whatever_its_score() -> None:
    word = Word("x", 0.0, 1.0, 95.0, (Phone("R", 0.0, 0.5, 95.0, said="L"), Phone("R", 0.5, 1.0, 95.0)))
    told = speaker(replace(FREE, utterances=(Utterance("x", (word,)),)))["utterances"][0]["result"]["words"][0]["phonemes"]
    assert [phoneme["decision"] for phoneme in told] == ["incorrect", "correct"]


def test_top_errors_are_counted_and_the_most_frequent_is_first() -> None:
    sounds = [
        ("TH", "S", "think"),
        ("R", "L", "right"),
        ("TH", "S", "thing"),
        ("TH", "T", "thing"),
        ("T", "", "left"),
        ("TH", "S", "think"),
    ]
    words = tuple(Word(text, 0.0, 1.0, 50.0, (Phone(symbol, 0.0, 1.0, 20.0, said=said),)) for symbol, said, text in sounds)
    top = speaker(replace(FREE, utterances=(Utterance("x", words),)))["feedbacks"]["pronunciation"]["top_errors"]
    assert [error["phoneme"] for error in top] == ["TH", "R", "T"]
    assert top[0]["errors"] == [
        {"error_phoneme": "S", "type": "substitution", "count": 3, "examples": [{"text": "think"}, {"text": "thing"}]},
        {"error_phoneme": "T", "type": "substitution", "count": 1, "examples": [{"text": "thing"}]},
    ]
    assert top[2]["errors"] == [{"error_phoneme": None, "type": "deletion", "count": 1, "examples": [{"text": "left"}]}]


def test_rates_count_what_was_left_out() -> None:
    right = Word("two", 0.0, 0.5, 90.0, (Phone("T", 0.0, 0.2, 90.0), Phone("UW", 0.2, 0.5, 90.0)))
    wrong = Word("words", 0.5, 1.0, 40.0, (Phone("ER", 0.5, 1.0, 40.0),))
    (told,) = result_object(replace(SCRIPTED, utterances=(Utterance("two words", (right, wrong)),)))["utterance"]
    rates = told["pronunciation_rate_metrics"]
    assert (rates["correct_words_ratio"], rates["correct_syllables_ratio"], rates["correct_phones_ratio"]) == (0.333, 0.5, 0.667)
    assert (rates["correct_words_per_minute"], told["omitted_words"], told["inserted_words"]) == (60.0, ["left"], ["uh"])
    assert told["ipa"] == "tu ɝ"


def test_a_partial_error_is_told_where_there_is_one() -> None:
    assert "partial_error" not in result_object(FREE)
    assert result_object(replace(FREE, partial_error="too_short"))["partial_error"] == "too_short"


def test_the_transcript_alone() -> None:
    (told,) = transcript_object(FREE)["utterances"]
    assert set(told) == {"index", "interval", "speaker_id", "words", "confidence", "transcript"}
    assert (told["index"], told["interval"], told["confidence"], told["transcript"]) == (0, [0.0, 1.0], 0.8, "w1000000 w1000000")
    assert told["words"][1] == {
        "word": "w1000000", "end_time": 1.0, "confidence": 0.8, "am_confidence": None, "lm_confidence": None, "start_index": 50,
        "end_index": 100,
    }  # fmt: skip
