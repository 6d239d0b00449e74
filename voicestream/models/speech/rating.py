"""What five human experts would have given: one line per scale, through a mix of measures, with its doubt.

    impression ─► deviations from what is usual, bounded ─► mix (chosen beforehand) ─► offset + slope x mix = rating 0..10

Too few speakers were rated to tell how much each measure should count: fitted freely, the weights went wrong on the
speaker left out. So how the measures mix was set, and only offset and slope are learned, as a Bayesian posterior whose
prior holds most of the weight. What is usual was found on learners of the same corpus whose ratings nobody looked at.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.models.card import Card, read_card
from voicestream.models.speech.impression import Impression
from voicestream.models.weights import known_weights

Scale: TypeAlias = Literal["pronunciation", "fluency", "intonation", "overall"]
Condition: TypeAlias = Literal["read", "free"]

SCALES: Final[tuple[Scale, ...]] = ("pronunciation", "fluency", "intonation", "overall")
CONDITIONS: Final[tuple[Condition, ...]] = ("read", "free")  # the sentence was given; the text is our own transcript
BEST: Final = 10.0
BOUND: Final = 3.0  # standard deviations: beyond them a measure says no more

Array = NDArray[np.float64]


class Rating(NamedTuple):
    """A rating 0..10, and the standard deviation of what people would say of another speaker's utterance around it."""

    value: float
    deviation: float


class Rater:
    """The model of `weights` (a whole safetensors file), with its card."""

    def __init__(self, weights: bytes, card: Card) -> None:
        arrays = known_weights(weights, card.name, card.sha256)
        self.card = card
        self._arrays = {name: array.astype(np.float64) for name, array in arrays.items()}

    @property
    def usual(self) -> Impression:
        """What learners are like on average."""
        return Impression(*self._arrays["usual"][0].tolist())

    def rate(self, found: Impression, condition: Condition) -> dict[Scale, Rating]:
        """One rating per scale."""
        return {scale: rate(self._arrays, np.array(found), condition, scale) for scale in SCALES}


def rate(arrays: Mapping[str, Array], found: Array, condition: Condition, scale: Scale) -> Rating:
    """The rating that `arrays` foresee: `usual` (2, 5), and per condition and scale `mix`, `line`, `covariance` and `noise`."""
    mix, line, covariance, noise = (arrays[f"{condition}.{scale}.{part}"] for part in ("mix", "line", "covariance", "noise"))
    design = np.array([1.0, float(deviations(found, arrays["usual"]) @ mix)])
    variance = float(noise[0] + design @ covariance @ design)
    return Rating(float(np.clip(design @ line, 0.0, BEST)), variance**0.5)


def deviations(found: Array, usual: Array) -> Array:
    """Impressions (..., 5) by the mean and deviation of what is usual (2, 5), bounded."""
    bounded: Array = np.clip((found - usual[0]) / usual[1], -BOUND, BOUND)
    return bounded


def load() -> Rater:
    """The model with the weights inside the package."""
    return Rater(files("voicestream.models.speech").joinpath("rating.safetensors").read_bytes(), card())


def card() -> Card:
    """The card alone."""
    return read_card(files("voicestream.models.speech").joinpath("rating.json").read_text("utf-8"))
