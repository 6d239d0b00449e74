"""The JSON objects of the IDVoice family, in the field order and with the numbers of the published text.

WebSocket answers have `, ` and `: ` between things, HTTP answers neither blank: `spaced` and `compact`.
Numbers look like widened float32: rounded to float32 once, printed as the shortest text of that double
(idvoice.md sections 3, 5 and 6).
"""

import json
from collections.abc import Mapping, Sequence
from struct import Struct
from typing import TypeAlias

from voicestream.sessions.vocabulary import Interval, SummaryState, Window

Json: TypeAlias = Mapping[str, object] | Sequence[object] | str | float | bool | None

FRAME_MS = 30
FRAMES_KEPT = 20_000  # ten minutes; what lies before is counted but not listed

_FLOAT32 = Struct("<f")


def spaced(value: Json) -> str:
    """Spell `value` as WebSocket answers are spelled."""
    return json.dumps(value, allow_nan=False)


def compact(value: Json) -> str:
    """Spell `value` as HTTP answers are spelled."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def widen(value: float) -> float:
    """Round `value` to float32 once and widen it: its repr is the published number text (0.33 -> 0.33000001311302185)."""
    widened: float = _FLOAT32.unpack(_FLOAT32.pack(value))[0]
    return widened


def frames_s(frames: int) -> float:
    """Length of `frames` frames in seconds: the product in double, rounded once."""
    return widen(frames * 0.03)


def samples_s(samples: int, rate_hz: int) -> float:
    """Length of `samples` samples in seconds."""
    return widen(samples / rate_hz)


def frame_start_sample(frame: int, rate_hz: int) -> int:
    """First input sample of 30 ms frame `frame`, in integers because it falls between samples at 11025 and 22050 Hz."""
    return 3 * rate_hz * frame // 100


def interval_object(interval: Interval) -> Json:
    """{"end_sample", "end_time", "sample_rate", "start_sample", "start_time"}: end exclusive, times truncated ms."""
    rate_hz = interval.rate_hz
    return {
        "end_sample": interval.end_sample,
        "end_time": interval.end_sample * 1000 // rate_hz,
        "sample_rate": rate_hz,
        "start_sample": interval.start_sample,
        "start_time": interval.start_sample * 1000 // rate_hz,
    }


def score_object(probability: float, score: float) -> Json:
    """{"probability", "score"}: the answer of a match and the `verify_result` of a window."""
    return {"probability": widen(probability), "score": widen(score)}


def window_object(window: Window) -> Json:
    """One element of a verification answer."""
    return {"audio_interval": interval_object(window.interval), "verify_result": score_object(window.probability, window.score)}


def stream_summary_object(state: SummaryState, frames_kept: int = FRAMES_KEPT) -> Json:
    """The answer of /speech_summary_stream, listing the last `frames_kept` frames."""
    return {
        "current_background_length": frames_s(state.background_run_frames),
        "speech_length": frames_s(state.speech_frames),
        "current_speech_summary": _lengths(state, frames_kept),
        "speech_events": _events(state, frames_kept),
    }


def file_summary_object(state: SummaryState, frames_kept: int = FRAMES_KEPT) -> Json:
    """The answer of /speech_summary_engine/get_speech_summary_from_*, listing the last `frames_kept` frames."""
    return {**_lengths(state, frames_kept), "speech_events": _events(state, frames_kept)}


def _lengths(state: SummaryState, frames_kept: int) -> dict[str, object]:
    offset = max(0, state.frames - frames_kept)
    vad: dict[str, object] = {
        "frame_length_ms": float(FRAME_MS),
        "frames": [label == 1 for label in state.log.labels[offset : state.frames]],
    }
    if offset:
        vad["frames_offset"] = offset
    return {
        "background_length": frames_s(state.frames - state.speech_frames),
        "speech_signal_length": frames_s(state.speech_frames),
        "total_length": samples_s(state.samples, state.log.rate_hz),
        "vad_result": vad,
    }


def _events(state: SummaryState, frames_kept: int) -> list[Json]:
    offset = max(0, state.frames - frames_kept)
    ended = enumerate(state.log.run_starts[1 : state.runs])
    events = [_event(state, run, end) for run, end in ended if end > offset]
    return [*events, _event(state, state.runs - 1, state.frames)] if state.runs else []


def _event(state: SummaryState, run: int, end_frame: int) -> Json:
    log = state.log
    start_frame = log.run_starts[run]
    interval = Interval(frame_start_sample(start_frame, log.rate_hz), frame_start_sample(end_frame, log.rate_hz), log.rate_hz)
    return {"is_voice": log.labels[start_frame] == 1, "audio_interval": interval_object(interval)}
