"""Several speaker models as one: their vectors end to end, so that one cosine is the weighted sum of theirs.

Each part's unit vector is scaled by the square root of its weight, and the weights sum to one. So a template is a
vector like any other, and the score of two voices is w1 cos1 + w2 cos2 + ...; N. Brummer et al., "Fusion of
heterogeneous speaker recognition systems" (2007), does the same by logistic regression on scores, which is how the
weights are found.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from voicestream.dsp.cosine import cosine
from voicestream.dsp.mfcc import mfcc
from voicestream.dsp.resample import resample
from voicestream.errors import MisuseError
from voicestream.models.card import Card, joint_sha256
from voicestream.models.speaker.calibration import probability
from voicestream.models.speaker.model import Features, SpeakerModel, Speech, Vector
from voicestream.models.speaker.neural import FEATURES
from voicestream.models.weights import read_weights, sha256_of


class FusedSpeaker:
    """The models `parts`, in the order of the weights (a whole safetensors file), with the card of them together."""

    rate_hz: Final = FEATURES.rate_hz
    features: Final = FEATURES
    heavy: Final = True

    def __init__(self, parts: Sequence[SpeakerModel], weights: bytes, card: Card) -> None:
        if joint_sha256(*(part.card.sha256 for part in parts), sha256_of(weights)) != card.sha256:
            raise MisuseError(f"the parts of {card.name} are not those of its card")
        arrays = read_weights(weights)
        self.card = card
        self._parts = parts
        self._scale = np.sqrt(arrays["weight"])
        self._calibration = arrays["calibration"].astype(np.float64)

    def embed(self, features: Features, speech: Speech) -> Vector:
        """The voice in rows of samples (n, 160) at the rows where speech (n,) is true: (dimension,) of unit length."""
        voices = [scale * part.embed(*heard_by(part, features, speech)) for part, scale in zip(self._parts, self._scale, strict=True)]
        return np.concatenate(voices)

    def score(self, one: Vector, other: Vector) -> float:
        """Cosine similarity -1..1; 0 where a vector is zero."""
        return cosine(one, other)

    def probability(self, score: float, net_speech_s: float) -> float:
        """0..1 at even odds: logistic regression on the score and the logarithm of the tested net speech."""
        return probability(self._calibration, score, net_speech_s)


def heard_by(part: SpeakerModel, features: Features, speech: Speech) -> tuple[Features, Speech]:
    """What a part wants to hear of rows of samples: the rows themselves, or its own features of them."""
    if part.features.samples:
        return features, speech
    rows = mfcc(resample(features.reshape(-1), FEATURES.rate_hz, part.rate_hz), part.features)
    # 25 ms from the start of row i, which is 10 ms of samples, have their middle 2.5 ms before that of row i + 1.
    return rows, speech[1 : 1 + len(rows)]
