"""The voice of a call, gathered until there is enough of it (daspeak.md section 3.2, "vad status").

    payloads ─► front end ─► 30 ms labels ─┬─ speech ─► voice: what is counted, and handed back
                                           └─ speech and up to 300 ms round it ─► heard: what is judged

Bytes stay as the call sent them (mu-law is half of PCM16) until they are asked for. What is judged keeps the ends of
pauses: a model hears words as they were said, and noise is measured between them.
"""

from collections import deque
from typing import Final

from voicestream.dsp.frontend import FrontEnd, FrontEndPlan
from voicestream.dsp.g711 import pcm16_bytes
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.call import Inquiry, VoiceStatus
from voicestream.sessions.piece import Recording
from voicestream.sessions.quality import FRAME_MS

STATUS_MS: Final = 512  # of voice from one status to the next
_ROUND_FRAMES: Final = 10  # kept on either side of speech
_HEARD_PER_VOICE: Final = 4  # a caller who coughs for an hour does not fill the memory


class Collection:
    """Gathers one call's voice; `status` is how far it is."""

    __slots__ = (
        "_bytes_per_sample", "_encoding", "_frame_bytes", "_front", "_heard", "_heard_max", "_make_front", "_plan", "_rate_hz", "_received",
        "_rest", "_since_speech", "_status_bytes", "_voice", "_waiting", "complete", "status",
    )  # fmt: skip

    def __init__(self, inquiry: Inquiry, make_front: MakeFront = FrontEnd) -> None:
        rate_hz = inquiry.rate_hz
        self._encoding = inquiry.encoding
        self._rate_hz = rate_hz
        self._bytes_per_sample = 2 if inquiry.encoding == "pcm16" else 1
        self._frame_bytes = FRAME_MS * rate_hz // 1000 * self._bytes_per_sample
        self._status_bytes = STATUS_MS * rate_hz // 1000 * self._bytes_per_sample
        self._make_front = make_front
        self._plan = FrontEndPlan(encoding=inquiry.encoding, rate_hz=rate_hz, analysis_hz=rate_hz, features=None)
        self._front = make_front(self._plan)
        self._rest = bytearray()  # of the frame that has no label yet
        self._voice = bytearray()
        self._heard = bytearray()
        self._heard_max = _HEARD_PER_VOICE * int((inquiry.wanted_s + 1) * rate_hz) * self._bytes_per_sample
        self._waiting: deque[bytes] = deque(maxlen=_ROUND_FRAMES)  # quiet frames that speech may follow
        self._since_speech = _ROUND_FRAMES
        self._received = 0  # bytes
        self.status = VoiceStatus(0, rate_hz, inquiry.wanted_s)
        self.complete = False  # there is voice enough: no more is taken in

    @property
    def received_s(self) -> float:
        """Seconds of audio taken in."""
        return self._received / (self._bytes_per_sample * self._rate_hz)

    def feed(self, payload: bytes) -> list[VoiceStatus]:
        """Take one message of the call; the statuses that its voice reaches, mostly none."""
        if self.complete:
            return []
        self._received += len(payload)
        self._rest += payload
        labels = self._front.feed(payload)[0]
        if not labels:
            return []
        reached: list[VoiceStatus] = []
        for label in labels:
            frame = bytes(self._rest[: self._frame_bytes])
            del self._rest[: self._frame_bytes]
            self._take(frame, label == 1)
            while not self.complete and len(self._voice) >= self._next_bytes():
                self.status = VoiceStatus(self._next_bytes() // self._bytes_per_sample, self._rate_hz, self.status.wanted_s)
                self.complete = self.status.percent >= 100
                reached.append(self.status)
            if self.complete:
                break
        return reached

    def skip(self) -> None:
        """Something is missing here: what came before and what comes now share no frame."""
        self._rest.clear()
        self._front = self._make_front(self._plan)

    def voice(self) -> bytes:
        """The voiced samples in order, as much as `status` counts: PCM16 little-endian."""
        return pcm16_bytes(bytes(self._voice[: self.status.samples * self._bytes_per_sample]), self._encoding)

    def recording(self) -> Recording:
        """What is to be judged: speech with the ends of its pauses."""
        return self._rate_hz, [pcm16_bytes(bytes(self._heard), self._encoding)]

    def _next_bytes(self) -> int:
        return self.status.samples * self._bytes_per_sample + self._status_bytes

    def _take(self, frame: bytes, speech: bool) -> None:
        if speech:
            self._voice += frame
            for quiet in self._waiting:
                self._keep(quiet)
            self._waiting.clear()
            self._heard += frame
            self._since_speech = 0
        elif self._since_speech < _ROUND_FRAMES:
            self._since_speech += 1
            self._keep(frame)
        else:
            self._waiting.append(frame)

    def _keep(self, quiet: bytes) -> None:
        if len(self._heard) < self._heard_max:
            self._heard += quiet
