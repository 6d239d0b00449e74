"""Results as ELSA's clients read them: the names of the specification, always all of them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.assessment.fake_assessor import assessed
from voicestream.protocols.elsa_json import result_object, transcript_object
from voicestream.sessions.assessment import Listening, unspoken
from voicestream.sessions.assessment_result import Assessment, Level, Melody, Phone, Scores, Utterance, Word
from voicestream.sessions.vocabulary import Assessing

FREE = assessed(np.full(16000, 1000, np.int16), None)  # two words of M and R, the R always an L
SCRIPTED = replace(FREE, sentence="two words left", omitted=(2,), inserted=("uh",))
UNSPOKEN = unspoken(Listening(Assessing("standard", ("pizza party",))))
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
    "pronunciation_rate_metrics", "words", "has_speech", "eps_score", "pronunciation_score_partial", "cefr_score", "cefr_range",
    "pausing_metrics", "ielts_score", "toefl_score", "toeic_score", "pte_score",
}  # fmt: skip
SPEED = {f"{kind}{unit}_per_minute" for kind in ("", "articulated_") for unit in ("words", "syllables", "phones")}
RATES = {f"correct_{unit}_{kind}" for unit in ("words", "syllables", "phones") for kind in ("per_minute", "ratio")}


def speaker(assessment: Assessment) -> dict[str, Any]:
    (one,) = result_object(assessment)["speakers"]
    return dict(one)


def test_what_was_not_understood_is_of_low_quality() -> None:
    assert result_object(FREE)["assessment_quality"] == "ok"
    for attempt in ("IRRELEVANT", "UNSPOKEN"):
        assert result_object(replace(FREE, attempt=attempt))["assessment_quality"] == "low"


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


@pytest.mark.parametrize("assessment", [SCRIPTED, UNSPOKEN])
def test_every_key_of_a_given_sentence_is_there(assessment: Assessment) -> None:
    told = result_object(assessment)
    assert set(told) == {"api_version", "total_time", "utterance", "success"}
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


def test_a_level_is_told_with_the_levels_that_its_doubt_leaves() -> None:
    general = speaker(FREE)["metrics"]["general_scores"]
    assert {name: told for name, told in general["cefr"].items() if told} == {"fluency_cefr": "B2"}
    assert {name: told for name, told in general["cefr_range"].items() if told} == {"fluency_cefr": ["B1", "C1"]}
    (utterance,) = result_object(replace(SCRIPTED, levels={"overall": Level("A2", "A1", "B1")}))["utterance"]
    assert (utterance["cefr_score"], utterance["cefr_range"]) == ("A2", ["A1", "B1"])


@pytest.mark.parametrize("assessment", [replace(FREE, recording="noisy"), replace(FREE, scores=Scores())])
def test_no_level_without_its_score_nor_of_a_poor_recording(assessment: Assessment) -> None:
    assert set(speaker(assessment)["metrics"]["general_scores"]["cefr"].values()) == {None}


def test_words_and_phones_have_their_times_and_their_places_in_the_text() -> None:
    word = speaker(FREE)["utterances"][0]["result"]["words"][1]  # w1000000 w1000000
    phonemes = word.pop("phonemes")
    assert word == {
        "text": "w1000000", "start_index": 9, "end_index": 16, "start_time": 0.5, "end_time": 1.0, "decoded": True, "ipa": "mɹ",
        "trans_arpabet": "M R", "nativeness_score": 61.0, "decision": "warning", "confidence": 0.8, "word_stress": [],
    }  # fmt: skip
    assert phonemes[1] == {
        "text": "1", "trans": "ɹ", "trans_arpabet": "R", "start_index": 10, "end_index": 10, "start_time": 0.75, "end_time": 1.0,
        "nativeness_score": 32.0, "decision": "incorrect", "phoneme_error": "l", "phoneme_error_arpabet": "L", "feedback": [],
    }  # fmt: skip


def test_every_word_of_a_sentence_stands_in_its_place_and_what_was_not_said_is_not_decoded() -> None:
    said = (Word("the", 1.0, 1.2, 90.0, (), place=0), Word("end", 1.2, 1.5, 90.0, (), place=3))
    told = result_object(replace(SCRIPTED, sentence="the  very the end", utterances=(Utterance("", said),), omitted=(1, 2)))
    words = told["utterance"][0]["words"]
    assert [(word["text"], word["start_index"], word["end_index"], word["decoded"]) for word in words] == [
        ("the", 0, 2, True), ("very", 5, 8, False), ("the", 10, 12, False), ("end", 14, 16, True),
    ]  # fmt: skip
    assert told["utterance"][0]["omitted_words"] == ["very", "the"]
    assert (words[1]["nativeness_score"], words[1]["decision"], words[1]["start_time"]) == (0.0, "incorrect", None)
    assert words[1].keys() == words[0].keys()


def test_flags_are_flags() -> None:
    """`initial_silence` warns who speaks before the recording begins; clients in typed languages take nothing but a boolean."""
    (told,) = result_object(SCRIPTED)["utterance"]
    assert (told["initial_silence"], told["has_speech"]) == (False, True)
    late = Utterance("", (Word("two", 0.3, 0.5, 90.0, (), place=0),))
    assert result_object(replace(SCRIPTED, utterances=(late,)))["utterance"][0]["initial_silence"] is True
    (told,) = result_object(UNSPOKEN)["utterance"]
    assert (told["initial_silence"], told["has_speech"], told["attempt_type"]) == (True, False, "UNSPOKEN")
    assert [word["decoded"] for word in told["words"]] == [False, False]


def test_pauses_are_a_share_of_the_time_with_the_silence_before_them_and_without() -> None:
    words = (Word("two", 1.0, 1.5, 90.0, (), place=0), Word("words", 2.5, 3.0, 90.0, (), place=1))
    assert SCRIPTED.pace is not None
    pace = replace(SCRIPTED.pace, pauses=((1.5, 2.5),))
    (told,) = result_object(replace(SCRIPTED, utterances=(Utterance("", words),), pace=pace))["utterance"]
    assert told["pausing_metrics"] == {
        "pause_ratio": 0.667, "pause_ratio_without_initial_sil": 0.5, "pausing_score_percentage": None,
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


def test_a_transcript_tells_what_is_amiss_with_it() -> None:
    for error in ("too_long", "not_understood"):
        assert transcript_object(replace(FREE, partial_error=error))["partial_error"] == error
    for error in (None, "too_short"):  # for a score, that is
        assert set(transcript_object(replace(FREE, partial_error=error))) == {"utterances"}
