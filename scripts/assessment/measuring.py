"""How well ratings foreseen agree with those given, and how sure that is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voicestream.evaluation.interval import Interval, percentile

DRAWS = 2000
Array = NDArray[np.float64]


def pearson(one: Array, other: Array) -> float:
    """NaN where either does not vary."""
    if one.std() < 1e-9 or other.std() < 1e-9:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def utterance_interval(foreseen: Array, given: Array, seed: int = 1) -> Interval:
    """95 % of correlations over utterances drawn anew, as if each was of another speaker: too narrow."""
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(given), (DRAWS, len(given)))
    return percentile([pearson(foreseen[draw], given[draw]) for draw in draws])


def speaker_interval(foreseen: Array, given: Array, speakers: Sequence[str], seed: int = 1) -> Interval:
    """95 % of correlations over speakers drawn anew, and utterances within them: as honest as so few speakers allow."""
    rng = np.random.default_rng(seed)
    of = [np.flatnonzero(np.array(speakers) == name) for name in sorted(set(speakers))]
    found = []
    for _ in range(DRAWS):
        draw = np.concatenate([rng.choice(of[which], len(of[which])) for which in rng.integers(0, len(of), len(of))])
        found.append(pearson(foreseen[draw], given[draw]))
    return percentile(found)
