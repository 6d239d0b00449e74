"""A small network whose weights were drawn at random: it decides at random, too."""

import numpy as np

from voicestream.dsp.network_vad import INPUTS, VadNetwork

D, H = 5, 6


def network(threshold: float = 0.5, hangover_frames: int = 0) -> VadNetwork:
    rng = np.random.default_rng(5)
    shapes = {"dense": (INPUTS, D), "dense_bias": (D,), "inward": (D, 3 * H), "around": (H, 3 * H), "gate_bias": (6 * H,)}
    shapes |= {"out": (H,), "out_bias": (1,)}
    arrays = {name: (0.7 * rng.standard_normal(shape)).astype(np.float32) for name, shape in shapes.items()}
    return VadNetwork(arrays, threshold, hangover_frames)
