"""The embedded authenticity model: small networks over two views of a clip and over its statistics, and one verdict.

    log spectrogram ─► 4 x (convolve, rectify) ─► mean and deviation over time ─┐
    log pulses ─► 4 x (convolve, rectify) ─► mean and deviation over time ──────┴─► 64 ─► log odds ─┐
    statistics of both ─► 64 ─► log odds ───────────────────────────────────────────────────────────┴─► calibrated log odds

The spectrogram side hears what a vocoder does to harmonics and what a room does to endings; the pulse side hears
phases: a throat closes once per period, and Griffin-Lim, pulse trains and reverberation do not look like it. In the
line of LCNN (G. Lavrentyeva et al., 2019) at a hundredth of its work. Four such sets, each trained without a quarter
of the speakers and of the kinds of attack, are averaged. Everything is analysed at 8 kHz, so a telephone and a
microphone give one answer.
"""

import math
from importlib.resources import files
from typing import Final

import numpy as np

from voicestream.models.authenticity.model import Samples
from voicestream.models.authenticity.statistic import statistics
from voicestream.models.authenticity.view import LEVEL, RATE_HZ, Array, views
from voicestream.models.card import Card, read_card
from voicestream.models.weights import known_weights

_LONGEST: Final = 4 * RATE_HZ  # samples of one verdict; longer clips get the mean of several
_SHORTEST: Final = RATE_HZ
_PLANE_STRIDES: Final = ((2, 2), (2, 2), (2, 2), (2, 1))
_WIRE_STRIDES: Final = (2, 2, 2, 2)
NAMES: Final = tuple(
    f"{layer}.{part}"
    for layer in (*(f"{side}{index}" for side in ("plane", "wire") for index in range(4)), "column", "hidden", "out", "first", "second")
    for part in ("weight", "bias")
) + ("statistic.mean", "statistic.deviation")
_BOUND: Final = np.float32(4.0)  # deviations: a statistic farther out is held there
_UNDECIDED: Final = 0.01  # of the log odds under the threshold: a probability of 0.4975
_LOUDEST: Final = 1e3  # what a sample is held to: its square fits


