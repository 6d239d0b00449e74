"""Reading assessments: what is there is read, what is not is not missed."""

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.assessment.golden import FREE, MARKET, SENTENCE
from voicestream.cli.assessment.answer import find_result, read_result
from voicestream.cli.assessment.finding import Confusion, Score, Word
from voicestream.errors import PeerError


def market(finding: Any) -> Word:
    word: Word = finding.words[4]
    return word


def test_scores_of_free_speech_in_order_with_their_words_and_levels() -> None:
    assert read_result(FREE).scores == (
        Score("overall", None),
        Score("pronunciation", 78.0, "good", "B2", ("B1", "C1")),
        Score("fluency", 93.1, "excellent", "C1"),
        Score("intonation", 69.5, "fair", "B1"),
        Score("grammar", None),
    )


def test_words_have_their_times_and_sounds() -> None:
    finding = read_result(FREE)
    assert [word.text for word in finding.words] == ["I", "went", "to", "the", "market"]
    assert [word.band for word in finding.words] == ["good", "fair", "good", "good", "poor"]
    assert market(finding).span_s == (1.52, 2.04)
    assert [sound.ipa for sound in market(finding).sounds] == ["m", "ɑ", "ɹ", "k", "ə", "t"]


def test_what_was_said_instead_is_found_among_the_top_errors() -> None:
    finding = read_result(FREE)
    assert finding.confusions == (Confusion("ɹ", "l", 2, ("market",)),)
    assert [sound.said for sound in market(finding).sounds] == [None, None, "l", None, None, None]


def test_a_sound_that_was_left_out_is_no_unknown_one() -> None:
    told = copy.deepcopy(FREE)
    error = told["speakers"][0]["feedbacks"]["pronunciation"]["top_errors"][0]["errors"][0]
    error |= {"error_phoneme": None, "type": "deletion"}
    assert market(read_result(told)).sounds[2].said == ""


def test_facts_and_notes() -> None:
    finding = read_result(FREE)
    assert ("pace", "118.4 words a minute") in finding.facts
    assert "IELTS" not in dict(finding.facts)
    assert finding.notes == ("There was too little speech for some of the scores: they want about 20 seconds.",)


def test_the_vendors_sentence() -> None:
    finding = read_result(SENTENCE)
    pizza, party = finding.words
    assert finding.sentence == "pizza party"
    assert finding.total_s == 1.9
    assert finding.scores[0] == Score("overall", 64.0)
    assert not finding.doubts_levels
    assert pizza.span_s == (0.4, 0.9)
    assert (pizza.sounds[0].ipa, pizza.sounds[0].said, pizza.sounds[0].hint) == ("p", "b", "Let out a puff of air.")
    assert party.skipped
    assert finding.facts == (
        ("pace", "96 words a minute"),
        ("pace without pauses", "120.2 words a minute"),
        ("right words", "50 %"),
        ("silence between words", "12 %"),
        ("signal to noise", "23.5 dB"),
    )
    assert finding.confusions == (Confusion("p", "b", 1, ("pizza",)),)
    assert finding.notes == ("The recording is noisy: the scores may be off.",)


def test_pauses_are_those_that_were_told() -> None:
    told = copy.deepcopy(FREE)
    assert read_result(told).pauses == ((0.8, 1.5),)
    fluency = told["speakers"][0]["metrics"]["other_metrics"]["fluency"]
    fluency["pauses"] = [[0.1, "0.5"], [0.7], [0.9, 0.8], "1.0", [1.1, None]]
    assert read_result(told).pauses == ((0.1, 0.5),)
    fluency["pauses"] = []
    assert read_result(told).pauses == ()


def test_pauses_that_were_not_told_are_the_silences_between_words() -> None:
    told = copy.deepcopy(FREE)
    del told["speakers"][0]["metrics"]["other_metrics"]["fluency"]["pauses"]
    found = read_result(told)
    assert found.told_pauses is None
    assert [end_s - start_s for start_s, end_s in found.pauses] == pytest.approx([0.57])


