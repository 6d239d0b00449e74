"""Enough speech, then enough silence: the rule and the latch of idvoice.md section 4."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sessions.toy import LateFront, ToyFront, audio, cut, hear
from voicestream.codecs.opus import OpusEncoder
from voicestream.errors import OPUS_PACKET
from voicestream.sessions.endpointing import EndpointingSession
from voicestream.sessions.vocabulary import Endpointing, EndpointState, Failed, Result


def session(min_speech_ms: int, max_silence_ms: int, rate_hz: int = 16000) -> EndpointingSession:
    return EndpointingSession(Endpointing(rate_hz, min_speech_ms, max_silence_ms), ToyFront)


def flags(results: list[Result]) -> str:
    return "".join("T" if result == EndpointState(True) else "f" for result in results)


def frames(pattern: str) -> list[bytes]:
    """One 30 ms message per letter, s speech and . silence; a blank ends a message, so runs are one message."""
    return [b"".join(audio(16000, (0.03, letter == "s")) for letter in word) for word in pattern.split()]


def test_the_transcript_of_the_specification() -> None:
    speech, silence = b"\1\1", b"\0\0"
    messages = [speech * 4800, silence * 7920, silence * 240, silence * 3200, speech * 1600]
    assert [len(message) for message in messages] == [9600, 15840, 480, 6400, 3200]
    assert flags(hear(session(300, 500), *messages)) == "ffTTf"


@pytest.mark.parametrize(
    "min_speech_ms, max_silence_ms, pattern, told",
    [
        (90, 60, "s s s . .", "ffffT"),
        (91, 60, "s s s . . . .", "fffffff"),  # one millisecond of speech is missing
        (90, 61, "s s s . . .", "fffffT"),  # a silent frame more
        (90, 60, "s . s . s . .", "ffffffT"),  # speech in total, not in one piece
        (0, 0, ". . s .", "fffT"),  # one frame of each at least
        (0, 600000, "s . .", "fff"),
        (30, 30, "s . . . s .", "fTTTfT"),  # latched, then armed anew
        (60, 30, "ss . s . s .", "fTfffT"),  # speech before the re-arming does not count
        (30, 30, "s.s", "T"),  # the end falls into a long message
        (30, 30, "s. s", "Tf"),
        (30, 30, "s. ..s", "Tf"),  # latched silence, then speech: nothing ended in this message
        (30, 30, "s. .s.", "TT"),
    ],
)
def test_frame_by_frame(min_speech_ms: int, max_silence_ms: int, pattern: str, told: str) -> None:
    assert flags(hear(session(min_speech_ms, max_silence_ms), *frames(pattern))) == told


def test_an_empty_message_asks_for_the_present_state() -> None:
    assert flags(hear(session(30, 30), b"", *frames("s ."), b"", b"")) == "ffTTT"


@settings(max_examples=60, deadline=None)
@given(st.text("s.", min_size=1, max_size=30), st.lists(st.integers(1, 2000), min_size=1, max_size=4))
def test_the_state_in_the_end_does_not_depend_on_the_cuts(pattern: str, sizes: list[int]) -> None:
    whole = b"".join(frames(" ".join(pattern)))
    by_frame = hear(session(60, 60), *frames(" ".join(pattern)))[-1]
    pieces = hear(session(60, 60), *cut(whole, *sizes), b"")[-1]
    assert pieces == by_frame


def test_seconds_heard_are_counted_at_the_declared_rate() -> None:
    listener = EndpointingSession(Endpointing(44100, 1, 1), LateFront)
    hear(listener, bytes(44100), bytes(44101))
    assert listener.heard_s == 1.0


def test_a_bad_packet_changes_nothing() -> None:
    listener = EndpointingSession(Endpointing(16000, 30, 30, "opus"), ToyFront)
    encoder = OpusEncoder(16000)
    loud = encoder.encode(np.full(320, 9000, np.int16))
    silent = encoder.encode(np.zeros(320, np.int16))
    assert hear(listener, loud, loud, b"")[-1] == EndpointState(False)
    before = listener.heard_s
    assert hear(listener, b"\x03") == [Failed(OPUS_PACKET)]
    assert listener.heard_s == before == 0.04
    assert hear(listener, silent) == [EndpointState(False)]
