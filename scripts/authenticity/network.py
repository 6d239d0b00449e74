"""The network in torch, for training only; `exported` gives the arrays that the numpy twin in the package runs on."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from voicestream.models.authenticity.view import EMPHASIS, FLOOR, HOP, LEVEL, PULSE_BINS, PULSE_FLOOR, REACH, SHORT, STEP, WINDOW

PLANES: Final = (12, 24, 32, 48)  # of the spectrogram side
WIRES: Final = (32, 32, 48, 64)  # of the pulse side
JOINT: Final = 64


class Network(nn.Module):
    """Samples (batch, n) at 8 kHz -> log odds of real speech (batch,)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(WINDOW, periodic=True))
        self.register_buffer("short_window", torch.hann_window(SHORT, periodic=True))
        strides = ((2, 2), (2, 2), (2, 2), (2, 1))
        sizes = (1, *PLANES)
        self.planes = nn.ModuleList(nn.Conv2d(a, b, 3, stride, 1, bias=False) for a, b, stride in zip(sizes, PLANES, strides, strict=False))
        self.plane_norms = nn.ModuleList(nn.BatchNorm2d(b) for b in PLANES)
        self.column = nn.Conv1d(PLANES[-1] * (WINDOW // 2 // 16), JOINT, 1, bias=False)
        self.column_norm = nn.BatchNorm1d(JOINT)
        self.wires = nn.ModuleList(
            nn.Conv1d(a, b, k, s, (k - s + 1) // 2, bias=False)
            for a, b, k, s in zip((PULSE_BINS, *WIRES), WIRES, (5, 5, 5, 5), (2, 2, 2, 2), strict=False)
        )
        self.wire_norms = nn.ModuleList(nn.BatchNorm1d(b) for b in WIRES)
        self.hidden = nn.Linear(2 * JOINT + 2 * WIRES[-1], 64)
        self.out = nn.Linear(64, 1)
        self.drop = nn.Dropout(0.3)

    def forward(self, samples: Tensor) -> Tensor:
        pooled = self.pooled(*self.views(samples))
        return self.out(self.drop(functional.relu(self.hidden(self.drop(pooled)))))[:, 0]

    def views(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """What `voicestream.models.authenticity.view` computes, for a batch: (batch, 1, 128, frames), (batch, 17, pulses)."""
        samples = samples / torch.clamp(samples.square().mean(dim=1, keepdim=True).sqrt(), min=LEVEL)
        frames = samples.unfold(1, WINDOW, HOP) * self.window
        spectrum = torch.fft.rfft(frames)
        magnitude = spectrum.abs()
        log = torch.log(magnitude[:, :, 1:].square() + FLOOR)
        log = (log - log.mean(dim=1, keepdim=True)).transpose(1, 2)[:, None]
        smooth = magnitude
        for _ in range(2):
            smooth = functional.avg_pool1d(smooth, 2 * REACH + 1, 1, REACH, count_include_pad=False)
        gain = 1 / (smooth + EMPHASIS * smooth.amax(dim=2, keepdim=True) + EMPHASIS)
        flat = torch.fft.irfft(spectrum * gain) * (WINDOW / 16)
        count = flat.shape[1]
        whole = flat.new_zeros((flat.shape[0], count + 1, HOP))
        whole[:, :count] += flat[:, :, :HOP]
        whole[:, 1:] += flat[:, :, HOP:]
        whole = whole.reshape(len(samples), -1)
        short = torch.fft.rfft(whole.unfold(1, SHORT, STEP) * self.short_window)
        return log, torch.log(short.abs().square() + PULSE_FLOOR).transpose(1, 2)

    def pooled(self, planes: Tensor, wires: Tensor) -> Tensor:
        planes = planes.contiguous(memory_format=torch.channels_last)  # a third faster on a CPU
        for convolution, norm in zip(self.planes, self.plane_norms, strict=True):
            planes = functional.relu(norm(convolution(planes)))
        column = functional.relu(self.column_norm(self.column(planes.flatten(1, 2))))
        for convolution, norm in zip(self.wires, self.wire_norms, strict=True):
            wires = functional.relu(norm(convolution(wires)))
        return torch.cat([part for side in (column, wires) for part in _statistics(side)], dim=1)


def _statistics(side: Tensor) -> tuple[Tensor, Tensor]:
    return side.mean(dim=2), torch.sqrt(side.var(dim=2, unbiased=False) + 1e-5)


def exported(network: Network) -> dict[str, NDArray[np.float32]]:
    """Arrays for inference: every normalisation folded into the convolution before it."""
    arrays: dict[str, NDArray[np.float32]] = {}
    pairs = [(f"plane{i}", c, n) for i, (c, n) in enumerate(zip(network.planes, network.plane_norms, strict=True))]
    pairs += [("column", network.column, network.column_norm)]
    pairs += [(f"wire{i}", c, n) for i, (c, n) in enumerate(zip(network.wires, network.wire_norms, strict=True))]
    for name, convolution, norm in pairs:
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight = convolution.weight * scale.reshape(-1, *[1] * (convolution.weight.dim() - 1))
        arrays[f"{name}.weight"] = weight.detach().numpy()
        arrays[f"{name}.bias"] = (norm.bias - norm.running_mean * scale).detach().numpy()
    for name, layer in (("hidden", network.hidden), ("out", network.out)):
        arrays[f"{name}.weight"] = layer.weight.detach().numpy()
        arrays[f"{name}.bias"] = layer.bias.detach().numpy()
    return arrays


def rounded(network: Network) -> Network:
    """The network as it is shipped: normalisations folded, weights as float16 keeps them. For golden scores."""
    twin = Network()
    arrays = exported(network)
    layers = [(f"plane{i}", c, n) for i, (c, n) in enumerate(zip(twin.planes, twin.plane_norms, strict=True))]
    layers += [("column", twin.column, twin.column_norm)]
    layers += [(f"wire{i}", c, n) for i, (c, n) in enumerate(zip(twin.wires, twin.wire_norms, strict=True))]
    with torch.no_grad():
        for name, convolution, norm in layers:
            convolution.weight.copy_(torch.from_numpy(arrays[f"{name}.weight"]).half())
            norm.running_var.fill_(1 - norm.eps)
            norm.bias.copy_(torch.from_numpy(arrays[f"{name}.bias"]))
        for name, layer in (("hidden", twin.hidden), ("out", twin.out)):
            layer.weight.copy_(torch.from_numpy(arrays[f"{name}.weight"]).half())
            layer.bias.copy_(torch.from_numpy(arrays[f"{name}.bias"]))
    return twin.eval()
