"""Windows, hops and what is remembered (idvoice.md section 6), with a voice that is an angle."""

from math import cos

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sessions.toy import LateFront, ToyFront, ToyModel, audio, cut, hear, template
from voicestream.codecs.opus import OpusEncoder
from voicestream.errors import OPUS_PACKET
from voicestream.sessions.verification import VerificationSession
from voicestream.sessions.vocabulary import Audio, Failed, Job, Result, Verification, Verified, Window

RATE_HZ = 8000


def session(window_s: float = 3.0, context_s: float = 3.0, hop_s: float = 1.0, rate_hz: int = RATE_HZ, model: ToyModel | None = None,
            front: type[ToyFront] = ToyFront) -> VerificationSession:  # fmt: skip
    return VerificationSession(Verification(rate_hz, template(0.0), window_s, context_s, hop_s), model or ToyModel(), front)


def windows(results: list[Result]) -> list[Window]:
    told: list[Window] = []
    for result in results:
        assert isinstance(result, Verified)
        told.extend(result.windows)
    return told


def scores(results: list[Result]) -> list[float]:
    return [round(window.score, 4) for window in windows(results)]


@pytest.mark.parametrize(
    "window_s, told", [(3.0, [0, 3, 3, 3, 2, 3, 3, 3, 2, 3]), (10.0, [0, 0, 0, 2, 2, 3, 3, 3, 2, 3])], ids=["window 3", "window 10"]
)
def test_the_elements_the_published_client_gets(window_s: float, told: list[int]) -> None:
    results = hear(session(window_s, 10.0, rate_hz=16000), *[b"\1" * 88064] * 10)
    assert [len(windows([result])) for result in results] == told


def test_windows_lie_one_hop_apart_in_samples_of_the_declared_rate() -> None:
    told = windows(hear(session(1.5, 1.5, 0.5, 11025), bytes(2 * 11025 * 3)))
    assert [(window.interval.start_sample, window.interval.end_sample) for window in told] == [
        (0, 16538), (5512, 22050), (11024, 27562), (16536, 33074),
    ]  # fmt: skip
    assert {window.interval.rate_hz for window in told} == {11025}


def test_a_window_is_told_with_its_last_sample_and_not_before() -> None:
    listener = session()
    pcm = audio(RATE_HZ, (3.0, 1))
    assert hear(listener, pcm[:-1]) == [Verified(())]
    assert len(windows(hear(listener, pcm[-1:]))) == 1
    assert hear(listener, b"") == [Verified(())]


def test_each_window_is_the_voice_of_its_own_speech() -> None:
    levels = [(1.0, 0.1), (1.0, 0.2), (1.0, 0.3), (1.0, 0.4)]
    told = scores(hear(session(1.0, 1.0), audio(RATE_HZ, *levels)))
    assert told == pytest.approx([cos(0.1), cos(0.2), cos(0.3), cos(0.4)], abs=1e-4)


def test_rows_and_labels_of_a_window_meet_in_time() -> None:
    """0.3 s of speech from 1.2 s on: of the rows whose middle lies in it, none is missed and none is wrong."""
    model = ToyModel()
    hear(session(2.0, 2.0, 0.5, model=model), audio(RATE_HZ, (1.2, 0), (0.6, 1), (0.7, 0)))
    assert model.embedded_rows == [(0, 198, 60), (50, 198, 60)]


def test_the_context_is_the_mean_of_the_windows_that_lie_in_it() -> None:
    angles = [0.1, 0.5, 0.9, 1.3, 0.2]
    told = scores(hear(session(1.0, 3.0), audio(RATE_HZ, *[(1.0, angle) for angle in angles])))
    means = []
    for end in range(1, 6):
        remembered = angles[max(0, end - 3) : end]
        mean = np.mean([[np.cos(angle), np.sin(angle)] for angle in remembered], axis=0)
        means.append(mean[0] / np.hypot(*mean))
    assert told == pytest.approx(means, abs=1e-4)


def test_a_context_as_long_as_the_window_is_this_window_alone() -> None:
    told = scores(hear(session(1.0, 1.0), audio(RATE_HZ, (1.0, 0.9), (1.0, 0.1))))
    assert told[1] == pytest.approx(cos(0.1), abs=1e-4)


