"""A step of the recurrent unit against its formula."""

import numpy as np
import pytest

from voicestream.dsp.gru import accumulate, gru_step

RNG = np.random.default_rng(3)


def some(*shape: int, size: float = 1.0) -> np.ndarray:
    return (size * RNG.standard_normal(shape)).astype(np.float32)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("inputs", [0, 1, 4, 7, 81])
def test_accumulate_is_a_product(inputs: int) -> None:
    x, weights, out = some(inputs), some(inputs, 5), some(5)
    wanted = out + x @ weights
    accumulate(weights.reshape(-1), x, out)
    np.testing.assert_allclose(out, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [0.1, 1.0, 30.0])  # linear, bent, beyond where float32 tells tanh from 1
def test_a_step_is_the_formula(size: float) -> None:
    n, h = 6, 5
    inward, around, bias = some(n, 3 * h, size=size), some(h, 3 * h, size=size), some(6 * h, size=size)
    x, hidden = some(n), some(h)
    to, turn = x @ inward.astype(float) + bias[: 3 * h], hidden @ around.astype(float) + bias[3 * h :]
    r, z = sigmoid(to[:h] + turn[:h]), sigmoid(to[h : 2 * h] + turn[h : 2 * h])
    new = np.tanh(to[2 * h :] + r * turn[2 * h :])
    wanted = (1 - z) * new + z * hidden
    gru_step(inward.reshape(-1), around.reshape(-1), bias, x, hidden, np.empty(6 * h, np.float32))
    np.testing.assert_allclose(hidden, wanted, atol=5e-6 * size + 1e-6)
