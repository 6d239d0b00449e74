"""Which distributions a phone is made of in its context: the model definition (`mdef`) of a Sphinx acoustic model.

A phone is three states; a state's distribution is a senone, shared by many contexts. The contexts lie in a tree, asked
in the order position in the word, phone, left neighbour, right neighbour. Layout: pocketsphinx `src/bin_mdef.c`.
"""

import struct
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.errors import MisuseError

STATES: Final = 3  # of a phone
SILENCE: Final = "SIL"
NOISE: Final = "+NSN+"  # a noise that is no speech
SPEECH: Final = "+SPN+"  # speech that is none of the words

Position: TypeAlias = Literal["internal", "begin", "end", "single"]  # of a phone in its word, as mdef numbers them
_POSITIONS: Final[tuple[Position, ...]] = ("internal", "begin", "end", "single")
_LITTLE_ENDIAN: Final = b"BMDF"
_NODE: Final = np.dtype([("context", "<i2"), ("below", "<i2"), ("down", "<i4")])
_PHONE: Final = np.dtype([("sequence", "<i4"), ("transition", "<i4"), ("attributes", "u1", 4)])


@dataclass(frozen=True, slots=True)
class Model:
    """One phone in one context: senone of each state, and the number of its transition matrix."""

    senones: tuple[int, int, int]
    transition: int


class ModelDefinition:
    """Phones by number, and the senones of each in any context."""

    def __init__(self, data: bytes) -> None:
        """`data`: a whole file; `MisuseError` when its layout is another."""
        if data[:4] != _LITTLE_ENDIAN:
            raise MisuseError("no model definition of little-endian order")
        (skipped,) = struct.unpack_from("<i", data, 8)
        at = 12 + skipped
        head = struct.unpack_from("<10i", data, at)
        phones, models, states, _ci_senones, self.senones, _matrices, sequences, _contexts, nodes, _silence = head
        if states != STATES:
            raise MisuseError(f"phones of {states} states")
        at += 40
        names = data[at:].split(b"\0", phones)[:phones]
        self.phones: Final = tuple(name.decode("ascii") for name in names)
        self.number: Final = {name: number for number, name in enumerate(self.phones)}
        at += -(-sum(len(name) + 1 for name in names) // 4) * 4
        tree = np.frombuffer(data, _NODE, nodes, at)
        at += tree.nbytes
        self._models = np.frombuffer(data, _PHONE, models, at)
        at += self._models.nbytes + 4
        self._sequences = np.frombuffer(data, "<u2", sequences * STATES, at).reshape(-1, STATES)
        self._tree: list[tuple[int, int, int]] = tree.tolist()
        self._found: dict[tuple[str, str, str, Position], Model] = {}
        self.fillers: Final = frozenset(name for name in self.phones if name == SILENCE or name.startswith("+"))

    def base(self, phone: str) -> Model:
        """The phone whatever its neighbours."""
        return self._model(self.number[phone])

    def model(self, phone: str, left: str, right: str, position: Position) -> Model:
        """The phone between two others; the nearest context that was seen where this one never was."""
        key = (phone, left, right, position)
        if key not in self._found:
            self._found[key] = self._model(self._nearest(*key))
        return self._found[key]

    def phone_of_senone(self) -> NDArray[np.int64]:
        """(senones,) number of the phone that each belongs to, which is also the number of its codebook."""
        owner = np.full(self.senones, -1, np.int64)
        base = self._models["attributes"][:, 1].astype(np.int64)  # of a triphone: position, phone, left, right
        base[: len(self.phones)] = np.arange(len(self.phones))
        owner[self._sequences[self._models["sequence"]]] = base[:, None]
        return owner

    def _model(self, number: int) -> Model:
        row = self._models[number]
        first, second, third = self._sequences[int(row["sequence"])].tolist()
        return Model((first, second, third), int(row["transition"]))

    def _nearest(self, phone: str, left: str, right: str, position: Position) -> int:
        if phone in self.fillers:
            return self.number[phone]
        before, after = (SILENCE if one in self.fillers else one for one in (left, right))
        contexts = [(before, after)]
        if position != "internal":  # the neighbour across the word's border is the first to be forgotten
            contexts.append((before if position == "end" else SILENCE, after if position == "begin" else SILENCE))
        for one, other in contexts:
            for place in (position, *(place for place in _POSITIONS if place != position)):
                found = self._look_up(phone, one, other, place)
                if found is not None:
                    return found
        return self.number[phone]

    def _look_up(self, phone: str, left: str, right: str, position: Position) -> int | None:
        start, count = 0, len(_POSITIONS)
        for wanted in (_POSITIONS.index(position), self.number[phone], self.number[left], self.number[right]):
            found = next((node for node in self._tree[start : start + count] if node[0] == wanted), None)
            if found is None:
                return None
            _, count, start = found
            if count == 0:
                return start
        return None
