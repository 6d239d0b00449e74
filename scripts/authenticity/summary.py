"""Teaching the small network over a clip's statistics: `voicestream.models.authenticity.statistic`."""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from authenticity.corpus import BONA_FIDE
from authenticity.training import FOLDS, SMOOTHING, WEIGHT, Heard
from voicestream.models.authenticity.statistic import statistics
from voicestream.models.authenticity.view import RATE_HZ, views

Table = NDArray[np.float32]

HIDDEN: Final = 64
STEPS: Final = 1500
BATCH: Final = 512
BOUND: Final = 4.0  # deviations: what lies farther out is held there


class StatisticNetwork(nn.Module):
    """Statistics (batch, k) -> log odds of real speech (batch,)."""

    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.first = nn.Linear(len(mean), HIDDEN)
        self.second = nn.Linear(HIDDEN, 1)
        self.before, self.between = nn.Dropout(0.15), nn.Dropout(0.3)

    def forward(self, found: Tensor) -> Tensor:
        scaled = ((found - self.mean) / self.deviation).clamp(-BOUND, BOUND)
        return self.second(self.between(functional.relu(self.first(self.before(scaled)))))[:, 0]

    def arrays(self) -> dict[str, Table]:
        """For inference: weights as float16 keeps them."""
        return {
            "statistic.mean": self.mean.numpy(),
            "statistic.deviation": self.deviation.numpy(),
            "first.weight": self.first.weight.detach().numpy(),
            "first.bias": self.first.bias.detach().numpy(),
            "second.weight": self.second.weight.detach().numpy(),
            "second.bias": self.second.bias.detach().numpy(),
        }


def table(heard: Heard, cache: Path) -> Table:
    """Statistics of every clip in every channel, (clips, channels, k); kept in `cache`."""
    path = cache / f"{heard.kind}-statistics.npy"
    if not path.exists():
        np.save(path, np.array([[described(one) for one in clip] for clip in heard.clips]))
    found: Table = np.load(path)
    return found


def described(clip: NDArray[np.int16]) -> Table:
    if len(clip) < RATE_HZ:
        clip = np.tile(clip, 2)[:RATE_HZ]
    return statistics(*views(clip.astype(np.float32) / 32768))


def train_statistics(data: dict[str, Heard], tables: dict[str, Table], left_out: int, seed: int) -> StatisticNetwork:
    """A network from all but one fold's speakers and kinds, both classes of equal weight."""
    inputs, truth, weight = [], [], []
    for kind, heard in data.items():
        if kind in FOLDS[left_out]:
            continue
        rows = tables[kind][heard.fold != left_out]
        rows = rows.reshape(-1, rows.shape[2])
        inputs.append(rows)
        truth.append(np.full(len(rows), float(kind == BONA_FIDE), np.float32))
        worth = 1.0 if kind == BONA_FIDE else WEIGHT.get(kind, 1.0 if heard.spoken else 2.5) * len(heard.clips) ** 0.5
        weight.append(np.full(len(rows), worth / len(rows)))
    x, y, w = (torch.from_numpy(np.concatenate(part).astype(np.float32)) for part in (inputs, truth, weight))
    for side in (0.0, 1.0):
        w[y == side] *= 0.5 * len(w) / w[y == side].sum()
    torch.manual_seed(seed)
    network = StatisticNetwork(x.mean(dim=0), x.std(dim=0) + 1e-6)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=STEPS)
    for _ in range(STEPS):
        drawn = torch.randint(len(x), (BATCH,))
        target = y[drawn] * (1 - 2 * SMOOTHING) + SMOOTHING
        loss = (functional.binary_cross_entropy_with_logits(network(x[drawn]), target, reduction="none") * w[drawn]).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return network.eval()


def rounded(network: StatisticNetwork) -> StatisticNetwork:
    """The network as it is shipped, for golden scores."""
    twin = StatisticNetwork(network.mean, network.deviation)
    twin.load_state_dict(network.state_dict())
    with torch.no_grad():
        for layer in (twin.first, twin.second):
            layer.weight.copy_(layer.weight.half())
    return twin.eval()