def test_a_window_without_enough_speech_adds_no_voice() -> None:
    model = ToyModel()
    told = windows(hear(session(1.0, 2.0, model=model), audio(RATE_HZ, (1, 0), (0.6, 0), (0.4, 0.5), (1, 0.3), (1, 0), (1, 0))))
    assert [(window.probability, round(window.score, 3)) for window in told] == [
        (0.0, 0.0),  # silence
        (0.0, 0.0),  # 0.4 s of speech are too little
        (pytest.approx(0.978, abs=1e-3), 0.955),
        (pytest.approx(0.978, abs=1e-3), 0.955),  # silence again, the voice before it is remembered
        (0.0, 0.0),  # and forgotten
    ]
    assert len(model.embedded_rows) == 1


def test_half_a_short_window_of_speech_is_enough() -> None:
    assert scores(hear(session(0.5, 0.5), audio(RATE_HZ, (0.5, 0.3)))) == [pytest.approx(cos(0.3), abs=1e-4)]


def test_net_speech_that_windows_share_counts_once() -> None:
    model = ToyModel()
    hear(session(2.0, 4.0, model=model), audio(RATE_HZ, (5.0, 1)))
    assert model.net_speech_s == [1.98, 2.98, 3.98, 3.98]
    model = ToyModel()
    hear(session(1.0, 6.0, model=model), audio(RATE_HZ, (2.0, 1), (1.0, 0), (1.0, 1)))
    assert model.net_speech_s == [0.98, 1.96, 1.96, 2.94]  # the 25 ms across a border belong to neither side


def test_a_hop_longer_than_the_window_leaves_out_what_is_between() -> None:
    model = ToyModel()
    hear(session(0.5, 2.0, 1.5, model=model), *cut(audio(RATE_HZ, (4.0, 1)), 320))
    assert [first for first, _, _ in model.embedded_rows] == [0, 150, 300]


PIECES = st.lists(st.integers(1, 40_000), min_size=1, max_size=5)


@pytest.mark.parametrize("front", [ToyFront, LateFront])
@settings(max_examples=40, deadline=None)
@given(PIECES, st.sampled_from([8000, 11025, 22050]), st.sampled_from([(0.5, 0.5, 1.0), (1.0, 2.5, 0.3), (0.73, 3.0, 0.61)]))
def test_pieces_give_the_same_as_the_whole(
    front: type[ToyFront], sizes: list[int], rate_hz: int, spans: tuple[float, float, float]
) -> None:
    pcm = audio(rate_hz, (0.7, 0.2), (0.3, 0), (0.9, 0.6), (0.05, 0), (1.3, 0.4)) + b"\1"
    whole, pieces = ToyModel(), ToyModel()
    all_at_once = windows(hear(session(*spans, rate_hz, whole, front), pcm))
    assert windows(hear(session(*spans, rate_hz, pieces, front), *cut(pcm, *sizes))) == all_at_once
    assert pieces == whole
    assert all_at_once


def test_all_windows_of_a_message_are_one_job_of_the_model() -> None:
    listener = session(model=ToyModel(heavy=True))
    job = listener.feed(Audio(audio(RATE_HZ, (6.0, 1))))
    assert isinstance(job, Job)
    assert (job.model, job.heavy) == ("toy", True)
    assert len(windows([job.run()])) == 4
    assert listener.heard_s == 6.0


def test_memory_is_bounded_by_the_window_also_after_a_long_message() -> None:
    listener = session(rate_hz=16000)
    hear(listener, bytes(2 * 16000 * 65))
    hear(listener, *[bytes(640)] * 500)
    rows_of_20 = listener._memory.held_bytes // 2 * 20
    assert rows_of_20 <= 27_000
    assert len(listener._memory._labels) <= 150


def test_a_bad_packet_adds_nothing() -> None:
    listener = VerificationSession(Verification(16000, template(0.0), 0.5, 0.5, 1.0, "opus"), ToyModel(), ToyFront)
    packet = OpusEncoder(16000).encode(np.zeros(320, np.int16))
    results = hear(listener, *[packet] * 24, b"\x03", b"", packet)
    assert results[24:] == [Failed(OPUS_PACKET), Verified(()), results[-1]]
    assert len(windows(results[-1:])) == 1


def test_the_front_end_is_that_of_the_model_whatever_the_rate() -> None:
    plans = []
    model = ToyModel()
    VerificationSession(
        Verification(48000, template(0.0), 3.0, 10.0), model, lambda plan: plans.append(plan) or ToyFront(plan)  # type: ignore[func-returns-value]
    )  # fmt: skip
    assert [(plan.rate_hz, plan.analysis_hz, plan.features) for plan in plans] == [(48000, 8000, model.features)]
