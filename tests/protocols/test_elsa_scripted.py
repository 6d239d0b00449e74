"""ELSA's given sentences without a loop: typed messages, streams one after the other, errors that end a stream."""

import json
from dataclasses import replace
from typing import Any

import pytest

from voicestream.errors import (
    ASSESSMENT_CONFIG,
    ASSESSMENT_IDLE,
    ASSESSMENT_LATE,
    ASSESSMENT_ORDER,
    ASSESSMENT_PLAN,
    ASSESSMENT_SENTENCE,
    OVERLOADED,
    Fault,
    MisuseError,
)
from voicestream.protocols.base import NEVER, Close, Goodbye, Incoming
from voicestream.protocols.elsa_option import Options
from voicestream.protocols.elsa_scripted import ElsaScripted
from voicestream.sessions.assessment_result import Assessment, Melody, Phone, Scores, Utterance, Word
from voicestream.sessions.vocabulary import (
    Assessed,
    Assessing,
    Audio,
    CallState,
    EndpointState,
    Event,
    Failed,
    Finished,
    Opened,
    PoorQuality,
)

END = '{"type":"ELSA:end_stream"}'
PHONE = Phone("V", 0.1, 0.2, 20.0, said="B")
WORDS = (Word("very", 0.1, 0.5, 40.0, (PHONE,)),)
FOUND = Assessment(1.0, 0.5, 20.0, "ok", (Utterance("very", WORDS),), Scores(), None, Melody(), sentence="very")
SUCCESS = Assessed(FOUND, "https://server/r", "https://server/a")
ROOM = 1 << 20


def start(sentence: object = "pizza party", **fields: object) -> str:
    return json.dumps({"type": "ELSA:start_stream", "data": {"stream_info": {"api_plan": "standard", "sentence": sentence, **fields}}})


def events(dialect: ElsaScripted, *messages: Incoming, now: float = 0.0) -> list[Event]:
    return [event for message in messages for event in dialect.receive(message, now)]


def said(dialect: ElsaScripted) -> list[Any]:
    return [message.code if isinstance(message, Close) else json.loads(message) for message in dialect.drain(ROOM)]


def types(dialect: ElsaScripted) -> list[Any]:
    return [message if isinstance(message, int) else message["type"] for message in said(dialect)]


def after(*messages: Incoming, options: Options | None = None) -> ElsaScripted:
    dialect = ElsaScripted(0.0, options, new_id=lambda: "s-1")
    events(dialect, *messages)
    dialect.drain(ROOM)
    return dialect


def error(fault: Fault) -> dict[str, str]:
    return {"type": "ELSA:error", "message": fault.sentence}


def test_the_exchange_of_the_specification() -> None:
    dialect = ElsaScripted(0.0)
    assert said(dialect) == [{"type": "ELSA:wsConnect"}]
    assert events(dialect, start()) == [Opened(Assessing("standard", ("pizza party",)))]
    ((result),) = said(dialect)
    assert (result["type"], result["data"]["stream_id"][:2]) == ("ELSA:start_stream_result", "s-")
    for packet in range(2):
        assert events(dialect, b"packet") == [Audio(b"packet")]
        dialect.reply(EndpointState(False))
        assert said(dialect) == [{"type": "ELSA:audioACK", "data": {"packet": packet}}]
    assert (events(dialect, END), said(dialect)) == ([Finished()], [])
    dialect.reply(SUCCESS)
    told, ready = said(dialect)
    assert (told["type"], told["data"]["stream_finished"], ready) == ("ELSA:decoding_result", True, {"type": "ELSA:ready"})
    assert told["data"]["utterance"][0]["sentence"] == "very"
    assert (told["data"]["result_link"], told["data"]["audio_link"]) == ("https://server/r", "https://server/a")


def test_another_stream_may_follow() -> None:
    dialect = after(start(), b"x", END)
    dialect.reply(SUCCESS)
    assert events(dialect, b"late", END, start("very")) == [Opened(Assessing("standard", ("very",)))]
    events(dialect, b"x")
    dialect.reply(EndpointState(False))
    assert said(dialect)[-1] == {"type": "ELSA:audioACK", "data": {"packet": 0}}


def test_a_list_is_a_choice_of_sentences() -> None:
    for sentence in (["one", " two "], '["one", "two"]'):
        assert events(ElsaScripted(0.0), start(sentence)) == [Opened(Assessing("standard", ("one", "two")))]
    assert events(ElsaScripted(0.0), start("[sic] so")) == [Opened(Assessing("standard", ("[sic] so",)))]


def test_an_endpoint_is_told_and_more_audio_ignored() -> None:
    dialect = after(start(), b"x")
    dialect.reply(EndpointState(True))
    assert types(dialect) == ["ELSA:audioACK", "ELSA:stopped_listening"]
    assert events(dialect, b"x", END, "nonsense", start()) == []
    assert said(dialect) == []


def test_a_poor_recording_is_a_warning() -> None:
    dialect = after(start(), b"x", END)
    dialect.reply(PoorQuality("clipped"))
    assert said(dialect) == [{"type": "ELSA:warning", "message": "The recording is clipped."}]


def test_a_word_that_no_dictionary_has_is_a_warning_before_the_result() -> None:
    dialect = after(start(), b"x", END)
    dialect.reply(replace(SUCCESS, assessment=replace(FOUND, unknown=(0,))))
    warning, *others = said(dialect)
    assert warning == {"type": "ELSA:warning", "message": "A word of the sentence is in no dictionary: its sounds are guessed."}
    assert [message["type"] for message in others] == ["ELSA:decoding_result", "ELSA:ready"]


