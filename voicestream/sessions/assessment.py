"""Listening to somebody who is to be assessed: how much speech there is, whether it has ended, and how good the recording is.

packets ─► PacketAudio ─► 16 kHz mono ─┬─► for the recogniser, up to the plan's length
                                       └─► Meter ─► voices ─► net speech, endpoint
                                             └────► recording: ok | noisy | clipped | quiet | no_speech
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp.frontend import FrontEnd
from voicestream.errors import (
    ASSESSMENT_SILENT,
    LITTLE_SPEECH,
    MUCH_NOISE,
    NO_AUDIO,
    NO_VOICE,
    SPEECH_CLIPPED,
    SPEECH_QUIET,
    Fault,
    PeerError,
)
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.assessment_result import LONGEST_S, Assessment, Melody, Recorded, Scores
from voicestream.sessions.intake import media_intake
from voicestream.sessions.packet_audio import RATE_HZ, PacketAudio
from voicestream.sessions.quality import FRAME_MS, MIN_SNR_DB, Gate, Meter, Unfit, admit
from voicestream.sessions.vocabulary import Assessing

SHORT_S: Final = 20.0  # net speech below which there is no score of the whole (elsa.md section 5)
_SPEECH_S: Final = 0.3  # net speech below which nobody has spoken: one short word has more
_SURE_S: Final = 3.0  # of a recording, below which voices and noise are not told: the network misses first words, and there are no pauses
_LOOK_SAMPLES: Final = RATE_HZ // 2  # how often the end is looked for; the meter is slower on longer blocks, too
_WORDS: Final[dict[Fault, Recorded]] = {
    LITTLE_SPEECH: "no_speech", NO_VOICE: "no_speech", SPEECH_QUIET: "quiet", SPEECH_CLIPPED: "clipped", MUCH_NOISE: "noisy",
}  # fmt: skip

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Options:
    """What an operator may set about listening."""

    endpoint_speech_s: float = 3.0  # net, before an end of free speech is looked for; of a sentence one word will do
    endpoint_silence_s: float = 4.0
    gate: Gate = Gate()


class Listening:
    """One stream of `service`. `samples` heard, up to the longest the plan has; `ended`: no more are wanted; `cut`: too many came.

    Where a silence is the end, those that came too many behind such a silence are none that anybody misses.
    """

    def __init__(self, service: Assessing, make_front: MakeFront = FrontEnd, options: Options = Options()) -> None:
        self.service = service
        longest_s = LONGEST_S[service.plan]
        self._packets = PacketAudio(longest_s + 1.0)
        self._room = int(longest_s * RATE_HZ)
        self._intake = media_intake(RATE_HZ, "pcm16", make_front)
        self._meter = Meter(RATE_HZ)
        self._gate = replace(options.gate, net_speech_s=_SPEECH_S)
        self._endpoint_speech_s = _SPEECH_S if service.sentences else options.endpoint_speech_s
        self._silence_s = None
        if service.auto_endpoint:
            self._silence_s = service.endpoint_silence_s or options.endpoint_silence_s
        self._heard: list[Samples] = []
        self.samples = 0
        self.ended = self.cut = False

    @property
    def heard_s(self) -> float:
        return self.samples / RATE_HZ

    @property
    def speech_s(self) -> float:
        """Net speech so far."""
        return self._meter.voices.count(1) * FRAME_MS / 1000

    def feed(self, packet: bytes, *, last: bool = False) -> Samples:
        """Take a packet: what the recogniser is to hear of it, (n,) int16 at 16 kHz; last: no other follows. PeerError VS20xx."""
        return self._take(self._packets.feed(packet, last=last))

    def finish(self) -> Samples:
        """No more packets come: the rest. May wait for a decoder. PeerError VS2123 when there is nothing at all, VS20xx."""
        try:
            rest = self._take(self._packets.flush())
        except PeerError as error:
            if error.fault is NO_AUDIO:
                raise PeerError(ASSESSMENT_SILENT) from error
            raise
        self._meter.hear(b"", self._intake.flush()[0])
        self.ended = True
        if not self.samples:
            raise PeerError(ASSESSMENT_SILENT)
        return rest

    def close(self) -> None:
        """Nobody wants the rest."""
        self._packets.close()

    def recording(self) -> Samples:
        """All that was heard, (n,) int16 at 16 kHz."""
        return np.concatenate(self._heard) if self._heard else np.empty(0, np.int16)

    def word(self) -> Recorded:
        """How good the recording is, in a word."""
        gate = self._gate if self.heard_s >= _SURE_S else replace(self._gate, voice=0.0, snr_db=MIN_SNR_DB)
        try:
            admit(self._meter.quality(), gate)
        except Unfit as unfit:
            return _WORDS[unfit.fault]
        return "ok"

    def _take(self, samples: Samples) -> Samples:
        """Meter up to each half second of the stream and look for its end there: so it is the same however packets are cut."""
        taken = 0
        while not self.ended and taken < len(samples):
            block = samples[taken : taken + min(_LOOK_SAMPLES - self.samples % _LOOK_SAMPLES, self._room - self.samples)]
            data = block.astype("<i2", copy=False).tobytes()
            self._meter.hear(data, self._intake.feed(data)[0])
            self._heard.append(block)
            self.samples += len(block)
            taken += len(block)
            if self.samples == self._room and taken < len(samples):
                self.ended, self.cut = True, not self._is_silent()
            elif self.samples % _LOOK_SAMPLES == 0:
                self.ended = self.speech_s >= self._endpoint_speech_s and self._is_silent()
        return samples[:taken]

    def _is_silent(self) -> bool:
        """For as long as ends a stream; never where no silence does."""
        voices = self._meter.voices
        return self._silence_s is not None and (len(voices) - 1 - voices.rfind(1)) * FRAME_MS / 1000 >= self._silence_s


def concluded(assessment: Assessment, word: Recorded, listening: Listening) -> Assessment:
    """What is told of an assessment, given how its recording was; a short one of free speech has no score of the whole."""
    scores, error = assessment.scores, assessment.partial_error
    if assessment.sentence is None and assessment.net_speech_s < SHORT_S:
        error = "too_short"
        scores = replace(scores, overall=None)
        if not listening.service.force_grammar_vocab:
            scores = replace(scores, grammar=None, vocabulary=None)
    if listening.cut:
        error = "too_long"
    if assessment.sentence is None and assessment.attempt != "RELEVANT":
        error = "not_understood"
    recording = assessment.recording if word == "ok" else word
    return replace(assessment, recording=recording, scores=scores, partial_error=error)


def best(assessments: Sequence[Assessment]) -> Assessment:
    """Of several sentences that may have been read, the one that was, and its place among them."""
    place, found = max(enumerate(assessments), key=lambda one: _likeness(one[1]))
    return replace(found, sentence_place=place)


def _likeness(assessment: Assessment) -> tuple[bool, float, float]:
    words = [word for utterance in assessment.utterances for word in utterance.words]
    expected = len(words) + len(assessment.omitted)
    said = len(words) / (expected + len(assessment.inserted)) if expected else 0.0
    return assessment.attempt == "RELEVANT", said, float(np.mean([word.score for word in words])) if words else 0.0


def unspoken(listening: Listening) -> Assessment:
    """What is told of a sentence that nobody said. PeerError VS2123 where somebody was to speak freely."""
    if not listening.service.sentences:
        raise PeerError(ASSESSMENT_SILENT)
    sentence, nothing = listening.service.sentences[0], Scores()
    return Assessment(
        listening.heard_s, 0.0, MIN_SNR_DB, "no_speech", (), nothing, None, Melody(),
        sentence=sentence, attempt="UNSPOKEN", omitted=tuple(range(len(sentence.split()))),
    )  # fmt: skip
