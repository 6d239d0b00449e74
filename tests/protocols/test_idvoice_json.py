"""Numbers, field order and spacing of the published text (idvoice.md sections 3, 5, 6 and 9)."""

import pytest

from voicestream.protocols.idvoice_json import (
    compact,
    file_summary_object,
    frame_start_sample,
    frames_s,
    samples_s,
    score_object,
    spaced,
    stream_summary_object,
    widen,
    window_object,
)
from voicestream.protocols.summary_text import SummaryText
from voicestream.sessions.vocabulary import Interval, LabelLog, SummaryState, Window

SPEC_SUMMARY = (
    '{"current_background_length": 0.0, "speech_length": 0.05999999865889549, "current_speech_summary": '
    '{"background_length": 0.05999999865889549, "speech_signal_length": 0.05999999865889549, "total_length": 0.125, "vad_result": '
    '{"frame_length_ms": 30.0, "frames": [false, false, true, true]}}, "speech_events": [{"is_voice": false, "audio_interval": '
    '{"end_sample": 960, "end_time": 60, "sample_rate": 16000, "start_sample": 0, "start_time": 0}}, {"is_voice": true, '
    '"audio_interval": {"end_sample": 1920, "end_time": 120, "sample_rate": 16000, "start_sample": 960, "start_time": 60}}]}'
)
SPEC_WINDOWS = (
    '[{"audio_interval": {"end_sample": 48000, "end_time": 3000, "sample_rate": 16000, "start_sample": 0, "start_time": 0}, '
    '"verify_result": {"probability": 0.9750000238418579, "score": 0.6119999885559082}}, {"audio_interval": {"end_sample": 64000, '
    '"end_time": 4000, "sample_rate": 16000, "start_sample": 16000, "start_time": 1000}, "verify_result": '
    '{"probability": 0.9819999933242798, "score": 0.6309999823570251}}]'
)


def state_of(labels: bytes, samples: int, rate_hz: int = 16000) -> SummaryState:
    log = LabelLog(rate_hz)
    log.append(labels)
    return SummaryState(log, samples, len(labels), log.speech_frames, len(log.run_starts))


def test_lengths_are_rounded_to_float32_once() -> None:
    published = {1: "0.029999999329447746", 11: "0.33000001311302185", 45: "1.350000023841858", 57: "1.7100000381469727",
                 437: "13.109999656677246", 0: "0.0", 1000: "30.0"}  # fmt: skip
    assert {frames: repr(frames_s(frames)) for frames in published} == published


def test_total_length_counts_every_sample() -> None:
    published = ["0.38331249356269836", "0.7666249871253967", "1.1499375104904175", "1.5332499742507935",
                 "1.916562557220459", "2.299875020980835", "2.683187484741211", "3.066499948501587"]  # fmt: skip
    assert [repr(samples_s(6133 * count, 16000)) for count in range(1, 9)] == published
    assert repr(samples_s(210_152, 16000)) == "13.134499549865723"


def test_scores_look_like_widened_float32() -> None:
    assert compact(score_object(0.99993687, 0.64846808)) == '{"probability":0.9999368786811829,"score":0.6484680771827698}'
    assert repr(widen(1e-9)) == "9.999999717180685e-10"


def test_no_answer_holds_nan_or_infinity() -> None:
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError):
            spaced(score_object(number, 0.0))


@pytest.mark.parametrize("rate_hz, starts", [(16000, [0, 480, 960]), (11025, [0, 330, 661, 992]), (22050, [0, 661, 1323])])
def test_frames_start_where_integers_say(rate_hz: int, starts: list[int]) -> None:
    assert [frame_start_sample(frame, rate_hz) for frame in range(len(starts))] == starts


def test_times_are_truncated_to_milliseconds() -> None:
    interval = Interval(24150, 48000, 8000)
    assert '"start_time": 3018' in spaced(window_object(Window(interval, 0.5, 0.5)))


def test_windows_are_spelled_as_in_the_specification() -> None:
    windows = [Window(Interval(0, 48000, 16000), 0.975, 0.612), Window(Interval(16000, 64000, 16000), 0.982, 0.631)]
    assert spaced([window_object(window) for window in windows]) == SPEC_WINDOWS


def test_a_stream_summary_is_spelled_as_in_the_specification() -> None:
    state = state_of(b"\0\0\1\1", 2000)
    assert spaced(stream_summary_object(state)) == SPEC_SUMMARY
    assert SummaryText().render(state) == SPEC_SUMMARY


def test_the_published_first_answer_and_whole_file() -> None:
    first = spaced(stream_summary_object(state_of(bytes(11) + b"\1", 6133)))
    assert first.startswith('{"current_background_length": 0.0, "speech_length": 0.029999999329447746, "current_speech_summary": '
                            '{"background_length": 0.33000001311302185, "speech_signal_length": 0.029999999329447746, '
                            '"total_length": 0.38331249356269836, "vad_result": {"frame_length_ms": 30.0, "frames": [false, ')  # fmt: skip
    whole = compact(file_summary_object(state_of(bytes(45) + b"\1" * 57, 49064)))
    assert whole.startswith('{"background_length":1.350000023841858,"speech_signal_length":1.7100000381469727,'
                            '"total_length":3.066499948501587,"vad_result":{"frame_length_ms":30.0,"frames":[false,')  # fmt: skip
    assert whole.endswith('"start_sample":21600,"start_time":1350}}]}')


def test_before_the_first_frame_the_events_are_an_empty_list() -> None:
    state = state_of(b"", 100)
    assert spaced(stream_summary_object(state)).endswith('"total_length": 0.0062500000931322575, "vad_result": '
                                                         '{"frame_length_ms": 30.0, "frames": []}}, "speech_events": []}')  # fmt: skip
    assert SummaryText().render(state) == spaced(stream_summary_object(state))
