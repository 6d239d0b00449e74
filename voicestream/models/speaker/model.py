"""The seam every speaker model fills: features in, a unit vector out, and two numbers for a pair of vectors."""

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp.mfcc import FeatureOptions
from voicestream.models.card import Card

Vector: TypeAlias = NDArray[np.float32]
Features: TypeAlias = NDArray[np.float32]
Speech: TypeAlias = NDArray[np.bool_]

FRAME_S = 0.010  # hop between two rows of features
MIN_WINDOW_S = 0.5  # net speech below which a window adds nothing to what is remembered


class SpeakerModel(Protocol):
    """A pure function from the features of speech to a voice, with the card that says how well."""

    @property
    def card(self) -> Card: ...

    @property
    def rate_hz(self) -> int:
        """The analysis rate its features want."""
        ...

    @property
    def features(self) -> FeatureOptions: ...

    @property
    def heavy(self) -> bool:
        """Whether `embed` belongs on a thread (milliseconds) and not on the loop (microseconds)."""
        ...

    def embed(self, features: Features, speech: Speech) -> Vector:
        """The voice in features (n, k) float32 at the frames where speech (n,) is true: (dimension,) of unit length.

        Defined for any n, also for no speech at all; whether there is enough of it the caller decides.
        """
        ...

    def score(self, one: Vector, other: Vector) -> float:
        """Cosine similarity -1..1 of two vectors; other than unit lengths are allowed (a mean of windows)."""
        ...

    def probability(self, score: float, net_speech_s: float) -> float:
        """0..1 that both are one speaker, given a score and the net speech behind the tested side, at even odds."""
        ...
