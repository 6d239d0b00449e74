"""AudioHook sessions without a loop: the specification's dialogue, media, the state table, pausing, mistakes, ends."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from tests.protocols.hook import CONVERSATION, NIL, ORGANIZATION, ROOM, SESSION, Client, media, opening, text
from voicestream.errors import CALL_REFUSED, INTERNAL, MisuseError
from voicestream.protocols.audiohook import AudioHook, Options
from voicestream.protocols.audiohook_state import DIALOGUE, TRANSITIONS, Action, Input, State
from voicestream.protocols.base import NEVER, Goodbye
from voicestream.sessions.vocabulary import (
    Audio,
    Call,
    CallRefused,
    CallState,
    EndpointState,
    Event,
    Failed,
    Finished,
    Gap,
    Opened,
    Paused,
    Result,
    Resumed,
)

CALL = Call(CONVERSATION, 8000, "mulaw", ORGANIZATION)


def meet(authorized: bool = True, **options: object) -> Client:
    return Client(AudioHook(SESSION, ORGANIZATION, 0.0, Options(**options), authorized=authorized))  # type: ignore[arg-type]


def opened(*offers: dict[str, object], heard: bool = True, pinged: bool = True, **options: object) -> Client:
    """A client whose `open` was answered, whose call is heard and whose first ping came; its events are taken."""
    client = meet(**options)
    client.say("open", opening(*offers))
    if heard:
        client.dialect.reply(CallState.HEARD)
    if pinged:
        client.say("ping")
    client.taken()
    return client


def faults(events: list[Event]) -> list[str | None]:
    """Numbers of the Finished among events."""
    return [event.fault and event.fault.code for event in events if isinstance(event, Finished)]


# ---- the dialogue of the specification


def test_the_transcript_letter_by_letter() -> None:
    dialect = AudioHook(SESSION, ORGANIZATION, 0.0)
    start = '{"version":"2","id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","type":'
    stereo = '{"type":"audio","format":"PCMU","channels":["external","internal"],"rate":8000}'
    mono = '{"type":"audio","format":"PCMU","channels":["external"],"rate":8000}'
    assert dialect.receive(
        start + '"open","seq":1,"serverseq":0,"position":"PT0S","parameters":{"organizationId":"11111111-2222-4333-8444-555555555555",'
        '"conversationId":"888806c3-0000-4000-8000-000000000001","participant":{"id":"22222222-3333-4444-8555-666666666666",'
        '"ani":"+34600000001","aniName":"","dnis":"+34900000002"},"media":[' + stereo + "," + mono + '],"customConfig":{}}}', 0.0,
    ) == (Opened(CALL),)  # fmt: skip
    assert dialect.drain(ROOM) == [start + '"opened","seq":1,"clientseq":1,"parameters":{"media":[' + mono + '],"startPaused":false}}']
    dialect.receive(start + '"ping","seq":2,"serverseq":1,"position":"PT1S","parameters":{}}', 1.0)
    assert dialect.drain(ROOM) == [start + '"pong","seq":2,"clientseq":2,"parameters":{}}']
    dialect.reply(CallState.HEARD)
    dialect.reply(CallState.COLLECTED)
    assert dialect.drain(ROOM) == [start + '"disconnect","seq":3,"clientseq":2,"parameters":{"reason":"completed"}}']
    dialect.receive(start + '"close","seq":3,"serverseq":3,"position":"PT6.2S","parameters":{"reason":"disconnect"}}', 6.2)
    assert dialect.drain(ROOM) == [start + '"closed","seq":4,"clientseq":3,"parameters":{}}']
    assert dialect.refusals == []


def test_a_call_from_open_to_close() -> None:
    client = opened()
    assert client.put(b"abc") == []
    assert client.put(b"") == []
    assert client.say("discarded", {"start": "PT1.5S", "discarded": "PT.25S"}) == []
    assert client.say("update", {"language": "en-US"}) == []
    assert client.say("ping", {"rtt": "PT0.1S"}) == [("pong", {})]
    assert client.say("close", {"reason": "end"}) == [("closed", {})]
    assert client.taken() == [Audio(b"abc"), Gap(2000), Finished()]
    assert client.put(b"late") == []
    assert client.taken() == []


def test_a_probe_is_answered_and_is_no_call() -> None:
    client = meet()
    nobody = {"id": NIL, "ani": "", "aniName": "", "dnis": ""}
    assert client.say("open", opening(conversationId=NIL, participant=nobody)) == [("opened", {"media": [], "startPaused": False})]
    assert client.say("ping") == [("pong", {})]
    assert client.wait(20.0) == []
    assert client.say("close", {"reason": "end"}) == [("closed", {})]
    assert client.taken() == []


def test_optional_parameters_are_understood_or_ignored() -> None:
    client = meet()
    more = {
        "language": "es-ES", "supportedLanguages": True, "continuedSessions": [{"id": SESSION, "serverseq": 1, "clientseq": 2}, 5],
        "inputVariables": {"a": "b"}, "customConfig": {"call_id": "CA1", "other": [[]]}, "new": None,
    }  # fmt: skip
    ((_, parameters),) = client.say("open", opening(**more), extra=5)
    assert parameters == {"media": [media()], "startPaused": False, "supportedLanguages": []}
    assert client.taken() == [Opened(Call("CA1", 8000, "mulaw", ORGANIZATION))]


@pytest.mark.parametrize(
    "config, call_id", [(None, CONVERSATION), ({}, CONVERSATION), ({"call_id": None}, CONVERSATION), ({"call_id": 7}, "7")]
)
def test_the_call_id_is_the_conversation_or_as_configured(config: object, call_id: str) -> None:
    client = meet()
    client.say("open", opening(customConfig=config))
    assert [event.service for event in client.taken() if isinstance(event, Opened)] == [Call(call_id, 8000, "mulaw", ORGANIZATION)]


def test_a_second_open_is_ignored_and_so_is_the_connector() -> None:
    client = opened()
    for kind, parameters in [("open", opening()), ("dtmf", {"digit": "1"}), ("playback_started", {}), ("playback_completed", {})]:
        assert client.say(kind, parameters) == []
    assert client.taken() == []
    assert client.say("ping") == [("pong", {})]


def test_an_error_of_the_client_is_logged_by_its_code() -> None:
    client = opened()
    assert client.say("error", {"code": 409, "message": "secret", "retryAfter": "PT1S"}) == []
    assert [(refusal.fault.code, refusal.detail) for refusal in client.dialect.refusals] == [("VS1733", "code 409")]


# ---- media

STEREO, INVERTED, INTERNAL_ONLY = media("external internal"), media("internal external"), media("internal")
L16 = media(form="L16")
OFFERS: list[tuple[list[dict[str, object]], dict[str, object] | None]] = [
    ([STEREO, media(), INTERNAL_ONLY], media()), ([STEREO, INTERNAL_ONLY], STEREO), ([INTERNAL_ONLY, INVERTED], INVERTED),
    ([INTERNAL_ONLY], INTERNAL_ONLY), ([L16, STEREO], STEREO), ([L16, media("external internal", "L16")], L16), ([INTERNAL_ONLY, L16], L16),
    ([media(rate=16000), media(form="OPUS"), {**media(), "type": "video"}, media("external external")], None),
    ([media(rate=16000), STEREO, INVERTED], STEREO),
]  # fmt: skip


@pytest.mark.parametrize("offers, taken", OFFERS)
def test_the_customers_channel_is_preferred_and_mono(offers: list[dict[str, object]], taken: dict[str, object] | None) -> None:
    client = meet()
    ((_, parameters),) = client.say("open", opening(*offers))
    assert parameters["media"] == ([taken] if taken else [])
    assert bool(client.taken()) == bool(taken)
    assert client.dialect.is_internal == (taken is INTERNAL_ONLY)


def test_no_media_offered_at_all() -> None:
    client = meet()
    assert client.say("open", opening(media=[])) == [("opened", {"media": [], "startPaused": False})]
    assert client.put(b"x") == [("disconnect", {"reason": "error", "info": "Client Error: Unexpected binary message: No media selected"})]


SAMPLES = np.arange(-300, 300, dtype=np.int16)


@pytest.mark.parametrize(
    "offer, frames, heard",
    [
        (media(), bytes(range(256)), bytes(range(256))),
        (STEREO, bytes(range(200)), bytes(range(0, 200, 2))),
        (INVERTED, bytes(range(200)), bytes(range(1, 200, 2))),
        (L16, SAMPLES.astype(">i2").tobytes(), SAMPLES.astype("<i2").tobytes()),
        (media("external internal", "L16"), SAMPLES.astype(">i2").tobytes(), SAMPLES[::2].astype("<i2").tobytes()),
        (media("internal external", "L16"), SAMPLES.astype(">i2").tobytes(), SAMPLES[1::2].astype("<i2").tobytes()),
    ],
)
def test_the_wanted_channel_comes_out(offer: dict[str, object], frames: bytes, heard: bytes) -> None:
    client = opened(offer)
    client.put(frames)
    assert client.taken() == [Audio(heard)]


@pytest.mark.parametrize("offer, count", [(STEREO, 3), (L16, 1), (media("external internal", "L16"), 6)])
def test_audio_of_a_broken_size_is_a_mistake(offer: dict[str, object], count: int) -> None:
    client = opened(offer)
    assert client.put(bytes(count)) == [("disconnect", {"reason": "error", "info": "Client Error: Binary data not a valid audio frame"})]
    assert faults(client.taken()) == ["VS1731"]


# ---- a call nobody asked for


def test_five_seconds_of_time_are_held_then_the_peer_is_asked_to_pause() -> None:
    client = opened(heard=False)
    client.put(b"x" * 100)
    assert client.wait(4.9) == []
    assert client.wait(5.0) == [("pause", {})]
    client.put(b"in flight" * 100_000)
    assert client.taken() == [Audio(b"x" * 100), Paused(forget=True)]
    assert client.say("paused") == []
    client.dialect.reply(CallState.HEARD)
    assert client.heard() == [("resume", {})]
    assert client.say("resumed", {"start": "PT5S", "discarded": "PT10S"}) == []
    client.put(b"y")
    assert client.taken() == [Gap(80_000), Resumed(), Audio(b"y")]


def test_five_seconds_of_samples_are_held() -> None:
    client = opened(heard=False)
    assert client.put(bytes(40_000)) == []
    client.dialect.reply(CallState.HELD)
    assert client.put(b"x") == [("pause", {})]
    assert client.taken() == [Audio(bytes(40_000)), Paused(forget=True)]


def test_a_peer_that_resumes_by_itself_is_held_again() -> None:
    client = opened(heard=False)
    client.put(b"x")
    client.wait(5.0)
    client.say("paused")
    client.say("resumed", {"start": "PT5S", "discarded": "PT0S"})
    assert client.put(bytes(40_000)) == []
    assert client.wait(10.0) == [("pause", {})]


def test_an_operator_may_rather_end_it() -> None:
    client = opened(heard=False, unknown_call="disconnect")
    assert client.wait(5.0) == [("disconnect", {"reason": "error", "info": "no session for this call"})]
    assert faults(client.taken()) == ["VS1707"]


def test_a_stream_may_be_kept_after_its_result() -> None:
    client = opened(after_result="pause")
    client.dialect.reply(CallState.COLLECTED)
    assert client.heard() == [("pause", {})]
    client.say("paused")
    client.dialect.reply(CallState.HEARD)
    assert client.heard() == [("resume", {})]
    client.say("resumed", {"start": "PT5S", "discarded": "PT0S"})
    client.put(b"x")
    assert client.taken() == [Resumed(), Audio(b"x")]


def test_a_kept_stream_that_resumes_by_itself_is_held_for_the_next_session() -> None:
    client = opened(after_result="pause")
    client.dialect.reply(CallState.COLLECTED)
    client.say("paused")
    client.say("resumed", {"start": "PT5S", "discarded": "PT0S"})
    assert client.wait(5.0) == [("pause", {})]


def test_a_call_that_the_peer_paused_is_not_paused_by_us() -> None:
    client = opened(heard=False)
    client.say("paused")
    assert client.wait(6.0) == []


# ---- pausing by the peer


def test_the_peer_pauses_and_resumes() -> None:
    client = opened()
    client.say("paused")
    client.say("paused")
    client.say("resumed", {"start": "PT1S", "discarded": "PT0.5S"})
    client.put(b"x")
    assert client.taken() == [Paused(), Gap(4000), Resumed(), Audio(b"x")]


def test_one_second_of_audio_may_still_be_under_way_when_paused() -> None:
    client = opened(STEREO)
    client.say("paused")
    assert client.put(bytes(16_000)) == []
    assert client.put(bytes(2)) == [("disconnect", {"reason": "error", "info": "Client Error: Received audio in state PAUSED"})]
    assert client.taken()[0] == Paused()


@pytest.mark.parametrize("duration, samples", [("PT1S", 8000), ("PT.5S", 4000), ("PT0.0001S", 1), ("PT" + "9" * 28 + "S", 691_200_000)])
def test_gaps_are_counted_in_samples_and_bounded(duration: str, samples: int) -> None:
    client = opened()
    client.say("discarded", {"start": "PT0S", "discarded": duration})
    assert client.taken() == [Gap(samples)]


# ---- nothing that is not an answer before the first pong


def test_a_result_waits_for_the_first_pong() -> None:
    client = opened(pinged=False)
    client.dialect.reply(CallState.COLLECTED)
    assert client.put(b"more") == []
    assert client.heard() == []
    assert client.say("ping") == [("pong", {}), ("disconnect", {"reason": "completed"})]
    assert client.taken() == []


def test_a_peer_that_resumes_while_a_result_waits_is_not_heard_again() -> None:
    client = opened(pinged=False)
    client.dialect.reply(CallState.COLLECTED)
    client.say("resumed", {"start": "PT0S", "discarded": "PT1S"})
    client.put(b"more")
    assert client.taken() == []
    assert client.say("ping") == [("pong", {}), ("disconnect", {"reason": "completed"})]


def test_or_for_two_seconds() -> None:
    client = opened(pinged=False)
    client.dialect.reply(CallState.COLLECTED)
    assert client.wait(1.9) == []
    assert client.wait(2.0) == [("disconnect", {"reason": "completed"})]


def test_a_pause_waits_as_well_and_a_mistake_does_not() -> None:
    client = opened(heard=False, pinged=False)
    assert client.put(bytes(40_001)) == []
    assert client.put("mist")[0][0] == "disconnect"
    assert client.wait(2.0) == []


# ---- the table

HEARD = CallState.HEARD
STEPS: dict[State, tuple[Any, ...]] = {
    State.PREPARING: (),
    State.HOLDING: ("open",),
    State.ACTIVE: ("open", HEARD),
    State.PAUSED: ("open", HEARD, "paused"),
    State.SIGNALED: ("open", HEARD, CallState.COLLECTED, "ping"),
    State.UNAUTHORIZED: ("open", CallRefused(CALL_REFUSED), "ping"),
    State.CLOSED: ("open", HEARD, "close"),
    State.GONE: (Goodbye.DRAIN,),
}
GAP = {"start": "PT0S", "discarded": "PT1S"}
PARAMETERS: dict[str, dict[str, object]] = {"open": opening(), "close": {"reason": "end"}, "discarded": GAP, "resumed": GAP}


def put(client: Client, step: object) -> None:
    match step:
        case str():
            client.say(step, PARAMETERS.get(step))
        case Goodbye():
            client.dialect.finish(step)
        case bytes():
            client.put(step)
        case CallState() | CallRefused():
            client.dialect.reply(step)


def at(state: State) -> Client:
    client = meet()
    for step in STEPS[state]:
        put(client, step)
    client.heard()
    client.taken()
    assert client.dialect._state is state
    return client


INPUTS: dict[Input, tuple[str | bytes, dict[str, object]]] = {
    Input.OPEN: ("open", opening()), Input.SILENT_OPEN: ("open", opening(media=[])),
    Input.FOREIGN_OPEN: ("open", opening(organizationId=SESSION)), Input.PING: ("ping", {}), Input.DISCARDED: ("discarded", GAP),
    Input.PAUSED: ("paused", {}), Input.RESUMED: ("resumed", GAP), Input.CLOSE: ("close", {"reason": "error"}), Input.BINARY: (b"x", {}),
}  # fmt: skip
SAID = {
    Action.OPEN: "opened", Action.ANSWER: "opened", Action.DENY: "disconnect", Action.PONG: "pong", Action.CLOSE: "closed",
    Action.REFUSE: "disconnect",
}  # fmt: skip


@pytest.mark.parametrize("state, heard", list(product(State, Input)), ids=lambda value: value.name)
def test_every_state_with_every_message(state: State, heard: Input) -> None:
    client = at(state)
    kind, parameters = INPUTS[heard]
    said = client.put(kind) if isinstance(kind, bytes) else client.say(kind, parameters)
    after, action = TRANSITIONS.get((state, heard), (state, None))
    if action is Action.RESUME:
        after = State.ACTIVE  # somebody listens
    if action is Action.REFUSE:
        after = State.SIGNALED
    assert client.dialect._state is after
    assert [name for name, _ in said] == ([SAID[action]] if action in SAID else [])


def test_what_the_table_lets_pass_without_an_effect() -> None:
    silent = set(product(State, Input)) - set(TRANSITIONS)
    opens = {Input.OPEN, Input.SILENT_OPEN, Input.FOREIGN_OPEN}
    early = set(product([State.PREPARING], [Input.DISCARDED, Input.PAUSED, Input.RESUMED]))
    again = set(product(set(DIALOGUE) - {State.PREPARING}, opens))
    over = set(product([State.CLOSED, State.GONE], Input)) | set(product([State.SIGNALED, State.UNAUTHORIZED], set(Input) - {Input.CLOSE}))
    assert silent == early | again | over


# ---- mistakes of the client

UUID = "99999999-8888-4777-8666-555555555555"
MISTAKES: list[tuple[str, str, str]] = [
    ("x" * 65_536, "Text message too large", "VS1721"), ("é" * 33_000, "Text message too large", "VS1721"),
    *[(broken, "Text message not valid JSON", "VS1722")
      for broken in ("", "x", "{", "\ud800", '{"a":NaN}', '{"a":"\\ud800"}', '{"a":' + "[" * 60_000, '\ufeff{}',
                     text("ping", {}, 3) + " {}")],
    *[(broken, "Message not a well-formed client message", "VS1723") for broken in (
        "[]", "5", "null", "{}", "[" * 60_000, text("ping", {}, 3, version="3"), text("ping", {}, 3, version=2),
        text("ping", {}, 3, id="x"),
        text("ping", {}, 3, id=SESSION + "\n"), text("ping", {}, 3, id="aaaaaaaa-bbbb-6ccc-8ddd-eeeeeeeeeeee"), text("ping", {}, 0),
        text("ping", {}, "3"), text("ping", {}, 3.5), text("ping", {}, 10**30), text("ping", {}, 3, -1),
        text("ping", {}, 3, position="PT1"), text("ping", {}, 3, position="PTS"), text("ping", {}, 3, position="PT١S"),
        text("ping", {}, 3, position="PT1S\n"), text("ping", [], 3), text("ping", None, 3), text("ping", "x", 3), text(5, {}, 3),
        text("ping", {}, 3).replace('"seq":3', '"seq":1e400'))],
    *[(text("ping", {}, seq), "Invalid seq value (not monotonically increasing)", "VS1724") for seq in (1, 2, 4, 1 << 50)],
    (text("ping", {}, 3, 3), "Invalid serverseq value", "VS1725"), (text("ping", {}, 3, id=UUID), "Session identifier mismatch", "VS1726"),
    *[(text(kind, parameters, 3), "Invalid Message: Invalid/missing parameters", "VS1727") for kind, parameters in [
        ("update", {}), ("update", {"language": "english"}), ("update", {"language": "en-US\n"}), ("discarded", {}), ("resumed", {}),
        ("discarded", {"start": "PT0S", "discarded": "1"}), ("discarded", {"start": "PT0S", "discarded": "PT" + "1" * 40 + "S"}),
        ("error", {"code": 418, "message": ""}), ("error", {"code": 400}), ("close", {}), ("close", {"reason": "bye"}),
        ("ping", {"rtt": 5}),
    ]],
    (text("secret", {}, 3), "Invalid Message: unsupported client message", "VS1728"),
    (text("", {}, 3), "Invalid Message: unsupported client message", "VS1728"),
]  # fmt: skip


@pytest.mark.parametrize("message, info, number", MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_told_and_then_only_close_counts(message: str, info: str, number: str) -> None:
    client = opened()
    assert client.put(message) == [("disconnect", {"reason": "error", "info": f"Client Error: {info}"})]
    assert faults(client.taken()) == [number]
    assert [refusal.fault.code for refusal in client.dialect.refusals] == [number]
    assert [client.put(other) for other in (b"x", "mist", text("ping", {}, 4), text("close", {}, 5, id=UUID))] == [[]] * 4
    assert client.put(text("close", {"reason": "disconnect"}, 77)) == [("closed", {})]
    assert client.taken() == []


BAD_OPENINGS: list[dict[str, object]] = [
    opening(organizationId=None), opening(conversationId="x"), opening(participant={}), opening(media=None), opening(media=[5]),
    opening({**media(), "rate": "8000"}), opening(language="EN"), opening(supportedLanguages="yes"), opening(customConfig=[]),
    opening(customConfig={"call_id": ""}), opening(customConfig={"call_id": "x" * 129}), opening(customConfig={"call_id": "a\x00"}),
    opening(customConfig={"call_id": [1]}), opening(customConfig={"a": "x" * 60_000}),
]  # fmt: skip


@pytest.mark.parametrize("parameters", BAD_OPENINGS, ids=range(len(BAD_OPENINGS)))
def test_a_bad_open_opens_nothing(parameters: dict[str, object]) -> None:
    client = meet()
    said = client.say("open", parameters)
    assert said == [("disconnect", {"reason": "error", "info": "Client Error: Invalid Message: Invalid/missing parameters"})]
    assert client.taken() == []


def test_audio_before_open_is_a_mistake() -> None:
    client = meet()
    assert client.put(b"x") == [("disconnect", {"reason": "error", "info": "Client Error: Received audio in state PREPARING"})]


@pytest.mark.parametrize("authorized, organization", [(True, UUID), (False, ORGANIZATION)])
def test_who_is_not_authorised_is_told_so_and_no_more(authorized: bool, organization: str) -> None:
    client = meet(authorized)
    assert client.say("open", opening(organizationId=organization)) == [("disconnect", {"reason": "unauthorized"})]
    assert client.put(b"x") + client.say("ping") == []
    assert client.say("close", {"reason": "disconnect"}) == [("closed", {})]
    assert client.taken() == []


# ---- ends


@pytest.mark.parametrize(
    "result, parameters",
    [
        (CallState.COLLECTED, {"reason": "completed"}),
        (CallRefused(CALL_REFUSED), {"reason": "unauthorized"}),
        (Failed(INTERNAL), {"reason": "error", "info": "Server error"}),
    ],
)
def test_what_the_session_says_ends_the_dialogue(result: Result, parameters: dict[str, str]) -> None:
    client = opened()
    client.dialect.reply(result)
    assert client.heard() == [("disconnect", parameters)]
    client.dialect.reply(result)
    assert client.heard() == []
    assert client.say("close", {"reason": "disconnect"}) == [("closed", {})]


def test_results_of_other_services_are_our_mistake() -> None:
    with pytest.raises(MisuseError):
        opened().dialect.reply(EndpointState(True))


@pytest.mark.parametrize("result", [*CallState, CallRefused(CALL_REFUSED), Failed(INTERNAL)], ids=str)
def test_results_before_open_and_after_close_change_nothing(result: Result) -> None:
    for state in (State.PREPARING, State.CLOSED, State.GONE):
        client = at(state)
        client.dialect.reply(result)
        assert (client.heard(), client.dialect._state) == ([], state)


@pytest.mark.parametrize(
    "state, after_s, code, number",
    [
        (State.PREPARING, 5.0, 1000, "VS1706"), (State.SIGNALED, 10.0, 1000, "VS1734"), (State.UNAUTHORIZED, 10.0, 1000, "VS1734"),
        (State.ACTIVE, 30.0, 1001, "VS1708"), (State.PAUSED, 30.0, 1001, "VS1708"), (State.CLOSED, 10.0, 1000, ""),
    ],
)  # fmt: skip
def test_every_state_ends_in_time(state: State, after_s: float, code: int, number: str) -> None:
    client = at(state)
    assert client.wait(after_s - 0.1) == []
    assert client.wait(after_s) == [(code, number)]
    assert (client.dialect._state, client.dialect.deadline) == (State.GONE, NEVER)
    assert faults(client.taken()) == (["VS1708"] if code == 1001 else [])


def test_pings_keep_a_paused_session_alive() -> None:
    client = at(State.PAUSED)
    for second in range(5, 100, 5):
        assert client.wait(float(second)) == []
        assert client.say("ping") == [("pong", {})]


@pytest.mark.parametrize("goodbye", Goodbye)
@pytest.mark.parametrize("state", [state for state in State if state is not State.GONE])
def test_a_goodbye_is_said_in_every_state(state: State, goodbye: Goodbye) -> None:
    client = at(state)
    client.dialect.finish(goodbye)
    client.dialect.finish(Goodbye.INTERNAL)
    *before, (code, number) = client.heard()
    assert before == ([("disconnect", {"reason": "error", "info": "Server error"})] if state in DIALOGUE else [])
    assert (code, number[:2]) == (goodbye.value, "VS")
