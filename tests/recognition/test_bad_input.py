"""What may go wrong with a stream (issue 5), each with its status, from the client's first message to the real models' last word."""

from typing import Any

import numpy as np
import pytest
import trio

from tests.assessment.house import CONFIG, END, START, Samples, packets, wav
from tests.clients.elsa import Scripted, exchange
from tests.recognition.conftest import Place
from tests.recognition.speech import SENTENCE, hold_music, likeness, sentence, spanish
from voicestream.protocols import elsa_scripted

NOBODY = [("processing", None), ("processing", None), ("bad_quality", "no_speech"), ("failed", "no_audio")]


def statuses(texts: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(text["status"], text.get("reason")) for text in texts]


def silence() -> Samples:
    return np.zeros(4 * 16000, np.int16)


@pytest.mark.parametrize("recording", [silence, hold_music])
async def test_where_nobody_speaks_there_is_no_score(place: Place, recording: Any) -> None:
    texts, code = await place.say(CONFIG, *packets(recording()), END)
    assert (statuses(texts), code) == (NOBODY, 1000)


async def test_half_a_second_has_its_word_and_no_score_of_the_whole(place: Place) -> None:
    person = sentence()[int(1.1 * 16000) : int(1.6 * 16000)]
    texts, code = await place.say(CONFIG, wav(person), END)
    assert (texts[-1]["status"], texts[-1]["partial_error"], code) == ("success", "too_short", 1000)
    assert texts[-1]["speakers"][0]["metrics"]["general_scores"]["elsa"]["eps_score"] is None


async def test_another_language_is_not_understood_and_not_scored(place: Place) -> None:
    texts, code = await place.say(CONFIG, *packets(spanish()), END)
    told = texts[-1]
    assert (told["status"], told["partial_error"], told["assessment_quality"], code) == ("success", "not_understood", "low", 1000)
    assert (told["transcript"], told["recording_quality"]) == (None, "ok")
    (speaker,) = told["speakers"]
    assert (speaker["utterances"], speaker["feedbacks"]["pronunciation"]["top_errors"]) == ([], [])
    assert set(speaker["metrics"]["general_scores"]["elsa"].values()) == {None}


async def test_who_asks_for_links_alone_is_told_too_that_it_was_another_language(place: Place) -> None:
    texts, _ = await place.say('{"api_plan":"premium"}', *packets(spanish()), END)
    assert (texts[-1]["status"], texts[-1]["partial_error"]) == ("success", "not_understood")


def test_another_language_is_no_attempt_at_a_sentence(place: Place) -> None:
    client = Scripted(place.url(elsa_scripted.PATH), place.key, wav(spanish()), 0.0)
    client.sentence = "My brother's yellow bicycle was stolen on Monday"
    told = next(message for message in exchange(client).messages if message["type"] == "ELSA:decoding_result")
    assert told["data"]["utterance"][0]["attempt_type"] == "IRRELEVANT"


@pytest.mark.parametrize("size", [700, 16_044])
@pytest.mark.parametrize("told_bytes", [100, 0xFFFFFFFF])
async def test_cut_anywhere_under_a_header_that_lies_every_word_is_heard(place: Place, size: int, told_bytes: int) -> None:
    data = bytearray(wav(sentence()))
    data[40:44] = told_bytes.to_bytes(4, "little")
    texts, code = await place.say(CONFIG, *(bytes(data[begin : begin + size]) for begin in range(0, len(data), size)), END)
    assert (statuses(texts), code) == ([("processing", None), ("processing", None), ("success", None)], 1000)
    assert likeness(texts[-1]["transcript"], SENTENCE) == 1.0


async def test_what_comes_after_the_end_changes_nothing(place: Place) -> None:
    texts, code = await place.say(CONFIG, *packets(sentence()), END, *packets(hold_music()), END, END)
    assert (statuses(texts), code) == ([("processing", None), ("processing", None), ("success", None)], 1000)
    assert (likeness(texts[-1]["transcript"], SENTENCE), texts[-1]["total_time"]) == (1.0, round(len(sentence()) / 16000, 2))


@pytest.mark.parametrize(
    "messages, reason",
    [
        (('{"api_plan":"gold"}',), "invalid_config"),
        ((wav(silence()),), "invalid_config"),
        ((START,), "invalid_config"),
        ((CONFIG, bytes(16000), END), "unsupported_format"),
        ((CONFIG, END, END), "no_audio"),
    ],
    ids=["unknown plan", "no configuration", "of the other protocol", "no audio format", "no audio"],
)
async def test_what_is_no_stream_fails_with_its_reason(place: Place, messages: tuple[str | bytes, ...], reason: str) -> None:
    texts, code = await place.say(*messages)
    assert (texts[-1], code) == ({"status": "failed", "reason": reason}, 1000)


async def test_a_packet_of_thirty_megabytes_ends_its_own_stream_alone(place: Place) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_expect_refused, place)
        texts, _ = await place.say(CONFIG, *packets(sentence()), END)
    assert texts[-1]["status"] == "success"


async def _expect_refused(place: Place) -> None:
    _, code = await place.say(CONFIG, bytes(30 << 20), END)
    assert code == 1009
