"""A line through ratings of few speakers: an opinion held before, moved by as much as the ratings can tell."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Prior(NamedTuple):
    """Opinions on offset and slope with their standard deviations, and how far ratings lie from the line.

    speaker: of a speaker's mean, which all of his utterances share; utterance: of one utterance around that.
    """

    offset: float
    offset_deviation: float
    slope: float
    slope_deviation: float
    speaker: float
    utterance: float


class Line(NamedTuple):
    """Posterior of offset and slope: mean (2,), covariance (2, 2)."""

    mean: Array
    covariance: Array


def posterior(mix: Array, ratings: Array, speakers: Sequence[str], prior: Prior) -> Line:
    """What to think of the line after `ratings` (n,) at `mix` (n,): Gaussian, with a random effect for each speaker.

    C. Rasmussen, C. Williams, "Gaussian Processes for Machine Learning" (2006), section 2.1.
    """
    design = np.column_stack((np.ones(len(mix)), mix))
    before = np.array([prior.offset, prior.slope])
    covariance = np.diag([prior.offset_deviation**2, prior.slope_deviation**2])
    same = np.array(speakers)[:, None] == np.array(speakers)[None]
    noise = prior.utterance**2 * np.eye(len(mix)) + prior.speaker**2 * same
    gain = covariance @ design.T @ np.linalg.inv(design @ covariance @ design.T + noise)
    return Line(before + gain @ (ratings - design @ before), covariance - gain @ design @ covariance)
