"""What five human experts would have given: a linear regression on the evidence, with what is known about its doubt.

    evidence ─► deviations from what is usual, bounded ─► weights (mean, covariance) ─► rating 0..10 and its deviation

The weights are a Bayesian posterior: ratings of few speakers move an opinion that was held before them. Deviations are
those of learners of the same corpus whose ratings nobody used.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.models.card import Card, read_card
from voicestream.models.speech.evidence import Evidence
from voicestream.models.weights import known_weights

Scale: TypeAlias = Literal["pronunciation", "fluency", "intonation", "overall"]
Condition: TypeAlias = Literal["read", "free"]

SCALES: Final[tuple[Scale, ...]] = ("pronunciation", "fluency", "intonation", "overall")
CONDITIONS: Final[tuple[Condition, ...]] = ("read", "free")  # the sentence was given; the text is our own transcript
BEST: Final = 10.0
BOUND: Final = 3.0  # standard deviations: beyond them a measure says no more

Array = NDArray[np.float64]


class Rating(NamedTuple):
    """A rating 0..10 and its standard deviation: of another speaker's rating, not of the mean over many."""

    value: float
    deviation: float


class Rater:
    """The model of `weights` (a whole safetensors file), with its card."""

    def __init__(self, weights: bytes, card: Card) -> None:
        arrays = known_weights(weights, card.name, card.sha256)
        self.card = card
        self._arrays = {name: array.astype(np.float64) for name, array in arrays.items()}

    def rate(self, found: Evidence, condition: Condition) -> dict[Scale, Rating]:
        """One rating per scale."""
        return rate(self._arrays, found, condition)


def rate(arrays: Mapping[str, Array], found: Evidence, condition: Condition) -> dict[Scale, Rating]:
    """The ratings that `arrays` foresee: `usual` (2, 4), and per condition and scale weights, covariance and noise."""
    design = np.concatenate(([1.0], deviations(np.array(found), arrays["usual"])))
    ratings: dict[Scale, Rating] = {}
    for scale in SCALES:
        weights, covariance, noise = (arrays[f"{condition}.{scale}.{part}"] for part in ("weight", "covariance", "noise"))
        variance = float(noise[0] + design @ covariance @ design)
        ratings[scale] = Rating(float(np.clip(design @ weights, 0.0, BEST)), variance**0.5)
    return ratings


def deviations(found: Array, usual: Array) -> Array:
    """Evidence (..., 4) by the mean and deviation of what is usual (2, 4), bounded."""
    bounded: Array = np.clip((found - usual[0]) / usual[1], -BOUND, BOUND)
    return bounded


def load() -> Rater:
    """The model with the weights inside the package."""
    folder = files("voicestream.models.speech")
    return Rater(folder.joinpath("rating.safetensors").read_bytes(), card())


def card() -> Card:
    """The card alone."""
    return read_card(files("voicestream.models.speech").joinpath("rating.json").read_text("utf-8"))
