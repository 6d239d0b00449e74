"""Teaching the network of `confusion`: questions of all kinds, and the same sounds asked about as if another was expected.

Where a sound was said right, another may be put in its place without aligning anew: its leads are told from the other's.
So every sound is asked about in many ways, mostly as its kin.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from scripts.pronunciation.question import Question, kin
from voicestream.models.speech.confusion import BOUND, LARGEST_LEAD, LEAD_NATS
from voicestream.models.speech.definition import SILENCE
from voicestream.models.weights import Array

INNER, OUTER = 384, 160
EPOCHS, BATCH, RATE, DECAY, DROPOUT, SMOOTHING = 30, 256, 3e-3, 1e-2, 0.2, 0.03
ASKED_ANEW = 0.5  # of right sounds in each batch
AS_KIN = 0.8  # of these


class Table(NamedTuple):
    """Questions as arrays: shape (n, 289), leads (n, a); place (n, 3): numbers of phone, left, right; the rest (n,)."""

    shape: Array
    leads: Array
    place: NDArray[np.int64]
    said: NDArray[np.int64]
    kind: NDArray[np.str_]
    speaker: NDArray[np.str_]

    def where(self, chosen: NDArray[np.bool_]) -> "Table":
        return Table(*(column[chosen] for column in self))


def table(asked: Sequence[Question], kinds: Sequence[str], speakers: Sequence[str], alternatives: Sequence[str]) -> Table:
    """Of questions, each with the kind and the speaker of its recording."""
    number = {symbol: index for index, symbol in enumerate((*alternatives, SILENCE))}
    sounds = [one.sound for one in asked]
    return Table(
        np.array([sound.shape for sound in sounds], np.float16).astype(np.float32),
        np.array([np.clip(sound.leads, -500, 500) for sound in sounds], np.float16).astype(np.float32),
        np.array([[number[sound.phone], number[sound.left], number[sound.right]] for sound in sounds], np.int64),
        np.array([number[one.said] for one in asked], np.int64),
        np.array(kinds), np.array(speakers),
    )  # fmt: skip


def keep(path: Path, found: Table) -> None:
    """In a file, at half the precision."""
    small = {name: column.astype(np.float16) if column.dtype == np.float32 else column for name, column in found._asdict().items()}
    np.savez(path, **small)  # type: ignore[arg-type]


def kept(path: Path) -> Table:
    """What `keep` wrote."""
    with np.load(path) as stored:
        columns = (stored[name] for name in Table._fields)
        return Table(*(column.astype(np.float32) if column.dtype == np.float16 else column for column in columns))


class Network(nn.Module):
    """`confusion.Confusion` while it learns."""

    def __init__(self, shape: int, alternatives: int) -> None:
        super().__init__()
        self.inner = nn.Linear(shape + alternatives, INNER)
        self.phone, self.left, self.right = (nn.Embedding(alternatives + 1, INNER) for _ in range(3))
        for embedding in (self.phone, self.left, self.right):
            nn.init.normal_(embedding.weight, 0, 0.05)
        self.hidden = nn.Linear(INNER, OUTER)
        self.out = nn.Linear(OUTER, alternatives)
        self.habit = nn.Embedding(alternatives + 1, alternatives)
        nn.init.zeros_(self.habit.weight)
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, numbers: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
        x = self.inner(self.drop(numbers)) + self.phone(place[:, 0]) + self.left(place[:, 1]) + self.right(place[:, 2])
        x = torch.relu(self.hidden(self.drop(torch.relu(x))))
        return self.out(x) + self.habit(place[:, 0])  # type: ignore[no-any-return]


def taught(found: Table, alternatives: Sequence[str], seed: int) -> dict[str, Array]:
    """The arrays of `Confusion` that these questions teach."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    mean, deviation = found.shape.mean(axis=0), found.shape.std(axis=0) + 1e-3
    width = len(mean)
    leads = np.clip(found.leads / LEAD_NATS, -LARGEST_LEAD, LARGEST_LEAD)
    numbers = torch.from_numpy(np.concatenate((np.clip((found.shape - mean) / deviation, -BOUND, BOUND), leads), axis=1))
    place, said = torch.from_numpy(found.place), torch.from_numpy(found.said)
    others = _kin_table(alternatives)
    network = Network(width, len(alternatives))
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    batches = len(said) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, EPOCHS * batches)
    for epoch in range(EPOCHS):
        total = 0.0
        for rows in torch.randperm(len(said))[: batches * BATCH].split(BATCH):
            x, where = numbers[rows].clone(), place[rows].clone()
            _ask_anew(x[:, width:], where, said[rows], others)
            loss = nn.functional.cross_entropy(network(x, where), said[rows], label_smoothing=SMOOTHING)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1} of {EPOCHS}: {total / batches:.3f}", flush=True)
    return _exported(network) | {"mean": mean, "deviation": deviation}


def _ask_anew(leads: torch.Tensor, place: torch.Tensor, said: torch.Tensor, others: torch.Tensor) -> None:
    """Turns some of the right sounds of a batch into questions about another phone, in place."""
    anew = (torch.rand(len(said)) < ASKED_ANEW) & (said == place[:, 0])
    by_kin = others[said, torch.randint(others.shape[1], (len(said),))]
    by_chance = torch.randint(leads.shape[1] - 1, (len(said),))  # the last one is nothing at all
    place[:, 0] = torch.where(anew, torch.where(torch.rand(len(said)) < AS_KIN, by_kin, by_chance), place[:, 0])
    told_from = leads.gather(1, place[:, :1]) * anew[:, None]
    leads -= told_from
    leads.clamp_(-LARGEST_LEAD, LARGEST_LEAD)


def _kin_table(alternatives: Sequence[str]) -> torch.Tensor:
    """(alternatives, 24) numbers of the kin of each, over and over; of what has none its own."""
    number = {symbol: index for index, symbol in enumerate(alternatives)}
    rows = [[number[other] for other in kin(symbol)] or [number[symbol]] for symbol in alternatives]
    return torch.tensor([[row[index % len(row)] for index in range(24)] for row in rows])


def _exported(network: Network) -> dict[str, Array]:
    embeddings = ("phone", "left", "right", "habit")
    arrays = {name: value.numpy().copy() for name, value in network.state_dict().items()}
    return {name.removesuffix(".weight") if name.startswith(embeddings) else name: array for name, array in arrays.items()}
