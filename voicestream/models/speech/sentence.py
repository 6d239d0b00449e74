"""The network of a sentence: each way its words may be pronounced, with or without pauses between them.

    ─► pause? ─► word 1 ─┬──────────────► word 2 ─┬─► pause? ─►
              └─ omitted ┴─► pause ─► ────────────┘

Every phone stands in a copy for each neighbour it can have (neighbours change how a phone sounds, across words too), and
a pause takes the place of the neighbour. Words can be allowed to be missing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.models.speech.definition import NOISE, SILENCE, SPEECH, STATES, Model, ModelDefinition, Position
from voicestream.models.speech.viterbi import JUNCTION, Network

Pronunciation: TypeAlias = tuple[str, ...]  # phones, ARPAbet without stress

PAUSE: Final = -12.0  # nats that a pause between words must be worth
FILLER: Final = {SILENCE: 0.0, NOISE: -12.0, SPEECH: -12.0}  # on top of it
OMISSION: Final = -20.0  # nats that leaving out a word costs


class Place(NamedTuple):
    """Where a state stands: word -1 for a pause (number: its filler), and which phone of which of the word's pronunciations."""

    word: int
    pronunciation: int
    number: int


@dataclass(frozen=True, slots=True)
class SentenceNetwork:
    """Network of a sentence; place of each of its states; senones (columns,) int64 whose likelihoods its columns are."""

    network: Network
    places: Sequence[Place]
    senones: NDArray[np.int64]


class _Exit(NamedTuple):
    """A state that leaves its phone, and with which weight."""

    state: int
    weight: float


Exits: TypeAlias = list[_Exit]


@dataclass(slots=True)
class _Draft:
    """A network while it is drawn."""

    definition: ModelDefinition
    transitions: NDArray[np.float64]
    column: list[int] = field(default_factory=list)
    arcs: list[list[_Exit]] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    columns: dict[int, int] = field(default_factory=dict)

    def junction(self, arcs: Exits) -> int:
        self.column.append(JUNCTION)
        self.arcs.append(arcs)
        self.places.append(Place(-1, 0, 0))
        return len(self.column) - 1

    def phone(self, model: Model, place: Place, entries: Exits) -> Exits:
        """Three states that are entered by `entries`; gives what leaves them."""
        steps = self.transitions[model.transition]
        at = len(self.column)
        for state in range(STATES):
            arcs = list(entries) if state == 0 else []
            arcs += [_Exit(at + other, steps[other, state]) for other in range(state + 1) if np.isfinite(steps[other, state])]
            self.column.append(self.columns.setdefault(model.senones[state], len(self.columns)))
            self.arcs.append(arcs)
            self.places.append(place)
        return [_Exit(at + state, steps[state, STATES]) for state in range(STATES) if np.isfinite(steps[state, STATES])]

    def finished(self) -> SentenceNetwork:
        first = np.cumsum([0, *(len(arcs) for arcs in self.arcs)]).astype(np.int32)
        source = np.array([arc.state for arcs in self.arcs for arc in arcs], np.int32)
        weight = np.array([arc.weight for arcs in self.arcs for arc in arcs], np.float32)
        network = Network(np.array(self.column, np.int32), first, source, weight)
        return SentenceNetwork(network, self.places, np.array(list(self.columns), np.int64))


def sentence_network(
    definition: ModelDefinition, transitions: NDArray[np.float64], words: Sequence[Sequence[Pronunciation]], *, optional: bool = False
) -> SentenceNetwork:
    """The network of words, each given by the ways to say it; optional: any of them may be missing."""
    draft = _Draft(definition, transitions)
    start = draft.junction([])
    after_pause = _pause(draft, [_Exit(start, 0.0)], free=True)
    joined: dict[tuple[str, str], Exits] = {}  # exits of the word before, by its last phone and the one it expects
    for number, ways in enumerate(words):
        following = words[number + 1] if number + 1 < len(words) else ()
        exits = _word(draft, number, ways, after_pause, joined, {way[0] for way in following})
        ends = [exit_ for (_, right), found in exits.items() if right == SILENCE for exit_ in found]
        if optional:
            ends.append(_Exit(after_pause, OMISSION))
        after_pause = _pause(draft, ends, free=optional or number + 1 == len(words))
        joined = {key: found for key, found in exits.items() if key[1] != SILENCE}
    draft.junction([_Exit(after_pause, 0.0)])
    return draft.finished()


def _pause(draft: _Draft, ends: Exits, *, free: bool) -> int:
    """A pause after `ends`; free: or none, though the neighbours sound as if there was one."""
    before = draft.junction(ends)
    leaving: Exits = [_Exit(before, 0.0)] if free else []
    for number, (filler, price) in enumerate(FILLER.items()):
        leaving += draft.phone(draft.definition.base(filler), Place(-1, 0, number), [_Exit(before, PAUSE + price)])
    return draft.junction(leaving)


def _word(
    draft: _Draft,
    number: int,
    ways: Sequence[Pronunciation],
    after_pause: int,
    joined: dict[tuple[str, str], Exits],
    following: set[str],
) -> dict[tuple[str, str], Exits]:
    """All ways to say a word between all its neighbours; exits by last phone and the neighbour they expect."""
    found: dict[tuple[str, str], Exits] = {}
    for way, phones in enumerate(ways):
        # what leads into the next phone, by the phone that stands before it there
        entries: dict[str, Exits] = {SILENCE: [_Exit(after_pause, 0.0)]}
        for (last, expected), exits in joined.items():
            if expected == phones[0]:
                entries.setdefault(last, []).extend(exits)
        for index, phone in enumerate(phones):
            final = index + 1 == len(phones)
            leaving: dict[str, Exits] = {}
            for left, right in _neighbours(entries, following | {SILENCE} if final else {phones[index + 1]}):
                model = draft.definition.model(phone, left, right, position(index, len(phones)))
                leaving.setdefault(right, []).extend(draft.phone(model, Place(number, way, index), entries[left]))
            if final:
                for right, exits in leaving.items():
                    found.setdefault((phone, right), []).extend(exits)
            else:
                entries = {phone: leaving[phones[index + 1]]}
    return found


def _neighbours(entries: dict[str, Exits], rights: set[str]) -> Iterator[tuple[str, str]]:
    for left in entries:
        for right in sorted(rights):
            yield left, right


def position(index: int, count: int) -> Position:
    """Of phone `index` in a word of `count`."""
    if count == 1:
        return "single"
    if index == 0:
        return "begin"
    return "end" if index + 1 == count else "internal"
