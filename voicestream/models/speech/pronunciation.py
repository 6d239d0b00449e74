"""How good one sound was: from what the acoustic model makes of it to a score as people would give it.

Goodness of pronunciation (S. Witt and S. Young, 2000) asks by how much another phone would have explained the stretch
better. Here every alternative is aligned anew between its neighbours (`substitution`), and a small logistic regression
turns that gap, the fit of the whole model, and the length of the sound into a score. `scripts/train_pronunciation.py`
trained it on the ratings of people and on synthetic speech with known mistakes.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicestream.models.card import Card, read_card
from voicestream.models.weights import Arrays, known_weights

VOWELS: Final = frozenset(["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"])
_SOFTNESS: Final = 8.0  # nats: frames in a row are no independent witnesses
# Sounds that speakers of English themselves do not keep apart, or let become each other.
_SAME: Final = {"AA": {"AO"}, "AO": {"AA"}, "AH": {"IH", "UH", "EH"}, "IH": {"AH"}}


class Evidence(NamedTuple):
    """What was found about one phone. alternatives: nats by which each explains the stretch better than the phone expected.

    fit: nats per frame that its states lie below the best states of the model; frames: its length.
    """

    phone: str
    alternatives: NDArray[np.float32]
    fit: float
    frames: int


class Verdict(NamedTuple):
    """score 0..100; said: the sound heard instead, "" for none at all, None where it was this sound as far as can be told."""

    score: float
    said: str | None


def measures(evidence: Evidence, alternatives: Sequence[str]) -> NDArray[np.float64]:
    """(7,) float64 that the score is made of."""
    lead = evidence.alternatives.astype(np.float64)
    others = np.array([other != evidence.phone and other not in _SAME.get(evidence.phone, ()) for other in alternatives])
    gap = float(lead[others].max())
    soft = float(np.logaddexp.reduce(np.append(lead[others] / _SOFTNESS, 0.0)))
    vowel = evidence.phone in VOWELS
    squeezed = float(np.sign(gap) * np.log1p(abs(gap)))
    return np.array([squeezed, squeezed * vowel, np.log1p(soft), gap / evidence.frames, evidence.fit, np.log(evidence.frames), vowel])


MEASURES: Final = 7


class Pronunciation:
    """Evidence to verdicts."""

    def __init__(self, arrays: Arrays, threshold: float, alternatives: Sequence[str]) -> None:
        """arrays: mean, scale, weight (7,) and offset (1,); threshold: score below which a sound counts as another."""
        self._arrays = arrays
        self._threshold = threshold
        self._alternatives = tuple(alternatives)

    def verdict(self, evidence: Evidence) -> Verdict:
        """The score of one phone, and what was said instead if it was another."""
        arrays = self._arrays
        x = (measures(evidence, self._alternatives) - arrays["mean"]) / arrays["scale"]
        score = 100 / (1 + float(np.exp(-np.clip(x @ arrays["weight"] + arrays["offset"][0], -30, 30))))
        return Verdict(score, self._said(evidence) if score < self._threshold else None)

    def _said(self, evidence: Evidence) -> str | None:
        best = self._alternatives[int(evidence.alternatives.argmax())]
        return None if best == evidence.phone or best in _SAME.get(evidence.phone, ()) else best


@cache
def card() -> Card:
    """Its card."""
    return read_card(files("voicestream.models.speech").joinpath("pronunciation.json").read_text("utf-8"))


def pronunciation(alternatives: Sequence[str]) -> Pronunciation:
    """The model with the weights inside the package."""
    data = files("voicestream.models.speech").joinpath("pronunciation.safetensors").read_bytes()
    return Pronunciation(known_weights(data, "pronunciation", card().sha256), card().threshold, alternatives)
