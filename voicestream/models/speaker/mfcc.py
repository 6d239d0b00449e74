"""The embedded speaker model: what a voice's cepstra look like in each of a few dozen kinds of sound.

    cepstra, deltas ─► share of each Gaussian ─► mean offset per Gaussian ─► trained projection ─► unit vector

A mixture of Gaussians trained on many speakers sorts the speech frames into kinds of sound; the voice is where
its own frames lie, on average, off the mixture's means: the adapted-mean supervector of D. Reynolds, T. Quatieri,
R. Dunn, "Speaker verification using adapted Gaussian mixture models" (2000), with a linear discriminant that
whitens the variation within speakers (A. Hatch et al., WCCN, 2006). Cepstra are not mean-normalised, which would
throw the speaker away (measured); loudness is, through the first coefficient. Everything is analysed at 8 kHz
between 200 and 3600 Hz, so a telephone and a microphone give the same voice.
"""

from importlib.resources import files
from typing import Final

import numpy as np

from voicestream.dsp.cosine import cosine
from voicestream.dsp.mfcc import FeatureOptions
from voicestream.models.card import Card, read_card
from voicestream.models.speaker.calibration import probability
from voicestream.models.speaker.model import Features, Speech, Vector
from voicestream.models.weights import Array, known_weights

FEATURES: Final = FeatureOptions(rate_hz=8000, mel_bins=24, low_hz=200.0, high_hz=3600.0, ceps=20, lifter=0.0)

_DELTA_REACH: Final = 2  # frames on either side that a slope is taken over; written out in _slopes
_STRIDE: Final = 2  # every other frame: neighbours share 60 % of their samples, and half of them do as well (measured)


class MfccSpeaker:
    """The model of `weights` (a whole safetensors file), with its card."""

    rate_hz: Final = FEATURES.rate_hz
    features: Final = FEATURES
    heavy: Final = False  # 0.2 ms for 3 s of speech

    def __init__(self, weights: bytes, card: Card) -> None:
        arrays = known_weights(weights, card.name, card.sha256)
        self.card = card
        self._mixture = Mixture(arrays)
        self._projection = arrays["projection"]
        self._offset = arrays["offset"]
        self._calibration = arrays["calibration"].astype(np.float64)

    def embed(self, features: Features, speech: Speech) -> Vector:
        """The voice in features (n, 20) at the frames where speech (n,) is true: (dimension,) of unit length."""
        vector: Vector = self._mixture.supervector(prepared(features, speech)) @ self._projection + self._offset
        return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-12))

    def score(self, one: Vector, other: Vector) -> float:
        """Cosine similarity -1..1; 0 where a vector is zero."""
        return cosine(one, other)

    def probability(self, score: float, net_speech_s: float) -> float:
        """0..1 at even odds: logistic regression on the score and the logarithm of the tested net speech."""
        return probability(self._calibration, score, net_speech_s)


class Mixture:
    """The Gaussians that sort frames, and the statistics of a voice under them."""

    def __init__(self, arrays: dict[str, Array]) -> None:
        mean, variance, weight = (arrays[name].astype(np.float64) for name in ("mean", "variance", "weight"))
        constant = np.log(weight) - 0.5 * (np.log(variance) + mean**2 / variance).sum(axis=1)
        self._mean = arrays["mean"]
        self._constant = constant.astype(np.float32)
        self._linear = np.ascontiguousarray((mean / variance).T, np.float32)
        self._square = np.ascontiguousarray((-0.5 / variance).T, np.float32)
        self._scale = (np.sqrt(weight)[:, None] / np.sqrt(variance)).astype(np.float32)
        self._relevance = float(arrays["relevance"][0])

    def supervector(self, frames: Array) -> Array:
        """Scaled offsets of the prepared frames of a voice from each Gaussian, (gaussians * 40,) float32; zeros for no frames."""
        frames = np.ascontiguousarray(frames[::_STRIDE])
        share = self.share(frames)
        count = share.sum(axis=0)[:, None]
        offset = (share.T @ frames - count * self._mean) / (count + self._relevance)
        result: Array = (offset * self._scale).reshape(-1)
        return result

    def share(self, frames: Array) -> Array:
        """How much of each frame (n, 40) each Gaussian takes, (n, gaussians), rows sum to 1."""
        log_share = self._constant + frames @ self._linear + (frames * frames) @ self._square
        log_share -= log_share.max(axis=1, keepdims=True)
        share: Array = np.exp(log_share)
        share /= share.sum(axis=1, keepdims=True)
        return share


def prepared(features: Features, speech: Speech) -> Array:
    """Speech frames (m, 40) float32: cepstra with the loudness taken out, and their slopes."""
    return levelled(np.concatenate((features, _slopes(features)), axis=1)[speech])


def levelled(frames: Array) -> Array:
    """The frames with the mean of their first coefficient at zero; in place."""
    if len(frames):
        frames[:, 0] -= frames[:, 0].mean()
    return frames


def _slopes(features: Features) -> Features:
    """Regression slope of every coefficient over the frames around it (HTK book, 5.9), edges repeated."""
    count = len(features)
    if not count:
        return features
    padded = np.empty((count + 2 * _DELTA_REACH, features.shape[1]), np.float32)  # np.pad takes 20 us for this
    padded[:_DELTA_REACH] = features[0]
    padded[_DELTA_REACH:-_DELTA_REACH] = features
    padded[-_DELTA_REACH:] = features[-1]
    total = padded[3:-1] - padded[1:-3]
    total += np.float32(2) * (padded[4:] - padded[:-4])
    total /= np.float32(10)  # 2 * (1 * 1 + 2 * 2)
    return total


def load() -> MfccSpeaker:
    """The model with the weights inside the package."""
    folder = files("voicestream.models.speaker")
    return MfccSpeaker(folder.joinpath("mfcc.safetensors").read_bytes(), read_card(folder.joinpath("mfcc.json").read_text("utf-8")))
