"""The fast spelling of summaries against its slow, obvious twin."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicestream.protocols.idvoice_json import spaced, stream_summary_object
from voicestream.protocols.summary_text import SummaryText
from voicestream.sessions.vocabulary import LabelLog, SummaryState

RUNS = st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=30)


def states_of(runs: list[tuple[bool, int]], rate_hz: int) -> list[SummaryState]:
    """One state per message, all of one log."""
    log = LabelLog(rate_hz)
    states = []
    for label, count in runs:
        log.append(bytes([label]) * count)
        frames = len(log.labels)
        states.append(SummaryState(log, 3 * rate_hz * frames // 100 + 7, frames, log.speech_frames, len(log.run_starts)))
    return states


@settings(deadline=None)
@given(RUNS, st.sampled_from([8000, 11025, 16000, 44100]), st.integers(0, 40))
def test_every_answer_is_that_of_the_twin_even_when_rendered_late(runs: list[tuple[bool, int]], rate_hz: int, frames_kept: int) -> None:
    states = states_of(runs, rate_hz)
    text = SummaryText(frames_kept)
    assert [text.render(state) for state in states] == [spaced(stream_summary_object(state, frames_kept)) for state in states]


def test_beyond_the_bound_the_tail_is_listed_and_everything_counted() -> None:
    states = states_of([(False, 5), (True, 3), (False, 4), (True, 6)], 16000)
    text = SummaryText(frames_kept=8)
    answer = [json.loads(text.render(state)) for state in states][-1]
    vad = answer["current_speech_summary"]["vad_result"]
    assert vad == {"frame_length_ms": 30.0, "frames": [False] * 2 + [True] * 6, "frames_offset": 10}
    assert answer["speech_length"] == pytest.approx(0.27)
    starts = [event["audio_interval"]["start_sample"] // 480 for event in answer["speech_events"]]
    assert starts == [8, 12]  # the events that ended before frame 10 are gone, the others keep their places


def test_a_bound_of_nothing_lists_no_frame_but_the_open_run() -> None:
    state = states_of([(True, 4)], 8000)[0]
    answer = json.loads(SummaryText(frames_kept=0).render(state))
    assert answer["current_speech_summary"]["vad_result"] == {"frame_length_ms": 30.0, "frames": [], "frames_offset": 4}
    assert len(answer["speech_events"]) == 1


def test_a_day_of_stream_keeps_ten_minutes_of_text() -> None:
    log = LabelLog(8000)
    text = SummaryText()
    for _ in range(200):
        log.append((b"\0" * 10 + b"\1" * 10) * 70)
        text.render(SummaryState(log, 0, len(log.labels), log.speech_frames, len(log.run_starts)))
    assert len(text._frames) == 20_000 * 13 // 2
    assert text._events.count(b"is_voice") == len(text._event_bytes) == 1999