@pytest.mark.parametrize("asked, hints", [(True, [{"text": "It sounded like b. It should be v.", "language": "en"}]), (False, [])])
def test_hints_are_given_to_those_who_want_them(asked: bool, hints: object) -> None:
    dialect = after(start(return_feedback_hints=asked), END)
    dialect.reply(SUCCESS)
    assert said(dialect)[0]["data"]["utterance"][0]["words"][0]["phonemes"][0]["feedback"] == hints


@pytest.mark.parametrize(
    "message, fault",
    [
        (b"audio first", ASSESSMENT_ORDER), (END, ASSESSMENT_ORDER), ("nonsense", ASSESSMENT_CONFIG), ("{}", ASSESSMENT_CONFIG),
        ('{"type":"ELSA:strange"}', ASSESSMENT_CONFIG), ('{"type":"ELSA:start_stream"}', ASSESSMENT_CONFIG),
        (start(api_plan="gold"), ASSESSMENT_CONFIG), (start(api_plan="premium"), ASSESSMENT_PLAN), (start(None), ASSESSMENT_SENTENCE),
        (start(""), ASSESSMENT_SENTENCE), (start("..."), ASSESSMENT_SENTENCE), (start("x" * 1001), ASSESSMENT_SENTENCE),
        (start([]), ASSESSMENT_SENTENCE), (start(["x"] * 9), ASSESSMENT_SENTENCE), (start([1]), ASSESSMENT_SENTENCE),
        (start({"x": 1}), ASSESSMENT_SENTENCE),
    ],
)  # fmt: skip
def test_an_error_is_a_fixed_sentence_and_another_start_is_welcome(message: Incoming, fault: Fault) -> None:
    dialect = after(options=Options(plans=("standard",)))
    assert events(dialect, message) == []
    assert said(dialect) == [error(fault)]
    assert [refusal.fault for refusal in dialect.refusals] == [fault]
    assert events(dialect, b"late", END, start()) == [Opened(Assessing("standard", ("pizza party",)))]


def test_a_strange_message_ends_the_stream_and_its_session_hears_of_it() -> None:
    dialect = after(start(), b"x")
    assert events(dialect, start("again")) == [Finished(ASSESSMENT_ORDER)]
    assert said(dialect) == [error(ASSESSMENT_ORDER)]
    dialect.reply(SUCCESS)  # that was on its way
    assert said(dialect) == []


def test_a_failure_is_an_error() -> None:
    dialect = after(start(), b"x")
    dialect.reply(Failed(OVERLOADED))
    assert said(dialect) == [error(OVERLOADED)]


def test_too_many_errors_end_the_connection() -> None:
    dialect = after()
    events(dialect, *["nonsense"] * 20)
    assert said(dialect) == [error(ASSESSMENT_CONFIG)] * 16 + [1000]


def test_acknowledgements_do_not_pile_up() -> None:
    dialect = after(start())
    for _ in range(5000):
        events(dialect, b"")
        dialect.reply(EndpointState(False))
    assert len(said(dialect)) == 1000


# ---- time and goodbyes


def test_a_start_is_waited_for_ten_seconds() -> None:
    dialect = after()
    assert (dialect.tick(10.0), said(dialect)) == ((), [error(ASSESSMENT_IDLE), 1000])


def test_a_stream_that_stalls_is_for_the_session_to_decide() -> None:
    dialect = after(start())
    events(dialect, b"x", now=3.0)
    assert (dialect.tick(33.0), said(dialect)) == ((Finished(ASSESSMENT_IDLE),), [])
    dialect.reply(EndpointState(True))
    assert types(dialect) == ["ELSA:stopped_listening"]


def test_a_stream_lasts_no_longer_than_its_plan_and_half_a_minute() -> None:
    dialect = after(start(), END)
    dialect.reply(SUCCESS)
    events(dialect, start(), now=20.0)  # each has its own time
    for at_s in range(21, 110, 4):
        events(dialect, b"a little", now=float(at_s))
    assert (dialect.deadline, dialect.tick(110.0)) == (110.0, (Finished(ASSESSMENT_IDLE),))


def test_a_result_that_takes_too_long_is_an_error_and_ends_its_session() -> None:
    dialect = after(start(), END)
    assert (dialect.tick(120.0), said(dialect)) == ((Finished(ASSESSMENT_LATE),), [error(ASSESSMENT_LATE)])


def test_a_connection_that_nobody_uses_is_closed() -> None:
    dialect = after(start(), END)
    dialect.reply(SUCCESS)
    said(dialect)
    assert (dialect.tick(30.0), said(dialect), dialect.deadline) == ((), [1000], NEVER)


@pytest.mark.parametrize("goodbye, code", [(Goodbye.DRAIN, 1001), (Goodbye.OVERLOAD, 1000), (Goodbye.INTERNAL, 1000)])
def test_goodbyes(goodbye: Goodbye, code: int) -> None:
    dialect = after(start(), b"x")
    dialect.finish(goodbye)
    assert types(dialect) == ["ELSA:error", code]


def test_a_result_on_its_way_comes_in_a_drain_and_is_the_last() -> None:
    dialect = after(start(), END)
    dialect.finish(Goodbye.DRAIN)
    assert (said(dialect), dialect.deadline) == ([], 120.0)
    dialect.reply(SUCCESS)
    assert types(dialect) == ["ELSA:decoding_result", "ELSA:ready", 1001]


def test_results_of_other_services_are_a_defect() -> None:
    with pytest.raises(MisuseError):
        after(start()).reply(CallState.HEARD)
