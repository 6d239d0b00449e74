"""The network of Resemblyzer: an LSTM over mel power that ends at a voice, averaged over pieces of 1.6 s.

    samples ─► 40 mel bands ─► pieces of 160 frames every 77 ─► 3 layers of 256 cells ─► linear ─► ReLU ─► unit length ─► mean

L. Wan et al., "Generalized end-to-end loss for speaker verification" (2018); weights and arithmetic of the package
Resemblyzer 0.1.4 (Apache-2.0), to whose `embed_utterance` this is equal to 1e-4.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp._jit import F32_2D, F32_2D_RO, REASSOCIATE, VOID, kernel, part
from voicestream.dsp.cosine import unit
from voicestream.models.speaker.filterbank import HOP, Array, Samples, hann, power, slaney_bands
from voicestream.models.weights import Arrays

BANDS: Final = 40
LAYERS: Final = 3
_PIECE, _STEP = 160, 77  # frames: 1.6 s, 1.3 pieces a second
_COVERED = 0.75  # of the last piece must be speech
_LEVEL = 10 ** (-30 / 20)  # rms the network was trained at


class Ge2e:
    """The network with its weights; a pure function from samples to a vector."""

    def __init__(self, arrays: Arrays) -> None:
        self._into = [np.ascontiguousarray(arrays[f"lstm.weight_ih_l{layer}"].T) for layer in range(LAYERS)]
        self._again = [np.ascontiguousarray(arrays[f"lstm.weight_hh_l{layer}"].T) for layer in range(LAYERS)]
        self._bias = [arrays[f"lstm.bias_ih_l{layer}"] + arrays[f"lstm.bias_hh_l{layer}"] for layer in range(LAYERS)]
        self._last = np.ascontiguousarray(arrays["linear.weight"].T)
        self._last_bias = arrays["linear.bias"]

    def __call__(self, samples: Samples) -> Array:
        """Speech (n,) float32 in -1..1 at 16 kHz, any level -> (256,) of unit length, zeros for silence."""
        loudness = float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0
        return self.utterance(samples * np.float32(_LEVEL / loudness) if loudness > 0 else samples)

    def utterance(self, samples: Samples) -> Array:
        """The same for samples at the level they have: `VoiceEncoder.embed_utterance`."""
        starts = pieces(len(samples))
        padded = np.zeros(max(len(samples), (starts[-1] + _PIECE) * HOP), np.float32)
        padded[: len(samples)] = samples
        mel = power(padded, hann()) @ slaney_bands(BANDS)
        voices = self.forward(np.stack([mel[start : start + _PIECE] for start in starts]))
        return unit(voices.mean(axis=0))

    def forward(self, mel: NDArray[np.float32]) -> Array:
        """Mel power (pieces, frames, 40) -> (pieces, 256), each of unit length; cells come in fours."""
        count, frames, _ = mel.shape
        heard = np.ascontiguousarray(mel.transpose(1, 0, 2)).reshape(frames * count, -1)
        for into, again, bias in zip(self._into, self._again, self._bias, strict=True):
            gates = heard @ into
            gates += bias
            heard = np.empty((frames * count, len(again)), np.float32)
            _recur(gates, again, np.zeros((count, len(again)), np.float32), heard)
        return unit(np.maximum(heard[-count:] @ self._last + self._last_bias, 0.0))


def pieces(samples: int) -> list[int]:
    """First frame of each piece of so many samples (`VoiceEncoder.compute_partial_slices`, rate 1.3, coverage 0.75)."""
    frames = -(-(samples + 1) // HOP)
    starts = list(range(0, max(1, frames - _PIECE + _STEP + 1), _STEP))
    if len(starts) > 1 and (samples - starts[-1] * HOP) / (_PIECE * HOP) < _COVERED:
        starts.pop()
    return starts


@part(inline=True)
def _add_four(gate: NDArray[np.float32], weight: NDArray[np.float32], cells: int, hidden: NDArray[np.float32], first: int) -> None:
    # Four cells of the frame before reach all gates: four rows of weights, so that the gates are read and written a quarter as often.
    h0, h1, h2, h3 = hidden[first], hidden[first + 1], hidden[first + 2], hidden[first + 3]
    w0, w1 = weight[first * cells : (first + 1) * cells], weight[(first + 1) * cells : (first + 2) * cells]
    w2, w3 = weight[(first + 2) * cells : (first + 3) * cells], weight[(first + 3) * cells : (first + 4) * cells]
    for i in range(cells):
        gate[i] += h0 * w0[i] + h1 * w1[i] + h2 * w2[i] + h3 * w3[i]


@part(inline=True)
def _sigmoid(x: np.float32) -> np.float32:
    # exp by halving its argument's range to a power of two and a polynomial (relative error under 1e-6), because the
    # library's is a call per number and LLVM makes vectors of this.
    turns = min(max(-x, np.float32(-80.0)), np.float32(80.0)) * np.float32(1.4426950408889634)
    whole = np.floor(turns + np.float32(0.5))
    r = (turns - whole) * np.float32(0.6931471805599453)
    poly = np.float32(1 / 720)
    for factor in (1 / 120, 1 / 24, 1 / 6, 1 / 2, 1.0, 1.0):
        poly = np.float32(factor) + r * poly
    scale = np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)
    result: np.float32 = np.float32(1.0) / (np.float32(1.0) + poly * scale)
    return result


@kernel(VOID(F32_2D, F32_2D_RO, F32_2D, F32_2D), fastmath=REASSOCIATE)
def _recur(gates: NDArray[np.float32], again: NDArray[np.float32], cell: NDArray[np.float32], heard: NDArray[np.float32]) -> None:
    # gates (frames * n, 1024): in, forget, new, out, without what the frame before adds; cell (n, 256) state; heard (frames * n, 256).
    count, cells = cell.shape
    flat = again.reshape(-1)
    one, two = np.float32(1.0), np.float32(2.0)
    for frame in range(len(heard) // count):
        now = frame * count
        if frame:
            for first in range(0, cells, 4):  # weights outside, pieces inside: 1 MB of weights passes once
                for piece in range(count):
                    _add_four(gates[now + piece], flat, 4 * cells, heard[now - count + piece], first)
        for piece in range(count):
            gate, state, out = gates[now + piece], cell[piece], heard[now + piece]
            enter, forget, new, leave = gate[:cells], gate[cells : 2 * cells], gate[2 * cells : 3 * cells], gate[3 * cells :]
            for i in range(cells):
                state[i] = _sigmoid(forget[i]) * state[i] + _sigmoid(enter[i]) * (two * _sigmoid(two * new[i]) - one)
            for i in range(cells):
                out[i] = _sigmoid(leave[i]) * (two * _sigmoid(two * state[i]) - one)
