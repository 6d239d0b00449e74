"""The ECAPA-TDNN of SpeechBrain: convolutions over time, gated by channel, pooled with attention.

    samples ─► 80 log-mel bands less their mean ─► 5-frame convolution ─► 3 x (Res2Net, squeeze and excite) ─┐
    192 numbers ◄─ linear ◄─ mean and deviation, weighted by attention ◄─ 3072 channels ◄─ all three outputs ┘

B. Desplanques, J. Thienpondt, K. Demuynck, "ECAPA-TDNN" (2020); weights spkrec-ecapa-voxceleb (Apache-2.0), to whose
forward pass this is equal to 1e-4. Frames are rows, so every convolution is one BLAS product per tap or, for the
narrow ones, one product of three shifted copies; 18 million multiplications a frame leave little else to gain.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp._jit import F32, F32_2D, F32_2D_RO, F32_RO, INT, VOID, kernel
from voicestream.models.speaker.filterbank import HOP, Array, Samples, hamming, power, speechbrain_bands
from voicestream.models.weights import Arrays

BANDS: Final = 80
BLOCKS: Final = (2, 3, 4)  # dilation of each
SCALE: Final = 8  # groups of channels in a Res2Net block
_LEAST_FRAMES = 10  # shorter speech is followed by silence
_FLOOR, _RANGE_DB = 1e-10, 80.0
_BN_EPSILON = 1e-5
_LEAST_VARIANCE = 1e-12


class _Layer:
    """Convolution, ReLU and normalisation: weight (taps * in, out), and what is added, multiplied and added after it."""

    def __init__(self, arrays: Arrays, name: str) -> None:
        kernel_ = arrays[f"{name}.conv.conv.weight"]  # out, in, taps
        self.weight = np.ascontiguousarray(kernel_.transpose(2, 1, 0).reshape(-1, kernel_.shape[0]))
        self.taps, self.bias = kernel_.shape[2], arrays[f"{name}.conv.conv.bias"]
        self.gain, self.shift = _normalisation(arrays, f"{name}.norm.norm")

    def pointwise(self, x: Array) -> Array:
        """(frames, in) -> (frames, out), for one tap."""
        y: Array = x @ self.weight
        _settle(y, self.bias, self.gain, self.shift)
        return y

    def wide(self, x: Array, dilation: int) -> Array:
        """The same for several taps, as far apart as `dilation`; edges are reflected."""
        reach = dilation * (self.taps // 2)
        padded = np.pad(x, ((reach, reach), (0, 0)), mode="reflect")
        size = x.shape[1]
        y: Array = padded[: len(x)] @ self.weight[:size]
        for tap in range(1, self.taps):
            y += padded[tap * dilation : tap * dilation + len(x)] @ self.weight[tap * size : (tap + 1) * size]
        _settle(y, self.bias, self.gain, self.shift)
        return y


class _Block:
    """SE-Res2Net: 1 frame, then seven groups of channels each hearing the one before, 1 frame, then a gate per channel."""

    def __init__(self, arrays: Arrays, name: str, dilation: int) -> None:
        self._dilation = dilation
        self._first, self._last = _Layer(arrays, f"{name}.tdnn1"), _Layer(arrays, f"{name}.tdnn2")
        self._groups = [_Layer(arrays, f"{name}.res2net_block.blocks.{group}") for group in range(SCALE - 1)]
        self._squeeze, self._squeeze_bias = _linear(arrays, f"{name}.se_block.conv1.conv")
        self._excite, self._excite_bias = _linear(arrays, f"{name}.se_block.conv2.conv")

    def __call__(self, x: Array, out: Array) -> None:
        """(frames, channels) -> `out` of the same shape."""
        y = self._first.pointwise(x)
        width = y.shape[1] // SCALE
        heard = np.zeros((len(y), width), np.float32)
        taps = np.empty((len(y), 3 * width), np.float32)
        for group, layer in enumerate(self._groups, 1):
            _gather(y, group * width, heard, self._dilation, taps)
            np.matmul(taps, layer.weight, out=heard)
            _settle_group(heard, layer.bias, layer.gain, layer.shift, y, group * width)
        y = self._last.pointwise(y)
        narrow = np.maximum(y.mean(axis=0) @ self._squeeze + self._squeeze_bias, 0.0)
        y *= 1.0 / (1.0 + np.exp(-(narrow @ self._excite + self._excite_bias)))
        np.add(y, x, out=out)


class Ecapa:
    """The network with its weights; a pure function from samples to a vector."""

    def __init__(self, arrays: Arrays) -> None:
        self._first = _Layer(arrays, "blocks.0")
        self._blocks = [_Block(arrays, f"blocks.{number}", dilation) for number, dilation in enumerate(BLOCKS, 1)]
        self._join = _Layer(arrays, "mfa")
        self._listen = _Layer(arrays, "asp.tdnn")
        self._attend, _ = _linear(arrays, "asp.conv.conv")  # its bias is the same for all frames of a channel: softmax ignores it
        gain, shift = _normalisation(arrays, "asp_bn.norm")
        weight, bias = _linear(arrays, "fc.conv")
        self._out, self._out_bias = np.ascontiguousarray(gain[:, None] * weight), shift @ weight + bias

    def __call__(self, samples: Samples) -> Array:
        """Speech (n,) float32 in -1..1 at 16 kHz, any level -> (192,)."""
        return self.forward(log_mel(samples))

    def forward(self, mel: Array) -> Array:
        """Log-mel bands (frames, 80) -> (192,); at least 5 frames."""
        x = self._first.wide(mel - mel.mean(axis=0), 1)
        width = x.shape[1]
        joined = np.empty((len(x), width * len(self._blocks)), np.float32)
        for number, block in enumerate(self._blocks):
            out = joined[:, number * width : (number + 1) * width]
            block(x, out)
            x = out
        return self._pool(self._join.pointwise(joined))

    def _pool(self, x: Array) -> Array:
        # What attention hears of the whole recording is the same for all frames: its part of the product is taken once.
        channels = x.shape[1]
        mean, deviation = np.empty(channels, np.float32), np.empty(channels, np.float32)
        even = np.full((1, channels), 1 / len(x), np.float32)
        _moments(x, even, mean, deviation)
        listen = self._listen
        whole = np.concatenate((mean, deviation)) @ listen.weight[channels:]
        heard: Array = x @ listen.weight[:channels]
        _settle(heard, listen.bias + whole, listen.gain, listen.shift)
        share: Array = np.tanh(heard) @ self._attend
        share -= share.max(axis=0)
        np.exp(share, out=share)
        share /= share.sum(axis=0)
        _moments(x, share, mean, deviation)
        pooled: Array = np.concatenate((mean, deviation)) @ self._out + self._out_bias
        return pooled


def log_mel(samples: Samples) -> Array:
    """Samples (n,) -> (frames, 80) in dB, no more than 80 below the loudest; short or no speech is filled with silence."""
    if len(samples) < _LEAST_FRAMES * HOP:
        samples = np.concatenate((samples, np.zeros(_LEAST_FRAMES * HOP - len(samples), np.float32)))
    decibel: Array = 10 * np.log10(np.maximum(power(samples, hamming()) @ speechbrain_bands(BANDS), np.float32(_FLOOR)))
    np.maximum(decibel, decibel.max() - np.float32(_RANGE_DB), out=decibel)
    return decibel


def _linear(arrays: Arrays, name: str) -> tuple[Array, Array]:
    return np.ascontiguousarray(arrays[f"{name}.weight"][:, :, 0].T), arrays[f"{name}.bias"]


def _normalisation(arrays: Arrays, name: str) -> tuple[Array, Array]:
    gain = arrays[f"{name}.weight"] / np.sqrt(arrays[f"{name}.running_var"] + np.float32(_BN_EPSILON))
    return gain, arrays[f"{name}.bias"] - gain * arrays[f"{name}.running_mean"]


@kernel(VOID(F32_2D, F32_RO, F32_RO, F32_RO))
def _settle(y: NDArray[np.float32], bias: NDArray[np.float32], gain: NDArray[np.float32], shift: NDArray[np.float32]) -> None:
    for t in range(len(y)):
        row = y[t]
        for c in range(len(row)):
            row[c] = max(row[c] + bias[c], np.float32(0.0)) * gain[c] + shift[c]


@kernel(VOID(F32_2D, F32_RO, F32_RO, F32_RO, F32_2D, INT))
def _settle_group(
    y: NDArray[np.float32],
    bias: NDArray[np.float32],
    gain: NDArray[np.float32],
    shift: NDArray[np.float32],
    out: NDArray[np.float32],
    at: int,
) -> None:
    # The same, and a copy into the columns of the whole from `at` on.
    for t in range(len(y)):
        row, target = y[t], out[t][at : at + y.shape[1]]
        for c in range(len(row)):
            row[c] = max(row[c] + bias[c], np.float32(0.0)) * gain[c] + shift[c]
            target[c] = row[c]


@kernel(VOID(F32_2D_RO, INT, F32_2D_RO, INT, F32_2D))
def _gather(x: NDArray[np.float32], at: int, heard: NDArray[np.float32], dilation: int, out: NDArray[np.float32]) -> None:
    # Columns `at`.. of x plus what the group before gave, at the frames `dilation` before, now and after; edges reflected.
    frames, width = heard.shape
    for t in range(frames):
        for tap in range(3):
            source = abs(t + (tap - 1) * dilation)
            if source >= frames:
                source = 2 * (frames - 1) - source
            a, b = x[source][at : at + width], heard[source]
            target = out[t][tap * width : (tap + 1) * width]
            for c in range(width):
                target[c] = a[c] + b[c]


@kernel(VOID(F32_2D_RO, F32_2D_RO, F32, F32))
def _moments(x: NDArray[np.float32], share: NDArray[np.float32], mean: NDArray[np.float32], deviation: NDArray[np.float32]) -> None:
    # Weighted mean and deviation of every column in two passes; one row of weights stands for all.
    per_frame = len(share) > 1
    for c in range(len(mean)):
        mean[c] = np.float32(0.0)
        deviation[c] = np.float32(0.0)
    for t in range(len(x)):
        row, weight = x[t], share[t if per_frame else 0]
        for c in range(len(row)):
            mean[c] += weight[c] * row[c]
    for t in range(len(x)):
        row, weight = x[t], share[t if per_frame else 0]
        for c in range(len(row)):
            off = row[c] - mean[c]
            deviation[c] += weight[c] * off * off
    for c in range(len(mean)):
        deviation[c] = np.sqrt(max(deviation[c], np.float32(_LEAST_VARIANCE)))
