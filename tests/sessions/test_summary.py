"""What a summary counts, at any rate and however messages are cut (idvoice.md sections 3 and 5)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sessions.toy import LateFront, ToyFront, audio, cut, hear
from voicestream.codecs.opus import OpusEncoder
from voicestream.errors import OPUS_PACKET
from voicestream.sessions.summary import SummarySession
from voicestream.sessions.vocabulary import Failed, LabelLog, Result, Summary, SummaryState


def counts(results: list[Result]) -> list[tuple[int, int, int, int]]:
    """Samples, frames, speech frames and frames since speech of each."""
    told = []
    for state in results:
        assert isinstance(state, SummaryState)
        told.append((state.samples, state.frames, state.speech_frames, state.background_run_frames))
    return told


def test_the_frames_of_the_published_messages() -> None:
    session = SummarySession(Summary(16000), ToyFront)
    assert [frames for _, frames, _, _ in counts(hear(session, *[bytes(12266)] * 8))] == [12, 25, 38, 51, 63, 76, 89, 102]
    assert session.heard_s == 49064 / 16000


def test_speech_and_background_are_told_apart() -> None:
    session = SummarySession(Summary(8000), ToyFront)
    messages = [audio(8000, (0.06, 0)), audio(8000, (0.09, 1)), b"", audio(8000, (0.03, 0), (0.02, 1)), audio(8000, (0.01, 1))]
    assert counts(hear(session, *messages)) == [
        (480, 2, 0, 2),
        (1200, 5, 3, 0),
        (1200, 5, 3, 0),
        (1600, 6, 3, 1),
        (1680, 7, 4, 0),
    ]


def test_before_the_first_frame_there_is_nothing() -> None:
    assert counts(hear(SummarySession(Summary(8000), ToyFront), b"", b"\1")) == [(0, 0, 0, 0)] * 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=5), st.sampled_from([8000, 11025, 22050, 48000]))
def test_pieces_give_the_same_as_the_whole(sizes: list[int], rate_hz: int) -> None:
    pcm = audio(rate_hz, (0.1, 0), (0.2, 1), (0.07, 0), (0.03, 1), (0.11, 0)) + b"\0"
    whole = hear(SummarySession(Summary(rate_hz), ToyFront), pcm)[-1]
    pieces = hear(SummarySession(Summary(rate_hz), ToyFront), *cut(pcm, *sizes))[-1]
    assert counts([pieces]) == counts([whole])
    assert isinstance(pieces, SummaryState)
    assert isinstance(whole, SummaryState)
    assert pieces.log.labels == whole.log.labels
    assert pieces.log.run_starts == whole.log.run_starts


def test_the_end_of_a_recording_brings_the_frame_the_resampler_held() -> None:
    session = SummarySession(Summary(44100), LateFront)
    assert counts(hear(session, audio(44100, (0.09, 1)))) == [(3969, 2, 2, 0)]
    assert counts([session.finish()]) == [(3969, 3, 3, 0)]


@pytest.mark.parametrize("rate_hz, analysis_hz", [(8000, 8000), (11025, 8000), (12000, 8000), (16000, 16000), (48000, 16000)])
def test_labels_are_found_at_the_lower_of_the_analysis_rates(rate_hz: int, analysis_hz: int) -> None:
    plans = []
    SummarySession(Summary(rate_hz), lambda plan: plans.append(plan) or ToyFront(plan))  # type: ignore[func-returns-value]
    assert [(plan.encoding, plan.rate_hz, plan.analysis_hz, plan.features) for plan in plans] == [("pcm16", rate_hz, analysis_hz, None)]


def test_an_answer_that_waits_is_not_changed_by_what_comes_after() -> None:
    session = SummarySession(Summary(8000), ToyFront)
    (early,) = hear(session, audio(8000, (0.06, 0), (0.06, 1), (0.06, 0)))
    before = counts([early])
    hear(session, audio(8000, (0.06, 0), (0.3, 1)))
    assert counts([early]) == before == [(1440, 6, 2, 2)]


def test_opus_packets_of_20_ms_step_the_frames_unevenly() -> None:
    session = SummarySession(Summary(16000, "opus"), ToyFront)
    encoder = OpusEncoder(16000)
    packets = [encoder.encode(np.zeros(320, np.int16)) for _ in range(6)]
    assert [frames for _, frames, _, _ in counts(hear(session, *packets))] == [0, 1, 2, 2, 3, 4]


def test_bad_and_empty_packets_add_nothing() -> None:
    session = SummarySession(Summary(16000, "opus"), ToyFront)
    packet = OpusEncoder(16000).encode(np.zeros(640, np.int16))
    first, bad, empty = hear(session, packet, b"\x03", b"")
    assert bad == Failed(OPUS_PACKET)
    assert counts([first]) == counts([empty]) == [(640, 1, 0, 1)]


def test_a_log_keeps_the_first_frame_of_each_run() -> None:
    log = LabelLog(8000)
    for labels in (b"\0", b"\0\1", b"", b"\1\1\0", b"\0\1"):
        log.append(labels)
    assert (list(log.run_starts), log.speech_frames, bytes(log.labels)) == ([0, 2, 5, 7], 4, b"\0\0\1\1\1\0\0\1")
