"""ELSA's free speech without a loop: the exchange of the specification, each row of its tables, bad messages, closes."""

import json
from itertools import product
from typing import Any

import pytest

from voicestream import errors
from voicestream.errors import ASSESSMENT_CONFIG, ASSESSMENT_IDLE, ASSESSMENT_LATE, ASSESSMENT_SILENT, Fault, MisuseError
from voicestream.protocols.base import NEVER, Close, Goodbye, Incoming
from voicestream.protocols.elsa import TRANSITIONS, Elsa, Input, State
from voicestream.protocols.elsa_option import Options
from voicestream.sessions.assessment_result import Assessment, Melody, Recorded, Scores
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

CONFIG = '{"api_plan":"standard","return_json":true}'
END = '{"type": "ELSA:end_stream"}'  # with the space, as the official client sends it
FINISHED = {"status": "processing", "message": "Finished receiving audio"}
FOUND = Assessment(24.6, 21.4, 20.0, "ok", (), Scores(fluency=73.06), None, Melody())
SUCCESS = Assessed(FOUND, "https://server/r", "https://server/a")
ROOM = 1 << 20


def config(**fields: object) -> str:
    return json.dumps({"api_plan": "standard", **fields})


def events(dialect: Elsa, *messages: Incoming, now: float = 0.0) -> list[Event]:
    return [event for message in messages for event in dialect.receive(message, now)]


def said(dialect: Elsa) -> list[Any]:
    """Objects that we said, a Close as its code."""
    return [message.code if isinstance(message, Close) else json.loads(message) for message in dialect.drain(ROOM)]


def after(*messages: Incoming, options: Options | None = None) -> Elsa:
    """What comes next is what is looked at."""
    dialect = Elsa(0.0, options, new_id=lambda: "s-1")
    events(dialect, *messages)
    dialect.drain(ROOM)
    return dialect


def failed(reason: str) -> list[Any]:
    return [{"status": "failed", "reason": reason}, 1000]


# ---- the exchange


def test_the_exchange_of_the_specification() -> None:
    dialect = Elsa(0.0)
    assert said(dialect) == []  # no greeting: a text without a status makes the client close
    assert events(dialect, CONFIG) == [Opened(Assessing("standard"))]
    (processing,) = said(dialect)
    assert (processing.pop("stream_id")[:2], processing) == ("s-", {"status": "processing"})
    assert events(dialect, b"packet") == [Audio(b"packet")]
    dialect.reply(EndpointState(False))
    assert said(dialect) == []
    assert events(dialect, END) == [Finished()]
    assert said(dialect) == [FINISHED]
    dialect.reply(SUCCESS)
    success, code = said(dialect)
    assert (success["status"], success["result_link"], success["audio_link"]) == ("success", "https://server/r", "https://server/a")
    assert success["speakers"][0]["metrics"]["general_scores"]["elsa"]["fluency_score"] == 73.1  # the result at top level
    assert (code, dialect.deadline, dialect.refusals) == (1000, NEVER, [])


def test_stream_ids_are_not_guessable() -> None:
    dialects = [Elsa(0.0) for _ in range(50)]
    for dialect in dialects:
        events(dialect, CONFIG)
    assert len({said(dialect)[0]["stream_id"] for dialect in dialects}) == 50


@pytest.mark.parametrize("value, merged", [(True, True), ("true", True), (False, False), ("false", False)])
def test_the_result_is_told_to_those_who_want_it(value: object, merged: bool) -> None:
    dialect = after(config(return_json=value), END)
    dialect.reply(SUCCESS)
    assert ("speakers" in said(dialect)[0]) is merged


def test_without_return_json_there_are_links_alone() -> None:
    dialect = after(config(), END)
    dialect.reply(Assessed(Assessment(1.0, 0.5, 9.0, "ok", (), Scores(), None, Melody(), partial_error="too_short"), "r", ""))
    assert said(dialect) == [{"status": "success", "result_link": "r", "audio_link": "", "partial_error": "too_short"}, 1000]


def test_links_alone_that_could_not_be_made_are_a_failure() -> None:
    dialect = after(config(), END)
    dialect.reply(Assessed(FOUND, "", ""))
    assert said(dialect) == failed("server_error")


def test_unknown_fields_are_ignored() -> None:
    assert events(Elsa(0.0), config(sentence="x", codec=[1], type="ELSA:config")) == [Opened(Assessing("standard"))]


