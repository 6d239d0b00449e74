"""What is said and what answers mean, without a socket."""

import json

import pytest

from tests.cli.assessment.golden import FREE, SENTENCE
from voicestream.cli.assessment.talk import FreeTalk, News, SentenceTalk, Talk
from voicestream.errors import PeerError


def test_the_configuration_has_exactly_the_official_clients_fields() -> None:
    assert json.loads(FreeTalk("premium").opening()) == {"api_plan": "premium", "return_json": True}


def test_a_sentence_is_given_in_the_stream_info() -> None:
    info = {"api_plan": "standard", "sentence": "pizza party"}
    assert json.loads(SentenceTalk("pizza party").opening()) == {"type": "ELSA:start_stream", "data": {"stream_info": info}}


@pytest.mark.parametrize(
    "told, news",
    [
        ({"status": "processing", "stream_id": "s"}, News(begin=True)),
        ({"status": "processing", "message": "Finished receiving audio"}, News(enough=True)),
        ({"status": "accepted", "stream_id": "s"}, News()),
        ({"status": "paused"}, News()),
        ({"status": "something new"}, News()),
        ({"status": "bad_quality", "reason": "clipped"}, News(warning="the recording is of bad quality: clipped")),
    ],
)
def test_statuses(told: dict[str, str], news: News) -> None:
    assert FreeTalk().hear(json.dumps(told)) == news


@pytest.mark.parametrize(
    "told, news",
    [
        ({"type": "ELSA:wsConnect"}, News()),
        ({"type": "ELSA:start_stream_result", "data": {"stream_id": "s"}}, News(begin=True)),
        ({"type": "ELSA:audioACK", "data": {"packet": 1}}, News()),
        ({"type": "ELSA:stopped_listening"}, News(enough=True)),
        ({"type": "ELSA:warning", "message": "noisy"}, News(warning="noisy")),
        ({"type": "ELSA:decoding_result", "data": {"utterance": [], "stream_finished": False}}, News()),
    ],
)
def test_types(told: dict[str, object], news: News) -> None:
    assert SentenceTalk("x").hear(json.dumps(told)) == news


def test_results_are_handed_on_whole() -> None:
    success = {"status": "success", **FREE}
    assert FreeTalk().hear(json.dumps(success)).result == success
    decoded = {"type": "ELSA:decoding_result", "data": {**SENTENCE, "stream_finished": True}}
    assert SentenceTalk("x").hear(json.dumps(decoded)).result == decoded["data"]


@pytest.mark.parametrize(
    "talk, answers, why",
    [
        (FreeTalk(), ['{"status":"failed","reason":"no_audio"}'], "no assessment, no_audio"),
        (FreeTalk(), ['{"status":"bad_quality","reason":"too_noisy"}', '{"status":"failed","reason":"x"}'], "no assessment, x, too_noisy"),
        (FreeTalk(), ['{"status":"failed"}'], "no reason given"),
        (FreeTalk(), ['{"type":"ELSA:wsConnect"}'], "without a status"),
        (SentenceTalk("x"), ['{"type":"ELSA:error","message":"bad"}'], "no assessment, bad"),
        (SentenceTalk("x"), ['{"status":"success"}'], "without a type"),
        (FreeTalk(), ["[]"], "no JSON object"),
        (SentenceTalk("x"), ["200"], "no JSON object"),
        (FreeTalk(), ["[" * 100_000], "no JSON object"),
    ],
)
def test_no_result_is_told_with_the_servers_reason(talk: Talk, answers: list[str], why: str) -> None:
    for answer in answers[:-1]:
        talk.hear(answer)
    with pytest.raises(PeerError) as caught:
        talk.hear(answers[-1])
    assert caught.value.fault.code == "VS1022"
    assert why in caught.value.detail
