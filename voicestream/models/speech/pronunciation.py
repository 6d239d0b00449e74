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
MEASURES: Final = 5
# Sounds that speakers of English themselves do not keep apart, or let become each other.
_SAME: Final = {"AA": {"AO"}, "AO": {"AA"}, "AH": {"IH", "UH", "EH"}, "IH": {"AH"}}
# Sounds of like place or manner: what is said in place of another is nearly always one of its kin.
_KIN: Final = tuple(
    frozenset(group.split())
    for group in (
        "P B F V", "B V W", "T D TH DH", "S Z TH DH T D", "S SH Z ZH", "CH SH JH ZH T D", "K G T D HH", "M N NG", "L R W N", "HH F K",
        "Y JH IY", "W UW V L", "IY IH EY", "IH EH AH IY", "EH AE EY AH", "AE AA AH EH", "AA AO AH OW", "UH UW AH OW", "ER AH AO EH R",
        "AW AO OW AA", "AY EY AA", "OY OW AO",
    )
)  # fmt: skip
_STRANGER: Final = 1.0  # deviations that any other sound must lead further
_STRANGER_NATS: Final = 24.0


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


def leads(evidence: Evidence, alternatives: Sequence[str], usual: NDArray[np.float32], spread: NDArray[np.float32]) -> NDArray[np.float64]:
    """(alternatives,) float64: how far each leads beyond its usual lead over this phone when that is said right, in deviations.

    usual, spread (alternatives, alternatives) float32: mean and deviation, phones by alternatives. The acoustic model has
    its own weaknesses: it often takes a good TH for an F. The phone itself, and what counts as the same, is -inf.
    """
    row = alternatives.index(evidence.phone)
    lead = (evidence.alternatives.astype(np.float64) - usual[row]) / spread[row]
    same = _SAME.get(evidence.phone, set()) | {evidence.phone}
    return np.where([other in same for other in alternatives], -np.inf, lead)


def measures(evidence: Evidence, lead: NDArray[np.float64]) -> NDArray[np.float64]:
    """(5,) float64 that the score is made of; lead as `leads` gives it."""
    gap = float(np.clip(lead.max(), -5, 10))
    vowel = evidence.phone in VOWELS
    return np.array([gap, gap * vowel, evidence.fit, np.log(evidence.frames), vowel])


def suspicion(evidence: Evidence, lead: NDArray[np.float64], alternatives: Sequence[str]) -> float:
    """How far the likeliest substitute leads, in deviations; sounds that are no kin are charged for it."""
    return float((lead - _STRANGER * strangers(evidence.phone, alternatives)).max())


def strangers(phone: str, alternatives: Sequence[str]) -> NDArray[np.float64]:
    """(alternatives,) 1 where a sound is no kin of the phone, else 0."""
    kin = frozenset[str]().union(*(group for group in _KIN if phone in group))
    return np.array([other not in kin for other in alternatives], np.float64)


class Pronunciation:
    """Evidence to verdicts."""

    def __init__(self, arrays: Arrays, threshold: float, alternatives: Sequence[str]) -> None:
        """arrays: mean, scale, weight (5,), offset (1,), and usual and spread, as `leads` wants them.

        threshold: deviations by which a substitute must lead to be named.
        """
        self._arrays = arrays
        self._threshold = threshold
        self._alternatives = tuple(alternatives)

    def verdict(self, evidence: Evidence) -> Verdict:
        """The score of one phone, and what was said instead if it was another."""
        arrays = self._arrays
        lead = leads(evidence, self._alternatives, arrays["usual"], arrays["spread"])
        x = (measures(evidence, lead) - arrays["mean"]) / arrays["scale"]
        score = 100 / (1 + float(np.exp(-np.clip(x @ arrays["weight"] + arrays["offset"][0], -30, 30))))
        sure = suspicion(evidence, lead, self._alternatives) > self._threshold
        return Verdict(score, self._substitute(evidence, lead) if sure else None)

    def _substitute(self, evidence: Evidence, lead: NDArray[np.float64]) -> str:
        # Which one it was is asked in nats: deviations tell whether, and favour whatever is otherwise never near.
        usual = np.maximum(self._arrays["usual"][self._alternatives.index(evidence.phone)], 0)
        nats = evidence.alternatives - usual - _STRANGER_NATS * strangers(evidence.phone, self._alternatives)
        return self._alternatives[int(np.where(np.isneginf(lead), -np.inf, nats).argmax())]


@cache
def card() -> Card:
    """Its card."""
    return read_card(files("voicestream.models.speech").joinpath("pronunciation.json").read_text("utf-8"))


def pronunciation(alternatives: Sequence[str]) -> Pronunciation:
    """The model with the weights inside the package."""
    data = files("voicestream.models.speech").joinpath("pronunciation.safetensors").read_bytes()
    return Pronunciation(known_weights(data, "pronunciation", card().sha256), card().threshold, alternatives)
