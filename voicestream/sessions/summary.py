"""How much speech and how much background there was so far (idvoice.md section 5)."""

from voicestream.dsp.frontend import FrontEnd
from voicestream.errors import PeerError
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.intake import media_intake
from voicestream.sessions.vocabulary import Audio, Failed, LabelLog, Result, Summary, SummaryState


class SummarySession:
    """Keeps the label of every frame since the start of the stream."""

    __slots__ = ("_intake", "_log")

    def __init__(self, service: Summary, make_front: MakeFront = FrontEnd) -> None:
        self._intake = media_intake(service.rate_hz, service.encoding, make_front)
        self._log = LabelLog(service.rate_hz)

    @property
    def heard_s(self) -> float:
        """Seconds of audio taken in."""
        return self._intake.heard_s

    def feed(self, audio: Audio) -> Result:
        """Take one message; the summary after it."""
        try:
            labels, _ = self._intake.feed(audio.payload)
        except PeerError as error:
            return Failed(error.fault, error.detail)
        return self._state(labels)

    def finish(self) -> SummaryState:
        """Take in what the resampler still held; the summary of the whole recording."""
        labels, _ = self._intake.flush()
        log = self._log
        whole_frames = 100 * self._intake.samples // (3 * log.rate_hz)  # a resampler that is flushed rounds up
        return self._state(labels[: whole_frames - len(log.labels)])

    def _state(self, labels: bytes) -> SummaryState:
        log = self._log
        if labels:
            log.append(labels)
        return SummaryState(log, self._intake.samples, len(log.labels), log.speech_frames, len(log.run_starts))
