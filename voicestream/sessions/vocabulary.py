"""What a dialect and a session say to each other: events go in, results and Jobs come out.

Everything here is immutable but the LabelLog; a dialect turns a peer's messages into events, a session turns
events into results, the dialect spells the results for its peer.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.errors import Fault
from voicestream.sessions.assessment_result import Assessment, Plan, Recorded

Vector: TypeAlias = NDArray[np.float32]
Encoding: TypeAlias = Literal["pcm16", "opus"]
CallEncoding: TypeAlias = Literal["mulaw", "alaw", "pcm16"]


@dataclass(frozen=True, slots=True)
class Template:
    """A voice as a model remembers it: `vector` (dimension,) float32 of unit length."""

    model: str  # name of the model that made it
    model_hash: bytes  # (32,) SHA-256 of that model's weights
    vector: Vector
    net_speech_s: float


# ---- what a peer asked for ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Endpointing:
    """Tell when an utterance has ended."""

    rate_hz: int
    min_speech_ms: int
    max_silence_ms: int
    encoding: Encoding = "pcm16"


@dataclass(frozen=True, slots=True)
class Summary:
    """Tell how much speech and background there was."""

    rate_hz: int
    encoding: Encoding = "pcm16"


@dataclass(frozen=True, slots=True)
class Verification:
    """Compare windows of the stream with a template."""

    rate_hz: int
    template: Template
    window_s: float  # W
    context_s: float  # C, at least W
    hop_s: float = 1.0
    encoding: Encoding = "pcm16"


@dataclass(frozen=True, slots=True)
class Call:
    """Listen to one person's side of a telephone call for whoever asks about `call_id`; its Audio is mono, pcm16 little-endian."""

    call_id: str  # 1..128 printable characters
    rate_hz: int | None = None  # None: the stream did not say, whoever asks does
    encoding: CallEncoding | None = None  # the same
    account: str = ""  # whose call the stream says it is: a hint that proves nothing
    key: str = field(default="", repr=False)  # an API key given inside the stream, not checked yet; never logged


@dataclass(frozen=True, slots=True)
class Assessing:
    """Tell how somebody speaks; its Audio is packets as `sessions.packet_audio` reads them."""

    plan: Plan
    sentences: tuple[str, ...] = ()  # of which one is to be said; none: free speech
    auto_endpoint: bool = True  # a long silence after enough speech is the end
    endpoint_silence_s: float | None = None  # how long; None: the server's default
    force_grammar_vocab: bool = False  # these scores also of a short recording
    hints: bool = False  # tell in words, too, what to do about a sound


Service: TypeAlias = Endpointing | Summary | Verification | Call | Assessing

# ---- events: dialect -> session -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """The peer has said all we need to know; a session of this service begins. Comes just before the first Audio."""

    service: Service


class Audio(NamedTuple):
    """One message of audio: bytes of any count in the encoding that was opened, or one Opus packet."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """So many samples of the call are missing here: what is before and after does not belong together."""

    samples: int


@dataclass(frozen=True, slots=True)
class Paused:
    """No audio until Resumed. forget: what came so far found nobody who asked for it, and is to be dropped."""

    forget: bool = False


@dataclass(frozen=True, slots=True)
class Resumed:
    """Audio goes on."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The peer will send no more audio; with a fault it did not end as it should."""

    fault: Fault | None = None


Event: TypeAlias = Opened | Audio | Gap | Paused | Resumed | Finished

# ---- results: session -> dialect ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EndpointState:
    ended: bool


@dataclass(frozen=True, slots=True)
class Interval:
    """`start_sample` to `end_sample` (exclusive) since the start of the stream, at the declared rate."""

    start_sample: int
    end_sample: int
    rate_hz: int


@dataclass(frozen=True, slots=True)
class Window:
    """One verified window. probability 0..1 calibrated, score cosine -1..1."""

    interval: Interval
    probability: float
    score: float


@dataclass(frozen=True, slots=True)
class Verified:
    """Windows completed by one message, oldest first; often none."""

    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """This message added nothing; earlier state stays."""

    fault: Fault
    detail: str = ""


class LabelLog:
    """Append-only record of the 30 ms speech labels of one stream, shared by its session and the answers it gave.

    An answer that waits for a slow peer is a handful of counts into this log and is spelled when the
    socket takes it: ten thousand unread answers cost ten thousand tuples and not a gigabyte of text.
    One byte per frame: 30 minutes of audio are 60 KB.
    """

    __slots__ = ("labels", "rate_hz", "run_starts", "speech_frames")

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz  # the declared rate, in which samples are counted
        self.labels = bytearray()  # one 0 or 1 per frame
        self.run_starts = array("I")  # first frame of each run of equal labels
        self.speech_frames = 0

    def append(self, labels: bytes) -> None:
        """Add `labels`, one byte 0 or 1 per frame."""
        before = self.labels[-1] if self.labels else -1
        for frame, label in enumerate(labels, len(self.labels)):
            if label != before:
                self.run_starts.append(frame)
                before = label
        self.labels += labels
        self.speech_frames += labels.count(1)


class SummaryState(NamedTuple):
    """The summary as it stood after `samples` samples, `frames` whole frames and `runs` begun runs.

    A named tuple and not a dataclass: one is made per message, and a frozen dataclass costs 0.6 us, this 0.25.
    """

    log: LabelLog
    samples: int
    frames: int
    speech_frames: int
    runs: int

    @property
    def background_run_frames(self) -> int:
        """Frames since the last speech frame, or since the start before any speech; 0 when the last frame is speech."""
        if not self.frames or self.log.labels[self.frames - 1]:
            return 0
        return self.frames - self.log.run_starts[self.runs - 1]


class CallState(Enum):
    """What becomes of a call's audio from here on."""

    HELD = auto()  # nobody has asked for it yet
    HEARD = auto()  # somebody listens
    COLLECTED = auto()  # there is voice enough: no more is wanted


@dataclass(frozen=True, slots=True)
class CallRefused:
    """Nobody of this peer's may ask for this call; the peer is not told more than that."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class PoorQuality:
    """The recording will be judged with doubt, or not at all; what is said of it follows."""

    word: Recorded


@dataclass(frozen=True, slots=True)
class Assessed:
    """All that was found out, and where it is kept: links as the peer reaches them, "" for what is not kept."""

    assessment: Assessment
    result_link: str
    audio_link: str


Result: TypeAlias = EndpointState | SummaryState | Verified | Failed | CallState | CallRefused | PoorQuality | Assessed


@dataclass(frozen=True, slots=True)
class Job:
    """Work a session asks for and does not run itself. `run` returns the result the dialect will spell.

    light: microseconds, run at once on the loop; heavy: run on a thread under the model's limiter.
    The conversation waits for it, so `run` may touch the session's state.
    """

    model: str
    run: Callable[[], Result]
    heavy: bool


class Session(Protocol):
    """What a conversation means: pure, no clock, no socket. Audio in, one result (or the Job that makes it) out."""

    @property
    def heard_s(self) -> float:
        """Seconds of audio taken in."""
        ...

    def feed(self, audio: Audio) -> Result | Job | None:
        """Take one message; None: there is nothing to say."""
        ...


class CallSession(Session, Protocol):
    """A session that hears a telephone call: what happens to the stream beside its audio matters too."""

    def note(self, event: Gap | Paused | Resumed | Finished) -> None: ...
