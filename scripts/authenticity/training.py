"""Teaching the network: clips through channels, folds that leave out speakers and kinds, one cosine of learning rate."""

import copy
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from authenticity.channel import heard, microphone, telephone
from authenticity.corpus import BONA_FIDE, Recording
from authenticity.network import Network

FOLDS: Final = (  # kinds left out together: cousins (Griffin-Lim and mel, two neural voices) are never in one fold
    ("espeak", "griffin_lim", "piper", "pico"),
    ("world", "mbrola", "rhvoice", "phase_vocoder"),
    ("replay", "lpc", "flite", "kokoro"),
    ("mel", "festival", "codec2", "stretch"),
)
CROP: Final = 16384  # samples of a training clip: 2 s
WHOLE: Final = 32000  # of a tested one: 4 s, repeated where it is shorter
BATCH: Final = 48
SMOOTHING: Final = 0.03  # no label is quite sure
SEEN: Final = {BONA_FIDE: 4, "": 2}  # random channels per clip, beside the plain telephone and the plain microphone
# Of a kind beside the root of its number: copies are harder than synthesis; what is hardly changed blurs the border.
WEIGHT: Final = {"stretch": 0.7, "codec2": 1.5}


@dataclass(frozen=True, slots=True)
class Heard:
    """All clips of one kind at 8 kHz int16: [clip][channel], 0 the telephone, 1 the microphone, then random ones."""

    kind: str
    spoken: bool  # by a synthesiser, from text
    fold: NDArray[np.int64]  # of each clip: by speaker; of a synthesiser's by chance
    clips: list[list[NDArray[np.int16]]]


def through_channels(kind: str, clips: Sequence[Recording], cache: Path, seed: int) -> Heard:
    """The clips as they may arrive; kept in `cache`."""
    path = cache / f"{kind}-heard.npz"
    if not path.exists():
        rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])
        made = []
        for clip in clips:
            variants = [telephone(clip.samples), microphone(clip.samples, -23.0)]
            variants += [heard(clip.samples, rng) for _ in range(SEEN.get(kind, SEEN[""]))]
            made += [np.round(np.clip(one, -1, 1) * 32767).astype(np.int16) for one in variants]
        np.savez(path.with_suffix(".part.npz"), samples=np.concatenate(made), lengths=[len(one) for one in made])
        path.with_suffix(".part.npz").rename(path)
    with np.load(path) as stored:
        flat = np.split(stored["samples"], np.cumsum(stored["lengths"])[:-1])
    count = len(flat) // len(clips)
    fold = np.array([zlib.crc32(_identity(clip, index).encode()) % len(FOLDS) for index, clip in enumerate(clips)])
    return Heard(kind, _spoken(clips[0]), fold, [flat[index : index + count] for index in range(0, len(flat), count)])


def _identity(clip: Recording, index: int) -> str:
    return str(index) if _spoken(clip) else clip.speaker


def _spoken(clip: Recording) -> bool:
    return clip.speaker.startswith(f"{clip.kind}/")


def train(data: dict[str, Heard], left_out: int | None, steps: int, seed: int, path: Path) -> Network:
    """A network from everything, or from all but one fold's speakers and kinds; kept at `path`."""
    if path.exists():
        network = Network()
        network.load_state_dict(torch.load(path, weights_only=True))
        return network.eval()
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    kinds = [kind for kind in data if kind != BONA_FIDE and (left_out is None or kind not in FOLDS[left_out])]
    pools = {kind: [clip for clip, fold in zip(data[kind].clips, data[kind].fold, strict=True) if fold != left_out] for kind in data}
    share = np.array([WEIGHT.get(kind, 1.0 if data[kind].spoken else 2.5) * len(pools[kind]) ** 0.5 for kind in kinds])
    share /= share.sum()
    network = Network()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.2)
    average, started = None, time.monotonic()
    total = 0.0
    for step in range(steps):
        names = [BONA_FIDE] * (BATCH // 2) + list(rng.choice(kinds, BATCH - BATCH // 2, p=share))
        samples = torch.from_numpy(np.stack([_cut(pools[name][rng.integers(len(pools[name]))], rng) for name in names]))
        truth = torch.tensor([1.0 if name == BONA_FIDE else 0.0 for name in names]) * (1 - 2 * SMOOTHING) + SMOOTHING
        loss = functional.binary_cross_entropy_with_logits(network(samples), truth)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        total += float(loss.detach())
        if step >= steps * 3 // 4 and step % 5 == 0:  # the mean of the last stretch errs less than its end
            average = _averaged(average, network, (step - steps * 3 // 4) // 5)
        if step % 100 == 99:
            print(f"  {step + 1}/{steps} loss {total / 100:.3f} {time.monotonic() - started:.0f} s", flush=True)
            total = 0.0
    if average is not None:
        network.load_state_dict(average)
    torch.save(network.state_dict(), path)
    return network.eval()


def _averaged(average: dict[str, torch.Tensor] | None, network: Network, count: int) -> dict[str, torch.Tensor]:
    state = copy.deepcopy(network.state_dict())
    if average is None:
        return state
    return {
        name: average[name] + (state[name] - average[name]) / (count + 1) if state[name].is_floating_point() else state[name]
        for name in state
    }


def _cut(variants: list[NDArray[np.int16]], rng: np.random.Generator) -> NDArray[np.float32]:
    """A piece of one of its channels, either way up."""
    weight = np.array([0.3, 0.1, *[0.6 / (len(variants) - 2)] * (len(variants) - 2)])
    clip = variants[rng.choice(len(variants), p=weight)]
    if len(clip) < CROP:
        clip = np.tile(clip, -(-CROP // len(clip)))
    start = int(rng.integers(len(clip) - CROP + 1))
    return clip[start : start + CROP].astype(np.float32) * np.float32(rng.choice([-1, 1]) / 32768)


def scores(network: Network, clips: Sequence[NDArray[np.int16]]) -> NDArray[np.float64]:
    """Log odds of whole clips, each repeated to 4 s."""
    found = []
    with torch.no_grad():
        for start in range(0, len(clips), 32):
            batch = [np.tile(clip, -(-WHOLE // len(clip)))[:WHOLE].astype(np.float32) / 32768 for clip in clips[start : start + 32]]
            found.append(network(torch.from_numpy(np.stack(batch))).numpy())
    return np.concatenate(found).astype(np.float64)
