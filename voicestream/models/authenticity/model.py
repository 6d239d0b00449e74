"""The seam every authenticity model fills: a clip in, one number out, and what it means."""

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.models.card import Card

Samples: TypeAlias = NDArray[np.float32]


class AuthenticityModel(Protocol):
    """A pure function from a clip to how much it is a living voice and no synthesis or replay."""

    @property
    def card(self) -> Card: ...

    @property
    def rate_hz(self) -> int:
        """The rate of the samples it takes."""
        ...

    @property
    def heavy(self) -> bool:
        """Whether `score` belongs on a thread (milliseconds) and not on the loop (microseconds)."""
        ...

    def score(self, samples: Samples) -> float:
        """Samples (n,) float32 in -1..1 at `rate_hz`: higher is more authentic. Finite for whatever comes.

        Silence, and less than a second, get a score just below the card's threshold: undecided, and no yes.
        """
        ...

    def probability(self, score: float) -> float:
        """0..1 that the voice is real, given its score, at even odds."""
        ...
