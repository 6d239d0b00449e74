"""Twilio's side of a Media Stream: how it ends."""

import json

import pytest
from trio_websocket import CloseReason

from voicestream.cli.telephone_call import Ending
from voicestream.cli.twilio_caller import TwilioCaller
from voicestream.protocols.base import NEVER

DONE = CloseReason(1000, None)


def test_a_server_that_closes_in_the_middle_has_enough() -> None:
    caller = TwilioCaller("C1")
    caller.lost(DONE)
    assert caller.ending == Ending(enough=True)


def test_a_server_that_closes_after_the_stop_only_closes() -> None:
    caller = TwilioCaller("C1")
    caller.hang_up(0.0)
    caller.lost(DONE)
    assert caller.ending == Ending()


@pytest.mark.parametrize(
    "reason, told",
    [
        (None, "the audio connection was lost"),
        (CloseReason(1006, None), "the audio connection was lost"),
        (CloseReason(1008, "VS1707 no\x1b session"), "the audio connection was closed with 1008, VS1707 no? session"),
        (CloseReason(1013, None), "the audio connection was closed with 1013"),
    ],
)
def test_any_other_close_is_a_failure(reason: CloseReason | None, told: str) -> None:
    caller = TwilioCaller("C1")
    caller.hang_up(0.0)
    caller.lost(reason)
    assert caller.ending == Ending(failure=told)


def test_the_stop_is_said_once_and_the_last_word_waited_for() -> None:
    caller = TwilioCaller("C1", "MZ0")
    assert caller.deadline == NEVER
    caller.drain()
    caller.hang_up(1.0)
    caller.hang_up(2.0)
    (stop,) = map(json.loads, caller.drain())
    assert stop == {
        "event": "stop",
        "sequenceNumber": "2",
        "streamSid": "MZ0",
        "stop": {"accountSid": "AC" + 32 * "0", "callSid": "C1"},
    }
    caller.tick(6.9)
    assert caller.ending is None
    caller.tick(caller.deadline)
    assert (caller.deadline, caller.ending) == (7.0, Ending())


def test_what_a_server_plays_is_not_listened_to() -> None:
    caller = TwilioCaller("C1")
    caller.receive('{"event":"media"}', 0.0)
    caller.receive(b"\x00", 0.0)
    assert caller.ending is None