def spoken(words: list[dict[str, Any]], sentence: str, **fields: Any) -> tuple[Word, ...]:
    return read_result({"utterance": [{"sentence": sentence, "words": words, **fields}]}).words


def test_an_index_is_a_place_in_the_sentence_or_a_frame() -> None:
    places = [{"text": "pizza", "start_index": 0, "end_index": 4}, {"text": "party", "start_index": 6, "end_index": 10}]
    assert [word.span_s for word in spoken(places, "pizza party")] == [None, None]
    frames = [{"text": "pizza", "start_index": 40, "end_index": 90}, {"text": "party", "start_index": 96, "end_index": 150}]
    assert [word.span_s for word in spoken(frames, "pizza party")] == [(0.4, 0.9), (0.96, 1.5)]


@pytest.mark.parametrize("start_s, end_s", [(2.0, 1.0), (1.0, 1.0), (-0.5, 1.0), (None, 1.0)])
def test_times_that_cannot_be_are_no_times(start_s: float | None, end_s: float) -> None:
    assert spoken([{"text": "x", "start_time": start_s, "end_time": end_s}], "x")[0].span_s is None


def test_scores_stay_on_their_scale() -> None:
    assert [word.score for word in spoken([{"text": "x", "nativeness_score": score} for score in (-3, 130)], "")] == [0.0, 100.0]


def test_an_error_is_that_of_its_words_and_no_others() -> None:
    told = copy.deepcopy(FREE)
    words = told["speakers"][0]["utterances"][0]["result"]["words"]
    words[3] = copy.deepcopy(MARKET) | {"text": "mark"}
    assert [sound.said for sound in read_result(told).words[3].sounds] == [None] * 6


def test_words_left_out_stand_where_they_belong() -> None:
    words = [{"text": text, "nativeness_score": 90} for text in ("i", "to", "market")]
    told = spoken(words, "I went to the Market.", omitted_words=["went", "the"])
    assert [(word.text, word.skipped) for word in told] == [("i", False), ("went", True), ("to", False), ("the", True), ("market", False)]


def test_a_result_may_lie_one_level_deeper() -> None:
    assert find_result({"status": "success", "result": FREE}) is FREE
    assert find_result({"status": "success", "result_link": "https://x"}) is None


@pytest.mark.parametrize("told", [None, [], "x", {}, {"status": "success"}, {"speakers": {}}, {"utterance": "x"}])
def test_what_is_no_assessment_is_told(told: object) -> None:
    with pytest.raises(PeerError, match="VS1022"):
        read_result(told)


@pytest.mark.parametrize("value", [None, True, "NaN", "1e999", float("nan"), [], {}, "high"])
def test_what_is_no_number_is_no_score(value: object) -> None:
    told = copy.deepcopy(FREE)
    told["speakers"][0]["metrics"]["general_scores"]["elsa"]["fluency_score"] = value
    assert read_result(told).scores[2].value is None


def test_terminal_escapes_are_taken_out() -> None:
    told = json.loads(json.dumps(FREE).replace("market", "\\u001b[31m"))
    assert market(read_result(told)).text == "?[31m"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8), lambda deeper: st.lists(deeper, max_size=3), max_leaves=6
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(golden=st.sampled_from([FREE, SENTENCE]), seed=st.randoms(use_true_random=False), value=JSON)
def test_anything_anywhere_is_read(golden: dict[str, Any], seed: Any, value: Any) -> None:
    """One value of a golden answer replaced by anything: it is read, or refused as no assessment."""
    told = copy.deepcopy(golden)
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            places.append((node, key))
            if isinstance(child, (dict, list)):
                walk(child)

    walk(told)
    node, key = seed.choice(places)
    node[key] = value
    try:
        finding = read_result(told)
    except PeerError:
        return
    for word in finding.words:
        assert word.span_s is None or 0 <= word.span_s[0] < word.span_s[1]
        assert word.score is None or 0 <= word.score <= 100
