"""What a dialect and a session say to each other: events go in, results and Jobs come out.

Everything here is a frozen dataclass; a dialect turns a peer's messages into events, a session turns
events into results, the dialect spells the results for its peer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.errors import Fault

Vector: TypeAlias = NDArray[np.float32]
Encoding: TypeAlias = Literal["pcm16", "opus"]


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


Service: TypeAlias = Endpointing | Summary | Verification

# ---- events: dialect -> session -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """The peer has said all we need to know; a session of this service begins."""

    service: Service


@dataclass(frozen=True, slots=True)
class Audio:
    """One message of audio: PCM16 little-endian bytes of any count, or one Opus packet."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Finished:
    """The peer will send no more audio."""


Event: TypeAlias = Opened | Audio | Finished

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
    """Append-only record of 30 ms speech labels, shared by a summary session and the answers it gave.

    An answer that waits for a slow peer is kept as a frame count into this log and rendered when the
    socket takes it, so ten thousand unread answers cost ten thousand integers and not a gigabyte of text.
    """
    # TODO(sessions): the sessions helper designs and fills this class, or moves it.


@dataclass(frozen=True, slots=True)
class SummaryState:
    """The summary after `frames` whole frames and `samples` samples."""

    frames: int
    speech_frames: int
    trailing_background_frames: int
    samples: int
    rate_hz: int


Result: TypeAlias = EndpointState | SummaryState | Verified | Failed


@dataclass(frozen=True, slots=True)
class Job:
    """Work a session asks for and does not run itself. `run` returns the result the dialect will spell.

    light: microseconds, run at once on the loop; heavy: run on a thread under the model's limiter.
    The conversation waits for it, so `run` may touch the session's state.
    """

    model: str
    run: Callable[[], "Result"]
    heavy: bool
