"""Calls with hostile JSON: every field missing, of another type, huge, deep, doubled; and what must hold whatever comes.

The normal run draws few examples, `scripts/test --fuzz` 100,000 per dialect.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, note, settings

from tests.protocols import hook
from tests.protocols.tape import HOSTILE, Tape, mutated, places, slot, spelled, tapes
from voicestream.errors import CALL_REFUSED, INTERNAL
from voicestream.protocols.audiohook import AudioHook, Options
from voicestream.protocols.base import NEVER, Close, Dialect
from voicestream.protocols.twilio import Twilio
from voicestream.sessions.vocabulary import Audio, CallRefused, CallState, Event, Failed, Finished, Opened

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


def converse(tape: Tape, dialect: Dialect, messages: list[str | bytes]) -> None:
    watched = Watched(dialect)
    now = 0.0
    for message in messages:
        if isinstance(message, str) and tape.below(4) == 3:
            message = mutated(tape, message)
            note(message[:500])
        now += tape.choice((0.0, 0.02, 1.0, 6.0))
        watched.step(message, tape.below(3 * len(RESULTS)), now)
    while dialect.deadline < NEVER:
        watched.take(dialect.tick(dialect.deadline))
    assert watched.is_closed


def twilio(tape: Tape) -> None:
    chosen = (TWILIO[1], *tape.several(TWILIO, 8))
    converse(tape, Twilio(0.0), [json.dumps(message) for message in chosen])


def audiohook(tape: Tape) -> None:
    options = Options(unknown_call=tape.choice(("pause", "disconnect")), after_result=tape.choice(("disconnect", "pause")))
    messages: list[str | bytes] = []
    seq = 0
    for kind, parameters in (HOOK[0], *tape.several([*HOOK, (b"", {}), (b"ab", {}), (bytes(50_000), {})], 8)):
        seq += isinstance(kind, str)
        messages.append(kind if isinstance(kind, bytes) else hook.text(kind, parameters, seq))
    converse(tape, AudioHook(hook.SESSION, hook.ORGANIZATION, 0.0, options), messages)


DIALECTS = {"twilio": twilio, "audiohook": audiohook}


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=200, deadline=None)
@given(tape=tapes())
def test_hostile_messages_change_nothing_that_must_hold(name: str, tape: Tape) -> None:
    DIALECTS[name](tape)


@pytest.mark.fuzz
@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=100_000, deadline=None)
@given(tape=tapes())
def test_a_hundred_thousand_conversations(name: str, tape: Tape) -> None:
    DIALECTS[name](tape)


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
        container[key] = slot(hostile or "null")
        Watched(make()).step(spelled(value), 99, 0.0)
