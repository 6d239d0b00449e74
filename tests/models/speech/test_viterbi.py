"""The best path against all paths, written out."""

import itertools

import numpy as np
import pytest

from voicestream.models.speech.viterbi import JUNCTION, Network, best_path

# start ─► a ─► b ─► end, with a way around b; every state but the junctions may stay.
NETWORK = Network(
    column=np.array([JUNCTION, 0, 1, JUNCTION], np.int32),
    first=np.array([0, 0, 2, 4, 6], np.int32),
    source=np.array([0, 1, 1, 2, 2, 1], np.int32),
    weight=np.array([-0.1, -0.5, -0.7, -0.3, -0.2, -2.0], np.float32),
)
_WEIGHT = {(0, 1): -0.1, (1, 1): -0.5, (1, 2): -0.7, (2, 2): -0.3, (2, 3): -0.2, (1, 3): -2.0}


@pytest.mark.parametrize("seed", range(20))
def test_no_path_is_likelier(seed: int) -> None:
    likelihoods = np.random.default_rng(seed).normal(0, 1, (6, 2)).astype(np.float32)
    scores = {}
    for states in itertools.product((1, 2), repeat=6):
        steps = list(itertools.pairwise((0, *states, 3)))
        if all(step in _WEIGHT for step in steps):
            scores[states] = sum(_WEIGHT[step] for step in steps) + sum(likelihoods[t, s - 1] for t, s in enumerate(states))
    path = best_path(NETWORK, likelihoods)
    best = max(scores, key=lambda states: scores[states])
    assert tuple(path.state) == best
    assert path.score == pytest.approx(scores[best], abs=1e-5)


def test_too_few_frames_have_no_path() -> None:
    assert best_path(NETWORK, np.empty((0, 2), np.float32)).score == -np.inf
