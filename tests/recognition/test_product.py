"""The vendor's clients, and real speech through real recognition: what they are told is what was said."""

import json
from typing import Any

import trio

from tests.assessment.house import CONFIG, END, packets, wav
from tests.clients.elsa import Scripted, Unscripted, exchange
from tests.recognition.conftest import Place
from tests.recognition.speech import SENTENCE, TALK, likeness, sentence, talk
from voicestream.protocols import elsa, elsa_scripted


def read_out(place: Place, words: str) -> dict[str, Any]:
    """What the vendor's client of given sentences is told of SENTENCE when it should have been `words`."""
    client = Scripted(place.url(elsa_scripted.PATH), place.key, wav(sentence()), 0.01)
    client.sentence = words
    heard = exchange(client)
    assert heard.unknown == []
    result = next(message for message in heard.messages if message["type"] == "ELSA:decoding_result")
    return dict(result["data"]["utterance"][0])


def test_free_speech_is_written_down_and_scored(place: Place) -> None:
    heard = exchange(Unscripted(place.url(elsa.PATH), place.key, wav(talk()), 0.01))
    assert [message["status"] for message in heard.messages] == ["processing", "processing", "success"]
    result = heard.messages[-1]
    assert likeness(result["transcript"], TALK) > 0.9
    assert (result["recording_quality"], result["assessment_quality"], "partial_error" in result) == ("ok", "ok", False)
    (speaker,) = result["speakers"]
    scores = speaker["metrics"]["general_scores"]["elsa"]
    assert min(scores[f"{name}_score"] for name in ("eps", "pronunciation", "fluency", "intonation")) > 70  # she is a native speaker
    words = [word for utterance in speaker["utterances"] for word in utterance["result"]["words"]]
    assert all(word["start_time"] < word["end_time"] for word in words)
    assert [word["start_time"] for word in words] == sorted(word["start_time"] for word in words)


async def test_stream_and_upload_of_the_same_samples_have_the_same_result(place: Place) -> None:
    streamed = (await place.say(CONFIG, *packets(sentence()), END))[0][-1]
    uploaded = await trio.to_thread.run_sync(place.upload, wav(sentence()))
    assert (streamed["speakers"], streamed["transcript"]) == (uploaded["speakers"], uploaded["transcript"])


def test_a_sentence_that_is_read_as_it_stands(place: Place) -> None:
    told = read_out(place, SENTENCE)
    assert (told["attempt_type"], told["omitted_words"], told["inserted_words"]) == ("RELEVANT", [], [])
    assert [word["text"] for word in told["words"]] == SENTENCE.split()
    assert (told["pronunciation_score"] > 75, told["decision"]) == (True, "correct")


def test_a_word_that_was_not_said_is_told(place: Place) -> None:
    told = read_out(place, SENTENCE.replace("only person", "only happy person"))
    assert (told["attempt_type"], told["omitted_words"], told["inserted_words"]) == ("RELEVANT", ["happy"], [])
    assert [word["text"] for word in told["words"] if word["decoded"]] == SENTENCE.split()


def test_a_word_too_many_is_told(place: Place) -> None:
    told = read_out(place, SENTENCE.replace("currently ", ""))
    assert (told["attempt_type"], told["omitted_words"], told["inserted_words"]) == ("RELEVANT", [], ["currently"])


def test_another_sentence_is_no_attempt(place: Place) -> None:
    told = read_out(place, "My brother's yellow bicycle was stolen on Monday")
    assert (told["attempt_type"], told["pronunciation_score"]) == ("IRRELEVANT", None)
    assert not any(word["decoded"] for word in told["words"])


def test_of_several_sentences_the_one_that_was_read_is_found(place: Place) -> None:
    told = read_out(place, json.dumps(["My brother's yellow bicycle was stolen on Monday", SENTENCE]))
    assert (told["sentence"], told["attempt_type"]) == (SENTENCE, "RELEVANT")
