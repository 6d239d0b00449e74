"""Every target of scripts/fuzz, without atheris: on its seeds, and on a few thousand mutations of them."""

import re
from random import Random

import pytest

from tests.fuzz.target import TARGETS
from voicestream.protocols import socketio_packet


def mutation(random: Random, seeds: list[bytes], words: list[str]) -> bytes:
    """A seed with a few pieces cut out, doubled, changed, or replaced by a word of the grammar."""
    data = bytearray(random.choice(seeds))
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(data))
        word = random.choice(words or [""]).encode()
        piece = random.choice([random.randbytes(1), random.randbytes(3), b"", bytes(data[at : at + 9]), word])
        data[at : at + random.randint(0, 3)] = piece
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
def test_seeds(name: str) -> None:
    for seed in TARGETS[name].seeds:
        TARGETS[name].run(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_mutations(name: str) -> None:
    target, random = TARGETS[name], Random(name)
    for _ in range(200 if name == "session" else 1500):
        target.run(mutation(random, target.seeds, target.words))


def test_a_target_sees_a_packet_read_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socketio_packet, "_HEAD", re.compile(r"(?:([0-4])|([56])([0-9]+)-)(?:(/[^,]*)(?:,|\Z))?([0-9]?)[0-9]*"))
    with pytest.raises(AssertionError):
        TARGETS["socketio"].run(b'2/custom,17["save"]')
