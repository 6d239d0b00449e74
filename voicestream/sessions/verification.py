"""Is this the voice of the template? A window of speech every hop, remembered for a while (idvoice.md section 6)."""

from collections import deque
from typing import NamedTuple

import numpy as np

from voicestream.dsp.frontend import FrontEnd
from voicestream.errors import PeerError
from voicestream.models.speaker.model import FRAME_S, MIN_WINDOW_S, SpeakerModel
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.feature_memory import FeatureMemory
from voicestream.sessions.intake import voice_intake
from voicestream.sessions.vocabulary import Audio, Failed, Interval, Job, Result, Vector, Verification, Verified, Window

_NOTHING_NEW = Verified(())


class _Remembered(NamedTuple):
    """What is kept of a window; `fresh_s` is its net speech behind the end of the window before it."""

    vector: Vector | None  # None: too little speech
    net_speech_s: float
    fresh_s: float


class VerificationSession:
    """Scores windows as they complete; a Job scores all that one message completed.

    The score of a window is that of the mean of the voices of all windows that lie wholly in the last
    `context_s`. Memory is bounded by the window (8 KiB per second of it, 64 where the model hears the audio itself)
    and the windows in the context.
    """

    __slots__ = (
        "_enough_s", "_hop", "_intake", "_memory", "_model", "_next_end", "_rate_hz", "_remembered", "_seen_row", "_template", "_window",
    )  # fmt: skip

    def __init__(self, service: Verification, model: SpeakerModel, make_front: MakeFront = FrontEnd) -> None:
        rate_hz = service.rate_hz
        self._intake = voice_intake(rate_hz, service.encoding, model.rate_hz, model.features, make_front)
        self._model = model
        self._template = service.template.vector
        self._rate_hz = rate_hz
        self._window = round(service.window_s * rate_hz)
        self._hop = round(service.hop_s * rate_hz)
        self._enough_s = min(MIN_WINDOW_S, service.window_s / 2)
        self._memory = FeatureMemory(rate_hz, self._window, model.features.width)
        in_context = (round(service.context_s * rate_hz) - self._window) // self._hop + 1
        self._remembered: deque[_Remembered] = deque(maxlen=in_context)
        self._next_end = self._window  # sample that completes the window under way
        self._seen_row = 0  # end of the rows of the window before

    @property
    def heard_s(self) -> float:
        """Seconds of audio taken in."""
        return self._intake.heard_s

    def feed(self, audio: Audio) -> Result | Job:
        """Take one message; nothing new, or the Job that scores the windows it completed."""
        try:
            labels, features = self._intake.feed(audio.payload)
        except PeerError as error:
            return Failed(error.fault, error.detail)
        self._memory.add(labels, features)
        if self._intake.samples < self._next_end:
            return _NOTHING_NEW
        return Job(self._model.card.name, self._score, self._model.heavy)

    def _score(self) -> Verified:
        windows = []
        while self._next_end <= self._intake.samples:
            windows.append(self._score_window(self._next_end - self._window, self._next_end))
            self._next_end += self._hop
            self._memory.forget(self._next_end - self._window)
        return Verified(tuple(windows))

    def _score_window(self, start: int, end: int) -> Window:
        rows, speech, end_row = self._memory.window(start, end)
        net_speech_s = FRAME_S * int(speech.sum())
        seen = max(0, len(speech) - (end_row - self._seen_row))
        fresh_s = FRAME_S * int(speech[seen:].sum())
        self._seen_row = end_row
        vector = self._model.embed(rows, speech) if net_speech_s >= self._enough_s else None
        self._remembered.append(_Remembered(vector, net_speech_s, fresh_s))
        probability, score = self._judge()
        return Window(Interval(start, end, self._rate_hz), probability, score)

    def _judge(self) -> tuple[float, float]:
        """Probability and score of all that is remembered; zeros when that is nothing."""
        voices = [window.vector for window in self._remembered if window.vector is not None]
        if not voices:
            return 0.0, 0.0
        score = self._model.score(np.mean(voices, axis=0, dtype=np.float32), self._template)
        return self._model.probability(score, self._net_speech_s()), score

    def _net_speech_s(self) -> float:
        """Net speech behind the remembered voices; what two windows share counts once."""
        net_s = 0.0
        before = False
        for window in self._remembered:
            if window.vector is not None:
                net_s += window.fresh_s if before else window.net_speech_s
            before = window.vector is not None
        return net_s
