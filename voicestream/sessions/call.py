"""What is asked about a telephone call, and what its asker is told: the words between signalling and session.

    Inquiry ─► session ─► ConsumerReady, VoiceStatus… , then one of Registered | Compared | CallFailed

Immutable values; `protocols/daspeak.py` reads and spells them (daspeak.md section 3).
"""

from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from typing import Literal, TypeAlias

from voicestream.errors import Fault
from voicestream.sessions.vocabulary import CallEncoding, Template


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Gather `wanted_s` of net speech of a call, then make a credential of it or, with a template, compare the two."""

    call_id: str
    consumer: Literal["twilio", "audiohook"]
    encoding: CallEncoding
    rate_hz: int  # 8000, or 16000 with pcm16
    wanted_s: float  # > 0
    model_hash: bytes  # (32,), of a model that is offered
    authenticity_threshold: float  # 0..1: below it the voice is taken for a spoof
    template: Template | None = None  # None: a registration
    similarity_threshold: float = 0.5  # 0..1, of a verification


class Progress(Enum):
    """What happens before there is voice."""

    CONSUMER_READY = auto()  # the stream may come


@dataclass(frozen=True, slots=True)
class VoiceStatus:
    """So many samples of voice have been gathered at `rate_hz`, of `wanted_s`."""

    samples: int
    rate_hz: int
    wanted_s: float

    @property
    def voice_s(self) -> float:
        return self.samples / self.rate_hz

    @property
    def percent(self) -> int:
        """Rounded down, of the unrounded seconds; 102 is normal."""
        return int(Fraction(100 * self.samples, self.rate_hz) / Fraction(str(self.wanted_s)))


@dataclass(frozen=True, slots=True)
class Judged:
    """What the recognition made of the voice. authenticity, similarity: probabilities 0..1, unrounded."""

    authenticity: float
    voice_s: float  # net speech that was gathered
    genuine: bool  # authenticity reaches its threshold
    credential: str | None = None  # of an approved registration: the sealed template in base64
    voice_wav: bytes | None = None  # the same: the voice itself
    similarity: float | None = None  # of a verification
    same_speaker: bool = True  # similarity reaches its threshold

    @property
    def approved(self) -> bool:
        return self.genuine and self.same_speaker


@dataclass(frozen=True, slots=True)
class CallFailed:
    """There will be no result. field: the parameter to blame, by the name its sender gave it (`metadata.call_id`)."""

    fault: Fault
    field: str = ""


Told: TypeAlias = Progress | VoiceStatus | Judged | CallFailed  # the last two end the session
