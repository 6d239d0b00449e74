"""Has the speaker finished? Enough speech, then enough silence (idvoice.md section 4)."""

from voicestream.dsp.frontend import FrontEnd
from voicestream.errors import PeerError
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.intake import media_intake
from voicestream.sessions.vocabulary import Audio, Endpointing, EndpointState, Failed, Result

FRAME_MS = 30
_ENDED = EndpointState(True)
_LISTENING = EndpointState(False)


class EndpointingSession:
    """Counts speech frames since it was armed and silent frames since the last of them.

    Ended when both lengths are reached, with at least one frame of each; latched until speech starts
    again, which arms it anew. An end inside a long message is told even if speech resumes within it.
    """

    __slots__ = ("_ended", "_intake", "_max_silence_ms", "_min_speech_ms", "_silence_frames", "_speech_frames")

    def __init__(self, service: Endpointing, make_front: MakeFront = FrontEnd) -> None:
        self._intake = media_intake(service.rate_hz, service.encoding, make_front)
        self._min_speech_ms = service.min_speech_ms
        self._max_silence_ms = service.max_silence_ms
        self._speech_frames = 0
        self._silence_frames = 0
        self._ended = False

    @property
    def heard_s(self) -> float:
        """Seconds of audio taken in."""
        return self._intake.heard_s

    def feed(self, audio: Audio) -> Result:
        """Take one message; whether the utterance has ended."""
        try:
            labels, _ = self._intake.feed(audio.payload)
        except PeerError as error:
            return Failed(error.fault, error.detail)
        told = False
        for label in labels:
            told = self._step(label) or told
        return _ENDED if told or self._ended else _LISTENING

    def _step(self, label: int) -> bool:
        """Take one frame; whether the end is detected at it."""
        if label:
            self._speech_frames = 1 if self._ended else self._speech_frames + 1
            self._silence_frames = 0
            self._ended = False
            return False
        self._silence_frames += 1
        if (
            self._ended
            or self._speech_frames == 0
            or FRAME_MS * self._speech_frames < self._min_speech_ms
            or FRAME_MS * self._silence_frames < self._max_silence_ms
        ):
            return False
        self._ended = True
        return True