def test_what_a_stream_may_be_told() -> None:
    asked = config(api_plan="premium", auto_endpoint=False, endpoint_silence=2, force_grammar_vocab="True")
    assert events(Elsa(0.0), asked) == [Opened(Assessing("premium", (), False, 2.0, True))]


def test_an_endpoint_says_the_same_as_an_end_and_what_comes_later_is_ignored() -> None:
    dialect = after(CONFIG, b"packet")
    dialect.reply(EndpointState(True))
    assert said(dialect) == [FINISHED]
    assert events(dialect, b"late", END, END, CONFIG, "nonsense", b"") == []
    dialect.reply(SUCCESS)
    assert [len(said(dialect)), dialect.refusals] == [2, []]


def test_an_endpoint_and_an_end_that_cross_are_told_once() -> None:
    dialect = after(CONFIG, b"packet")
    events(dialect, END)
    dialect.reply(EndpointState(True))
    assert said(dialect) == [FINISHED]


@pytest.mark.parametrize(
    "word, reason", [("noisy", "too_noisy"), ("clipped", "clipped"), ("quiet", "too_quiet"), ("no_speech", "no_speech")]
)
def test_bad_quality_is_followed_by_the_last_word(word: Recorded, reason: str) -> None:
    dialect = after(CONFIG, b"packet", END)
    dialect.reply(PoorQuality(word))
    assert said(dialect) == [{"status": "bad_quality", "reason": reason}]
    dialect.reply(Failed(ASSESSMENT_SILENT))
    assert said(dialect) == failed("no_audio")


def test_verbose_clients_hear_of_acceptance_and_pauses() -> None:
    dialect = Elsa(0.0, new_id=lambda: "s-1")
    events(dialect, config(verbose=True), now=1.0)
    assert said(dialect) == [{"status": "accepted", "stream_id": "s-1"}, {"status": "processing", "stream_id": "s-1"}]
    events(dialect, b"packet", now=2.0)
    for _ in range(2):  # once for each pause
        assert (dialect.deadline, dialect.tick(7.0), dialect.deadline) == (7.0, (), 32.0)
        assert said(dialect) == [{"status": "paused", "stream_id": "s-1"}]
        events(dialect, b"packet", now=2.0)
    dialect.tick(7.0)
    assert dialect.tick(32.0) == (Finished(ASSESSMENT_IDLE),)


# ---- refusals


@pytest.mark.parametrize(
    "message",
    [
        b"audio first", END, "", "nonsense", "[]", "{}", "5", "null", '{"api_plan":null}', '{"api_plan":"gold"}', config(return_json=1),
        config(return_json="yes"), config(verbose="maybe"), config(endpoint_silence=0), config(endpoint_silence=True),
        config(auto_endpoint=2), config(endpoint_silence="4"),
        '{"api_plan":"standard"' + "[" * 20_000, '{"api_plan":"standard","endpoint_silence":NaN}',
        '{"api_plan":"standard","endpoint_silence":1e999}', '{"api_plan":["standard"]}',
    ],
)  # fmt: skip
def test_what_is_no_configuration(message: Incoming) -> None:
    dialect = Elsa(0.0)
    assert events(dialect, message) == []
    assert said(dialect) == failed("invalid_config")
    assert [refusal.fault for refusal in dialect.refusals] == [ASSESSMENT_CONFIG]


@pytest.mark.parametrize("message", [CONFIG, "nonsense", '{"type":"ELSA:start_stream"}', "{}"])
def test_a_stream_is_configured_once(message: str) -> None:
    dialect = after(CONFIG, b"packet")
    assert events(dialect, message) == [Finished(ASSESSMENT_CONFIG)]
    assert said(dialect) == failed("invalid_config")


def test_a_plan_that_is_not_offered() -> None:
    dialect = Elsa(0.0, Options(plans=("standard",)))
    events(dialect, config(api_plan="premium"))
    assert said(dialect) == failed("not_authorized_plan")


@pytest.mark.parametrize(
    "fault, reason",
    [
        (errors.UNKNOWN_FORMAT, "unsupported_format"), (errors.UNREADABLE_AUDIO, "unsupported_format"),
        (errors.RATE_UNSUPPORTED, "unsupported_format"), (errors.MANY_CHANNELS, "unsupported_format"),
        (errors.NOT_FINITE, "unsupported_format"), (errors.NO_AUDIO, "no_audio"), (ASSESSMENT_SILENT, "no_audio"),
        (ASSESSMENT_IDLE, "timeout"), (ASSESSMENT_LATE, "timeout"), (errors.OVERLOADED, "busy"), (errors.INTERNAL, "server_error"),
    ],
)  # fmt: skip
def test_each_fault_has_its_reason(fault: Fault, reason: str) -> None:
    dialect = after(CONFIG, b"packet")
    dialect.reply(Failed(fault))
    assert said(dialect) == failed(reason)


