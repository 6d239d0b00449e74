"""How good one sound was, and what was said instead if it was another.

Two things count. How well the sound fits the acoustic model: goodness of pronunciation (S. Witt and S. Young, 2000), per
frame and against the best of all its states. And whether another sound is likelier than the one expected, which is asked of
`confusion`: each phone has its own border for that, because some are taken for others more easily. A regression on the
ratings of people and on synthetic mistakes makes a score of both (`scripts/train_pronunciation.py`).
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicestream.models.card import Card, read_card
from voicestream.models.speech.confusion import Confusion, Sound
from voicestream.models.weights import Arrays, known_weights

MEASURES: Final = 2
LARGEST_EXCESS: Final = 5.0  # nats: a rival that leads further says no more


class Verdict(NamedTuple):
    """score 0..100; said: the sound heard instead, "" for none at all, None where it was this sound as far as can be told."""

    score: float
    said: str | None


class Finding(NamedTuple):
    """measures (2,): fit, and nats by which the rival is over its border; said as in a verdict."""

    measures: NDArray[np.float64]
    said: str | None


class Pronunciation:
    """Sounds to verdicts."""

    def __init__(self, arrays: Arrays, alternatives: Sequence[str]) -> None:
        """arrays: those of `Confusion`, `border` (alternatives,) in nats, and `measure`, `scale`, `slope` (2,), `offset` (1,)."""
        self._arrays = arrays
        self._confusion = Confusion(arrays, alternatives)
        self._border = dict(zip(alternatives, arrays["border"].tolist(), strict=True))

    def verdict(self, sound: Sound) -> Verdict:
        """The score of one sound, and what was said instead if it was another."""
        found = self.finding(sound)
        return Verdict(self.score(found.measures), found.said)

    def finding(self, sound: Sound) -> Finding:
        """What the score is made of."""
        rival = self._confusion.rival(sound)
        excess = rival.lead - self._border[sound.phone]
        return Finding(np.array([sound.fit, np.clip(excess, 0, LARGEST_EXCESS)]), rival.symbol if excess > 0 else None)

    def score(self, measures: NDArray[np.float64]) -> float:
        """0..100 of the measures of a finding."""
        arrays = self._arrays
        line = (measures - arrays["measure"]) / arrays["scale"] @ arrays["slope"] + arrays["offset"][0]
        return 100 / (1 + float(np.exp(-np.clip(line, -30, 30))))


@cache
def card() -> Card:
    """Its card."""
    return read_card(files("voicestream.models.speech").joinpath("pronunciation.json").read_text("utf-8"))


def pronunciation(alternatives: Sequence[str]) -> Pronunciation:
    """The model with the weights inside the package."""
    data = files("voicestream.models.speech").joinpath("pronunciation.safetensors").read_bytes()
    return Pronunciation(known_weights(data, "pronunciation", card().sha256), alternatives)
