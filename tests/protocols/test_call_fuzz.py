"""Calls with hostile JSON: every field missing, of another type, huge, deep, doubled; and what must hold whatever comes.

The normal run draws few examples, `scripts/test --fuzz` 100,000 per dialect.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocols import hook
from voicestream.errors import CALL_REFUSED, INTERNAL
from voicestream.protocols.audiohook import AudioHook, Options
from voicestream.protocols.base import NEVER, Close, Dialect
from voicestream.protocols.twilio import Twilio
from voicestream.sessions.vocabulary import Audio, CallRefused, CallState, Event, Failed, Finished, Opened

# JSON texts put in place of a value; "" takes the field away
HOSTILE = (
    "", "null", "true", "0", "-1", "1.5", "1e400", "NaN", "Infinity", "9" * 400, '""', '"x"', '"\\u0000"', '"\\ud800"', '"é"', '"1"',
    "[]", "{}", "[{}]", "[" * 40_000, "[" * 3000 + "]" * 3000, '{"a":' * 3000 + "1" + "}" * 3000, '"' + "x" * 70_000 + '"', '"QQ=="', "\\",
)  # fmt: skip
MARK = "\ue000"

TWILIO: list[dict[str, Any]] = [
    {"event": "connected", "protocol": "Call", "version": "1.0.0"},
    {"event": "start", "sequenceNumber": "1", "streamSid": "MZ", "start": {
        "streamSid": "MZ", "accountSid": "AC", "callSid": "CA", "tracks": ["inbound"], "customParameters": {"apikey": "k", "call_id": "c"},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}}},
    {"event": "media", "sequenceNumber": "2", "streamSid": "MZ", "media": {"track": "inbound", "chunk": "1", "timestamp": "0",
                                                                        "payload": "/w=="}},
    {"event": "dtmf", "streamSid": "MZ", "dtmf": {"track": "inbound_track", "digit": "1"}},
    {"event": "stop", "streamSid": "MZ", "stop": {"accountSid": "AC", "callSid": "CA"}},
]  # fmt: skip
GAP = {"start": "PT0S", "discarded": "PT1S"}
HOOK: list[tuple[str, dict[str, Any]]] = [
    ("open", hook.opening(hook.media("external internal"), hook.media(),
                          language="es-ES", supportedLanguages=True, customConfig={"call_id": "c"})),
    ("ping", {"rtt": "PT0.1S"}), ("update", {"language": "en-US"}), ("discarded", GAP), ("paused", {}), ("resumed", GAP),
    ("error", {"code": 400, "message": "m"}), ("close", {"reason": "end"}),
]  # fmt: skip
RESULTS = [*CallState, CallRefused(CALL_REFUSED), Failed(INTERNAL)]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every value inside `value`."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from places(inner)


@st.composite
def mutated(draw: st.DrawFn, message: str) -> str:
    """`message` with a hostile value somewhere, a key doubled, or a piece cut out."""
    how = draw(st.integers(0, 9))
    if how == 0:
        begin, end = sorted((draw(st.integers(0, len(message))), draw(st.integers(0, len(message)))))
        return message[:begin] + message[end:]
    if how == 1:
        return '{"event":5,"seq":"x",' + message[1:]
    value = json.loads(message)
    container, key = draw(st.sampled_from(list(places(value))))
    hostile = draw(st.sampled_from(HOSTILE))
    if hostile:
        container[key] = MARK
    else:
        del container[key]
    return json.dumps(value).replace(json.dumps(MARK), hostile)


class Watched:
    """A dialect whose every word and event is held against what must always hold."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.is_open = self.is_closed = self.was_open = False

    def take(self, events: Any) -> None:
        for event in events:
            match event:
                case Opened():
                    assert not self.was_open
                    self.was_open = self.is_open = True
                case Audio(payload):
                    assert self.is_open
                    assert payload
                case Finished():
                    assert self.is_open
                    self.is_open = False
                case _:
                    assert isinstance(event, Event)
                    assert self.was_open
        for said in self.dialect.drain(hook.ROOM):
            assert not self.is_closed
            if isinstance(said, Close):
                assert len(said.reason.encode()) <= 60
                self.is_closed = True
            else:
                assert isinstance(said, str)
                assert json.loads(said)["type"] in {"opened", "pong", "pause", "resume", "disconnect", "closed"}
        assert (self.dialect.deadline == NEVER) == self.is_closed

    def step(self, message: str | bytes | None, choice: int, now: float) -> None:
        """Hear `message`; then as `choice` says the session answers or time passes."""
        if message is not None:
            self.take(self.dialect.receive(message, now))
        if choice < len(RESULTS) and self.was_open:
            self.dialect.reply(RESULTS[choice])
            self.take(())
        if choice == len(RESULTS) and self.dialect.deadline <= now:
            self.take(self.dialect.tick(now))


def converse(data: st.DataObject, dialect: Dialect, messages: list[str | bytes]) -> None:
    watched = Watched(dialect)
    now = 0.0
    for message in messages:
        if isinstance(message, str) and data.draw(st.integers(0, 3)) == 0:
            message = data.draw(mutated(message))
        now += data.draw(st.sampled_from([0.0, 0.02, 1.0, 6.0]))
        watched.step(message, data.draw(st.integers(0, 3 * len(RESULTS))), now)
    while dialect.deadline < NEVER:
        watched.take(dialect.tick(dialect.deadline))
    assert watched.is_closed


def twilio(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(TWILIO), max_size=8))
    texts: list[str | bytes] = [json.dumps(message) for message in (TWILIO[1], *chosen)]
    converse(data, Twilio(0.0), texts)


def audiohook(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from([*HOOK, (b"", {}), (b"ab", {}), (bytes(50_000), {})]), max_size=8))
    options = Options(
        unknown_call=data.draw(st.sampled_from(["pause", "disconnect"])), after_result=data.draw(st.sampled_from(["disconnect", "pause"]))
    )
    messages: list[str | bytes] = []
    seq = 0
    for kind, parameters in (HOOK[0], *chosen):
        seq += isinstance(kind, str)
        messages.append(kind if isinstance(kind, bytes) else hook.text(kind, parameters, seq))
    converse(data, AudioHook(hook.SESSION, hook.ORGANIZATION, 0.0, options), messages)


DIALECTS = {"twilio": twilio, "audiohook": audiohook}


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_hostile_messages_change_nothing_that_must_hold(name: str, data: st.DataObject) -> None:
    DIALECTS[name](data)


@pytest.mark.fuzz
@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=100_000, deadline=None)
@given(data=st.data())
def test_a_hundred_thousand_conversations(name: str, data: st.DataObject) -> None:
    DIALECTS[name](data)


OPENINGS: dict[str, tuple[Callable[[], Dialect], str]] = {
    "twilio": (lambda: Twilio(0.0), json.dumps(TWILIO[1])),
    "audiohook": (lambda: AudioHook(hook.SESSION, hook.ORGANIZATION, 0.0), hook.text("open", HOOK[0][1], 1)),
}


@pytest.mark.parametrize("name", OPENINGS)
@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_every_field_of_the_opening_with_every_hostile_value(name: str, hostile: str) -> None:
    make, message = OPENINGS[name]
    for place in range(len([*places(json.loads(message))])):
        value = json.loads(message)
        container, key = [*places(value)][place]
        container[key] = MARK
        Watched(make()).step(json.dumps(value).replace(json.dumps(MARK), hostile or "null"), 99, 0.0)
