"""The ECAPA-TDNN gives what its definition says, number by number."""

import numpy as np
import pytest
from numpy.typing import NDArray

from voicestream.models.speaker.ecapa import BLOCKS, SCALE, Ecapa, log_mel

CHANNELS, SQUEEZED, JOINED, LISTENING, OUT = 16, 4, 12, 5, 6
Arrays = dict[str, NDArray[np.float32]]
Array = NDArray[np.float64]


def arrays(seed: int = 1) -> Arrays:
    rng = np.random.default_rng(seed)
    made: Arrays = {}

    def linear(name: str, out: int, into: int, taps: int = 1) -> None:
        made[f"{name}.weight"] = rng.normal(0, 1 / np.sqrt(into * taps), (out, into, taps)).astype(np.float32)
        made[f"{name}.bias"] = rng.normal(0, 0.2, out).astype(np.float32)

    def normal(name: str, size: int) -> None:
        for part, low in (("weight", 0.5), ("bias", -0.5), ("running_mean", -0.5), ("running_var", 0.5)):
            made[f"{name}.{part}"] = rng.uniform(low, low + 1, size).astype(np.float32)

    def layer(name: str, out: int, into: int, taps: int = 1) -> None:
        linear(f"{name}.conv.conv", out, into, taps)
        normal(f"{name}.norm.norm", out)

    layer("blocks.0", CHANNELS, 80, 5)
    for block in range(1, len(BLOCKS) + 1):
        layer(f"blocks.{block}.tdnn1", CHANNELS, CHANNELS)
        layer(f"blocks.{block}.tdnn2", CHANNELS, CHANNELS)
        for group in range(SCALE - 1):
            layer(f"blocks.{block}.res2net_block.blocks.{group}", CHANNELS // SCALE, CHANNELS // SCALE, 3)
        linear(f"blocks.{block}.se_block.conv1.conv", SQUEEZED, CHANNELS)
        linear(f"blocks.{block}.se_block.conv2.conv", CHANNELS, SQUEEZED)
    layer("mfa", JOINED, CHANNELS * len(BLOCKS))
    layer("asp.tdnn", LISTENING, 3 * JOINED)
    linear("asp.conv.conv", JOINED, LISTENING)
    normal("asp_bn.norm", 2 * JOINED)
    linear("fc.conv", OUT, 2 * JOINED)
    return made


class Slow:
    """speechbrain.lobes.models.ECAPA_TDNN line by line, channels in rows, in double precision."""

    def __init__(self, made: Arrays) -> None:
        self._made = {name: array.astype(np.float64) for name, array in made.items()}

    def conv(self, name: str, x: Array, dilation: int = 1) -> Array:
        weight, bias = self._made[f"{name}.weight"], self._made[f"{name}.bias"]
        reach = dilation * (weight.shape[2] - 1) // 2
        padded = np.pad(x, ((0, 0), (reach, reach)), mode="reflect")
        out = np.zeros((len(weight), x.shape[1]))
        for t in range(x.shape[1]):
            for tap in range(weight.shape[2]):
                out[:, t] += weight[:, :, tap] @ padded[:, t + tap * dilation]
        return out + bias[:, None]

    def norm(self, name: str, x: Array) -> Array:
        weight, bias, mean, variance = (self._made[f"{name}.{part}"][:, None] for part in ("weight", "bias", "running_mean", "running_var"))
        return (x - mean) / np.sqrt(variance + 1e-5) * weight + bias

    def tdnn(self, name: str, x: Array, dilation: int = 1) -> Array:
        return self.norm(f"{name}.norm.norm", np.maximum(self.conv(f"{name}.conv.conv", x, dilation), 0))

    def block(self, name: str, x: Array, dilation: int) -> Array:
        groups = np.split(self.tdnn(f"{name}.tdnn1", x), SCALE)
        for group in range(1, SCALE):
            heard = groups[group] if group == 1 else groups[group] + groups[group - 1]
            groups[group] = self.tdnn(f"{name}.res2net_block.blocks.{group - 1}", heard, dilation)
        y = self.tdnn(f"{name}.tdnn2", np.concatenate(groups))
        gate = np.maximum(self.conv(f"{name}.se_block.conv1.conv", y.mean(axis=1, keepdims=True)), 0)
        return y / (1 + np.exp(-self.conv(f"{name}.se_block.conv2.conv", gate))) + x

    def __call__(self, mel: NDArray[np.float32]) -> Array:
        x = self.tdnn("blocks.0", (mel - mel.mean(axis=0)).T.astype(np.float64))
        outs = []
        for number, dilation in enumerate(BLOCKS, 1):
            x = self.block(f"blocks.{number}", x, dilation)
            outs.append(x)
        x = self.tdnn("mfa", np.concatenate(outs))
        mean, deviation = x.mean(axis=1, keepdims=True), x.std(axis=1, keepdims=True)
        context = np.concatenate((x, np.repeat(mean, x.shape[1], 1), np.repeat(deviation, x.shape[1], 1)))
        share = np.exp(self.conv("asp.conv.conv", np.tanh(self.tdnn("asp.tdnn", context))))
        share /= share.sum(axis=1, keepdims=True)
        mean = (share * x).sum(axis=1, keepdims=True)
        deviation = np.sqrt((share * (x - mean) ** 2).sum(axis=1, keepdims=True))
        return self.conv("fc.conv", self.norm("asp_bn.norm", np.concatenate((mean, deviation))))[:, 0]


@pytest.mark.parametrize("frames", [11, 40])
def test_forward_is_the_slow_twin(frames: int) -> None:
    made = arrays()
    mel = np.random.default_rng(2).normal(-30, 10, (frames, 80)).astype(np.float32)
    np.testing.assert_allclose(Ecapa(made).forward(mel), Slow(made)(mel), atol=1e-4)


def test_loudness_does_not_change_the_voice() -> None:
    network = Ecapa(arrays())
    samples = np.random.default_rng(4).normal(0, 0.05, 8000).astype(np.float32)
    np.testing.assert_allclose(network(samples), network(samples * np.float32(4)), atol=1e-4)


@pytest.mark.parametrize("samples", [0, 1, 1600])
def test_silence_and_nothing_are_vectors_too(samples: int) -> None:
    assert np.isfinite(Ecapa(arrays())(np.zeros(samples, np.float32))).all()


def test_the_quietest_band_is_80_db_below_the_loudest() -> None:
    time = np.arange(16000) / 16000
    decibel = log_mel(np.sin(2 * np.pi * 1000 * time).astype(np.float32))
    assert decibel.max() - decibel.min() == pytest.approx(80, abs=1e-3)