class CnnAuthenticity:
    """The model of `weights` (a whole safetensors file), with its card."""

    rate_hz: Final = RATE_HZ
    heavy: Final = True  # 20 ms for 4 s

    def __init__(self, weights: bytes, card: Card) -> None:
        arrays = known_weights(weights, card.name, card.sha256)
        self.card = card
        self._offset, *self._slopes = (float(number) for number in arrays["calibration"])
        count = len({name.split(".")[0] for name in arrays if name[0].isdigit()})
        self._networks = [TwoViewNetwork({n: arrays[f"{i}.{n}"] for n in NAMES}) for i in range(count)]

    def score(self, samples: Samples) -> float:
        """Mean log odds over windows of 4 s, the last one ending with the clip; undecided below 1 s and in silence."""
        clean = np.nan_to_num(samples, nan=0.0, posinf=_LOUDEST, neginf=-_LOUDEST).clip(-_LOUDEST, _LOUDEST).astype(np.float32)
        if len(clean) < _SHORTEST or float(np.sqrt(np.mean(clean * clean, dtype=np.float64))) < LEVEL:
            return self.card.threshold - _UNDECIDED
        count = -(-len(clean) // _LONGEST)
        starts = [min(index * _LONGEST, max(0, len(clean) - _LONGEST)) for index in range(count)]
        return sum(self._log_odds(clean[start : start + _LONGEST]) for start in starts) / count

    def probability(self, score: float) -> float:
        """0..1 at even odds: the score is the log odds."""
        return 0.5 + 0.5 * math.tanh(0.5 * score)  # cannot overflow

    def _log_odds(self, samples: Samples) -> float:
        planes, wires, flat = views(samples)
        summary = statistics(planes, wires, flat)
        one = sum(network.log_odds(planes, wires) for network in self._networks) / len(self._networks)
        other = sum(network.log_odds_of(summary) for network in self._networks) / len(self._networks)
        return self._offset + self._slopes[0] * one + self._slopes[1] * other


class TwoViewNetwork:
    """The sides over the two views, what joins them, and the side over statistics; from arrays by name."""

    def __init__(self, arrays: dict[str, Array]) -> None:
        self._arrays = arrays

    def log_odds(self, planes: Array, wires: Array) -> float:
        """Of the two views of a clip, uncalibrated."""
        hidden = np.concatenate((_statistics(self._column(planes)), _statistics(self._wire(wires))))
        hidden = np.maximum(self._arrays["hidden.weight"] @ hidden + self._arrays["hidden.bias"], 0)
        return float(self._arrays["out.weight"][0] @ hidden + self._arrays["out.bias"][0])

    def log_odds_of(self, summary: Array) -> float:
        """Of the statistics of a clip, uncalibrated."""
        arrays = self._arrays
        scaled = ((summary - arrays["statistic.mean"]) / arrays["statistic.deviation"]).clip(-_BOUND, _BOUND)
        hidden = np.maximum(arrays["first.weight"] @ scaled + arrays["first.bias"], 0)
        return float(arrays["second.weight"][0] @ hidden + arrays["second.bias"][0])

    def _column(self, spectrogram: Array) -> Array:
        """(128, frames) -> (64, frames / 8)."""
        x = spectrogram[None]
        for index, strides in enumerate(_PLANE_STRIDES):
            x = _convolved_2d(x, self._arrays[f"plane{index}.weight"], self._arrays[f"plane{index}.bias"], strides)
        weight = self._arrays["column.weight"][:, :, 0]
        joined: Array = np.maximum(weight @ x.reshape(-1, x.shape[2]) + self._arrays["column.bias"][:, None], 0)
        return joined

    def _wire(self, waves: Array) -> Array:
        """(17, pulses) -> (64, pulses / 16)."""
        x = waves
        for index, stride in enumerate(_WIRE_STRIDES):
            x = _convolved_1d(x, self._arrays[f"wire{index}.weight"], self._arrays[f"wire{index}.bias"], stride)
        return x


def _convolved_2d(x: Array, weight: Array, bias: Array, strides: tuple[int, int]) -> Array:
    """(channels, height, width) by (outputs, channels, 3, 3), one zero around it, then rectified."""
    channels, rows, frames = x.shape
    padded = np.zeros((channels, rows + 2, frames + 2), x.dtype)  # by hand: np.pad and sliding_window_view took a fifth of a clip's time
    padded[:, 1:-1, 1:-1] = x
    height, width = (rows - 1) // strides[0] + 1, (frames - 1) // strides[1] + 1
    columns = np.empty((channels, 3, 3, height, width), x.dtype)
    for row in range(3):
        for column in range(3):
            columns[:, row, column] = padded[:, row : row + rows : strides[0], column : column + frames : strides[1]]
    out = weight.reshape(len(weight), -1) @ columns.reshape(-1, height * width)
    out += bias[:, None]
    result: Array = np.maximum(out, 0, out=out).reshape(len(weight), height, width)
    return result


def _convolved_1d(x: Array, weight: Array, bias: Array, stride: int) -> Array:
    """(channels, samples) by (outputs, channels, taps), zeros around it as in training, then rectified."""
    taps = weight.shape[2]
    edge = (taps - stride + 1) // 2
    channels, samples = x.shape
    padded = np.zeros((channels, samples + 2 * edge), x.dtype)
    padded[:, edge : edge + samples] = x
    width = (samples + 2 * edge - taps) // stride + 1
    columns = np.empty((channels, taps, width), x.dtype)
    for tap in range(taps):
        columns[:, tap] = padded[:, tap : tap + (width - 1) * stride + 1 : stride]
    out = weight.reshape(len(weight), -1) @ columns.reshape(-1, width)
    out += bias[:, None]
    result: Array = np.maximum(out, 0, out=out)
    return result


def _statistics(side: Array) -> Array:
    """(channels, time) -> means, then deviations (2 channels,)."""
    return np.concatenate((side.mean(axis=1), np.sqrt(side.var(axis=1) + np.float32(1e-5))))


def load() -> CnnAuthenticity:
    """The model with the weights inside the package."""
    folder = files("voicestream.models.authenticity")
    return CnnAuthenticity(folder.joinpath("cnn.safetensors").read_bytes(), read_card(folder.joinpath("cnn.json").read_text("utf-8")))
