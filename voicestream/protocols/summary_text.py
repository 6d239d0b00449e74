"""The answers of one summary stream as text, at the price of a slice each.

A summary repeats everything since the start of the stream, 50 times a second. So the spelled frames and
the events that have ended are kept as text and only added to; `stream_summary_object` of idvoice_json is
the slow, obvious twin that the tests hold this to.
"""

from collections import deque
from functools import lru_cache

from voicestream.protocols.idvoice_json import FRAMES_KEPT, frame_start_sample, frames_s, samples_s
from voicestream.sessions.vocabulary import SummaryState

_TRUE = b"true, "
_FALSE = b"false, "


class SummaryText:
    """Spells the states of one stream, which must come in the order in which they arose."""

    __slots__ = ("_after", "_before", "_event_bytes", "_events", "_events_end", "_first_frame", "_frames", "_frames_end", "_kept")

    def __init__(self, frames_kept: int = FRAMES_KEPT) -> None:
        self._kept = frames_kept
        self._frames = bytearray()  # "false, true, " of the frames first_frame..frames_end
        self._first_frame = 0
        self._frames_end = 0
        self._events = bytearray()  # "{..}, {..}, " of the ended runs before events_end
        self._event_bytes: deque[int] = deque()  # length of each of them
        self._events_end = 0
        self._before = ""  # the answer up to its total length
        self._after = ""  # the answer behind its frames

    def render(self, state: SummaryState) -> str:
        """Give the JSON text of `state`."""
        if state.frames != self._frames_end or not self._before:
            self._add(state)
        return (
            f'{self._before}{samples_s(state.samples, state.log.rate_hz)!r}, "vad_result": {{"frame_length_ms": 30.0, "frames": ['
            f"{self._frames[:-2].decode()}{self._after}"
        )

    def _add(self, state: SummaryState) -> None:
        labels = state.log.labels
        new = labels[self._frames_end : state.frames]
        self._frames += new.replace(b"\0", _FALSE).replace(b"\1", _TRUE)
        self._frames_end = state.frames
        excess = state.frames - self._first_frame - self._kept
        if excess > 0:
            speech = labels.count(1, self._first_frame, self._first_frame + excess)
            del self._frames[: excess * len(_FALSE) - speech * (len(_FALSE) - len(_TRUE))]
            self._first_frame += excess
        while self._events_end < state.runs - 1:
            text = _event_text(state, self._events_end, state.log.run_starts[self._events_end + 1]) + ", "
            self._events += text.encode()
            self._event_bytes.append(len(text))
            self._events_end += 1
        if self._first_frame:
            self._forget_events(state)
        self._surround(state)

    def _surround(self, state: SummaryState) -> None:
        """Spell what stands before and after the numbers that change with every message."""
        speech_s = _frames_s_text(state.speech_frames)
        background_s = _frames_s_text(state.frames - state.speech_frames)
        self._before = (
            f'{{"current_background_length": {_frames_s_text(state.background_run_frames)}, "speech_length": {speech_s}, '
            f'"current_speech_summary": {{"background_length": {background_s}, "speech_signal_length": {speech_s}, "total_length": '
        )
        offset = f', "frames_offset": {self._first_frame}' if self._first_frame else ""
        open_event = _event_text(state, state.runs - 1, state.frames) if state.runs else ""
        self._after = f']{offset}}}}}, "speech_events": [{self._events.decode()}{open_event}]}}'

    def _forget_events(self, state: SummaryState) -> None:
        """Drop the events that ended before the listed frames."""
        ends = state.log.run_starts  # a run ends where the next one starts
        sizes = self._event_bytes
        while sizes and ends[self._events_end - len(sizes) + 1] <= self._first_frame:
            del self._events[: sizes.popleft()]


def _event_text(state: SummaryState, run: int, end_frame: int) -> str:
    log = state.log
    rate_hz = log.rate_hz
    start_frame = log.run_starts[run]
    start = frame_start_sample(start_frame, rate_hz)
    end = frame_start_sample(end_frame, rate_hz)
    return (
        f'{{"is_voice": {"true" if log.labels[start_frame] else "false"}, '
        f'"audio_interval": {{"end_sample": {end}, "end_time": {end * 1000 // rate_hz}, "sample_rate": {rate_hz}, '
        f'"start_sample": {start}, "start_time": {start * 1000 // rate_hz}}}}}'
    )


@lru_cache(maxsize=8192)
def _frames_s_text(frames: int) -> str:
    """The number text of `frames` frames, shared by all streams: printing 17 digits takes 0.5 us."""
    return repr(frames_s(frames))
