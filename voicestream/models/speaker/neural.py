"""A neural network as a speaker model: it hears the speech end to end, and a trained projection fits its voices to telephones.

    rows of 10 ms ─► speech end to end ─► network ─► less the mean voice ─► trained projection ─► unit vector

The networks were trained on wide-band recordings, and the line takes more of a voice from them than it must: the
projection (linear discriminant with the variation within speakers whitened; A. Hatch et al., WCCN, 2006) is trained
on speakers heard through microphones and telephones, so that directions in which a channel moves a voice count little.
"""

from collections.abc import Callable
from importlib.resources import files
from typing import Final, TypeAlias

import numpy as np

from voicestream.dsp.cosine import cosine, unit
from voicestream.dsp.mfcc import FeatureOptions
from voicestream.errors import MisuseError
from voicestream.models.card import Card, joint_sha256, read_card
from voicestream.models.speaker.calibration import probability
from voicestream.models.speaker.model import Features, Speech, Vector
from voicestream.models.weights import read_weights, sha256_of

Network: TypeAlias = Callable[[Vector], Vector]  # samples (n,) at 16 kHz -> a vector of any length

FEATURES: Final = FeatureOptions(rate_hz=16000, samples=True)


class NeuralSpeaker:
    """A network whose weights have `network_sha256`, the trained part in `backend` (a whole safetensors file), their card."""

    rate_hz: Final = FEATURES.rate_hz
    features: Final = FEATURES
    heavy: Final = True  # tens of milliseconds for 3 s of speech

    def __init__(self, network: Network, network_sha256: str, backend: bytes, card: Card) -> None:
        if joint_sha256(network_sha256, sha256_of(backend)) != card.sha256:
            raise MisuseError(f"the weights of {card.name} are not those of its card")
        arrays = read_weights(backend)
        self.card = card
        self._network = network
        self._centre, self._projection = arrays["centre"], arrays["projection"]
        self._calibration = arrays["calibration"].astype(np.float64)

    def embed(self, features: Features, speech: Speech) -> Vector:
        """The voice in rows of samples (n, 160) at the rows where speech (n,) is true: (dimension,) of unit length."""
        centred: Vector = unit(self._network(joined(features, speech))) - self._centre
        voice: Vector = centred @ self._projection
        return unit(voice)

    def score(self, one: Vector, other: Vector) -> float:
        """Cosine similarity -1..1; 0 where a vector is zero."""
        return cosine(one, other)

    def probability(self, score: float, net_speech_s: float) -> float:
        """0..1 at even odds: logistic regression on the score and the logarithm of the tested net speech."""
        return probability(self._calibration, score, net_speech_s)


def joined(features: Features, speech: Speech) -> Vector:
    """The speech among rows of samples (n, k), end to end: (m * k,)."""
    return features[speech].reshape(-1)


def packaged(name: str) -> tuple[bytes, Card]:
    """The weights and the card of that name that come with this package."""
    folder = files("voicestream.models.speaker")
    return folder.joinpath(f"{name}.safetensors").read_bytes(), packaged_card(name)


def packaged_card(name: str) -> Card:
    """The card alone."""
    return read_card(files("voicestream.models.speaker").joinpath(f"{name}.json").read_text("utf-8"))
