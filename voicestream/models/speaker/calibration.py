"""From a score to a probability: logistic regression whose numbers were found on speakers held out of training."""

import math

import numpy as np
from numpy.typing import NDArray

_SHORTEST_S, _LONGEST_S = 1.0, 30.0  # net speech a calibration has seen


def probability(calibration: NDArray[np.float64], score: float, net_speech_s: float) -> float:
    """0..1 at even odds, by four numbers of logistic regression on the score and the logarithm of the net speech."""
    found = regressors(np.array([score]), np.array([net_speech_s]))
    return 0.5 + 0.5 * math.tanh(0.5 * float(found[0] @ calibration))  # a sigmoid that cannot overflow


def regressors(score: NDArray[np.float64], net_speech_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the log odds of one speaker are linear in, (n, 4): 1, score, log duration, score times log duration."""
    log_s = np.log(np.clip(net_speech_s, _SHORTEST_S, _LONGEST_S))
    return np.stack((np.ones_like(score), score, log_s, score * log_s), axis=-1)