def test_after_the_last_word_nothing_is_said() -> None:
    dialect = after(CONFIG, END)
    dialect.reply(SUCCESS)
    said(dialect)
    for result in (SUCCESS, PoorQuality("noisy"), EndpointState(True), Failed(errors.INTERNAL)):
        dialect.reply(result)
    dialect.finish(Goodbye.DRAIN)
    assert (said(dialect), events(dialect, CONFIG, b"x")) == ([], [])


# ---- time


def test_a_configuration_is_waited_for_ten_seconds() -> None:
    dialect = Elsa(5.0)
    assert (dialect.deadline, dialect.tick(14.9), said(dialect)) == (15.0, (), [])
    assert (dialect.tick(15.0), said(dialect)) == ((), failed("timeout"))


def test_audio_is_waited_for_thirty_seconds_and_the_session_decides() -> None:
    dialect = after(CONFIG)
    events(dialect, b"packet", now=3.0)
    assert (dialect.tick(33.0), said(dialect)) == ((Finished(ASSESSMENT_IDLE),), [])
    dialect.reply(EndpointState(True))
    assert said(dialect) == [FINISHED]
    assert dialect.deadline == 33.0 + 120.0


@pytest.mark.parametrize("plan, until_s", [("standard", 90.0), ("premium", 180.0)])
@pytest.mark.parametrize("verbose", [False, True])
def test_a_stream_lasts_no_longer_than_its_plan_and_half_a_minute(plan: str, until_s: float, verbose: bool) -> None:
    dialect = after(config(api_plan=plan, verbose=verbose))
    for at_s in range(1, int(until_s), 4):
        events(dialect, b"a little", now=float(at_s))
    assert (dialect.deadline, dialect.tick(until_s)) == (until_s, (Finished(ASSESSMENT_IDLE),))
    assert said(dialect) == []


def test_a_result_is_waited_for_two_minutes() -> None:
    dialect = after(CONFIG)
    events(dialect, END, now=4.0)
    said(dialect)
    assert (dialect.deadline, dialect.tick(124.0), said(dialect)) == (124.0, (Finished(ASSESSMENT_LATE),), failed("timeout"))


# ---- goodbyes


@pytest.mark.parametrize(
    "goodbye, reason, code",
    [(Goodbye.DRAIN, "busy", 1001), (Goodbye.OVERLOAD, "busy", 1000), (Goodbye.INTERNAL, "server_error", 1000),
     (Goodbye.SESSION_TIME, "audio_too_long", 1000)],
)  # fmt: skip
@pytest.mark.parametrize("messages", [(), (CONFIG, b"packet")])
def test_goodbyes_have_a_reason(messages: tuple[Incoming, ...], goodbye: Goodbye, reason: str, code: int) -> None:
    dialect = after(*messages)
    dialect.finish(goodbye)
    assert said(dialect) == [{"status": "failed", "reason": reason}, code]
    assert dialect.deadline == NEVER


def test_a_result_on_its_way_comes_in_a_drain() -> None:
    dialect = after(CONFIG, END)
    dialect.finish(Goodbye.DRAIN)
    assert (said(dialect), dialect.deadline) == ([], 120.0)
    dialect.reply(SUCCESS)
    assert said(dialect)[-1] == 1000


# ---- the table


def test_every_message_in_every_state_follows_the_table() -> None:
    openings: dict[State, tuple[Incoming, ...]] = {State.AWAIT_CONFIG: (), State.STREAMING: (CONFIG,), State.SCORING: (CONFIG, END)}
    inputs: dict[Input, Incoming] = {Input.CONFIG: CONFIG, Input.AUDIO: b"x", Input.END: END}
    for (state, opening), (heard, message) in product(openings.items(), inputs.items()):
        dialect = after(*opening)
        told = events(dialect, message)
        if state is State.SCORING:
            assert (told, said(dialect)) == ([], [])
        elif (state, heard) in TRANSITIONS:
            assert (len(told), said(dialect)[-1:] == [1000]) == (1, False)
        else:
            assert told == ([Finished(ASSESSMENT_CONFIG)] if state is State.STREAMING else [])
            assert said(dialect) == failed("invalid_config")


def test_results_of_other_services_are_a_defect() -> None:
    with pytest.raises(MisuseError):
        after(CONFIG).reply(CallState.HEARD)
