"""The LSTM gives what its definition says, number by number."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from voicestream.models.speaker.ge2e import Ge2e, pieces

CELLS = 8


def arrays(seed: int = 1) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    shapes = {"linear.weight": (5, CELLS), "linear.bias": (5,)}
    for layer, width in enumerate((40, CELLS, CELLS)):
        shapes |= {f"lstm.weight_ih_l{layer}": (4 * CELLS, width), f"lstm.weight_hh_l{layer}": (4 * CELLS, CELLS)}
        shapes |= {f"lstm.bias_ih_l{layer}": (4 * CELLS,), f"lstm.bias_hh_l{layer}": (4 * CELLS,)}
    made = {name: rng.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    made["linear.bias"] += 2  # something is left above zero
    return made


def slow(mel: NDArray[np.float32], weights: dict[str, NDArray[np.float32]]) -> NDArray[np.float64]:
    """torch.nn.LSTM's definition, a frame at a time, in double precision; gates in the order in, forget, new, out."""
    rows = mel.astype(np.float64)
    for layer in range(3):
        into, again = weights[f"lstm.weight_ih_l{layer}"], weights[f"lstm.weight_hh_l{layer}"]
        bias = weights[f"lstm.bias_ih_l{layer}"].astype(np.float64) + weights[f"lstm.bias_hh_l{layer}"]
        hidden, cell, out = np.zeros(CELLS), np.zeros(CELLS), []
        for row in rows:
            enter, forget, new, leave = np.split(into @ row + again @ hidden + bias, 4)
            cell = cell * expit(forget) + np.tanh(new) * expit(enter)
            hidden = np.tanh(cell) * expit(leave)
            out.append(hidden)
        rows = np.array(out)
    voice = np.maximum(weights["linear.weight"] @ rows[-1] + weights["linear.bias"], 0)
    return voice / np.linalg.norm(voice)


@pytest.mark.parametrize("scale", [0.1, 3.0, 300.0])  # 300: gates far beyond where a sigmoid is 0 or 1
def test_forward_is_the_slow_twin(scale: float) -> None:
    weights = arrays()
    mel = (np.random.default_rng(2).random((3, 12, 40)) * scale).astype(np.float32)
    expected = [slow(one, weights) for one in mel]
    np.testing.assert_allclose(Ge2e(weights).forward(mel), expected, atol=2e-5)


def test_loudness_does_not_change_the_voice() -> None:
    network = Ge2e(arrays())
    samples = np.random.default_rng(4).normal(0, 0.05, 24000).astype(np.float32)
    np.testing.assert_allclose(network(samples), network(samples * np.float32(4)), atol=1e-5)


@pytest.mark.parametrize("samples", [0, 1, 1600])
def test_silence_and_nothing_are_vectors_too(samples: int) -> None:
    assert np.isfinite(Ge2e(arrays())(np.zeros(samples, np.float32))).all()


def test_pieces_are_resemblyzers() -> None:
    # VoiceEncoder.compute_partial_slices(n, 1.3, 0.75) of Resemblyzer 0.1.4
    assert pieces(9000) == [0]
    assert pieces(25600) == [0]
    assert pieces(48000) == [0, 77, 154]
    assert pieces(64000) == [0, 77, 154, 231]
    assert pieces(160000) == [0, 77, 154, 231, 308, 385, 462, 539, 616, 693, 770, 847]
