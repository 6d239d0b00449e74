"""How likely each senone of the acoustic model is to have made each frame.

Phonetically tied mixtures: each phone has one codebook of 128 Gaussians per stream, a senone is three sets of weights
over them, and its likelihood the product of its streams. Densities are a kernel; their weighted sums are matrix products,
0.5 ms for the 5,126 senones of 100 ms.
"""

from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp._jit import F32, FLOAT, REASSOCIATE, VOID, late_kernel, types
from voicestream.models.speech import package, parameter
from voicestream.models.speech.definition import ModelDefinition

LogLikelihoods: TypeAlias = NDArray[np.float32]  # (frames, senones), nats

_BLOCK_FRAMES: Final = 128  # of which the densities are held at once
_NEGLIGIBLE: Final = 18.0  # nats below the best density of a codebook
_F32_3D_RO = types.Array(types.float32, 3, "C", readonly=True)
_F32_4D_RO = types.Array(types.float32, 4, "C", readonly=True)
_F32_4D = types.Array(types.float32, 4, "C")


class AcousticModel:
    """The model of the installed package: phones, their transitions, and the likelihood of any senone."""

    def __init__(
        self,
        definition: ModelDefinition,
        means: NDArray[np.float32],
        variances: NDArray[np.float32],
        mixture_weights: NDArray[np.uint8],
        transitions: NDArray[np.float64],
    ) -> None:
        """Arrays as `parameter` reads them."""
        self.definition: Final = definition
        self.transitions: Final = transitions
        self._means = np.ascontiguousarray(means.transpose(0, 1, 3, 2))  # (codebooks, streams, numbers, densities)
        self._precisions = np.ascontiguousarray(0.5 / variances.transpose(0, 1, 3, 2), np.float32)
        offsets = -0.5 * np.log(2 * np.pi * variances.astype(np.float64)).sum(axis=3)
        self._offsets = offsets.astype(np.float32)  # (codebooks, streams, densities)
        self._weights = mixture_weights
        self._owner = definition.phone_of_senone()
        self._prepared: dict[bytes, list[tuple[int, NDArray[np.int64], NDArray[np.float32]]]] = {}

    def log_likelihoods(self, features: NDArray[np.float32], senones: NDArray[np.int64] | None = None) -> LogLikelihoods:
        """Features (frames, 3, 13) of `cepstrum` -> (frames, len(senones)) float32 in nats; without `senones` of all of them."""
        wanted = np.arange(self.definition.senones) if senones is None else senones
        groups = self._groups(wanted)
        out = np.empty((len(features), len(wanted)), np.float32)
        codebooks, streams, _, densities = self._means.shape
        block = np.empty((codebooks, streams, _BLOCK_FRAMES, densities), np.float32)
        best = np.empty((codebooks, _BLOCK_FRAMES), np.float32)
        scratch = np.empty(densities, np.float32)
        for start in range(0, len(features), _BLOCK_FRAMES):
            piece = np.ascontiguousarray(features[start : start + _BLOCK_FRAMES])
            _densities(piece, self._means, self._precisions, self._offsets, _NEGLIGIBLE, scratch, block, best)
            count = len(piece)
            for codebook, columns, weights in groups:
                product = block[codebook, 0, :count] @ weights[0]
                for stream in range(1, streams):
                    product *= block[codebook, stream, :count] @ weights[stream]
                np.log(product, out=product)
                product += best[codebook, :count, None]
                out[start : start + count, columns] = product
        return out

    def _groups(self, wanted: NDArray[np.int64]) -> list[tuple[int, NDArray[np.int64], NDArray[np.float32]]]:
        """Codebook, places among the wanted, and weights (streams, densities, places) of the senones that share a codebook."""
        owner = self._owner[wanted]
        found = []
        for codebook in np.unique(owner):
            columns = np.flatnonzero(owner == codebook)
            # least weight e-26 and least density e-18 per stream: a product of three stays above float32's e-87
            weights = np.exp(-parameter.LOG_STEP * self._weights[:, :, wanted[columns]].astype(np.float32))
            found.append((int(codebook), columns, weights.astype(np.float32)))
        return found


@cache
def acoustic_model() -> AcousticModel:
    """The model of the installed package, read once; PeerError VS2100 when there is none, VS2101 when it is another."""
    definition = ModelDefinition(package.model_file(package.MODEL_DEFINITION))
    means, variances = parameter.read_gaussians(package.model_file(package.MEANS), package.model_file(package.VARIANCES))
    weights = parameter.read_mixture_weights(
        package.model_file(package.MIXTURE_WEIGHTS), means.shape[1], means.shape[2], definition.senones
    )
    return AcousticModel(definition, means, variances, weights, parameter.read_transitions(package.model_file(package.TRANSITIONS)))


@late_kernel(
    VOID(_F32_3D_RO, _F32_4D_RO, _F32_4D_RO, _F32_3D_RO, FLOAT, F32, _F32_4D, types.Array(types.float32, 2, "C")), fastmath=REASSOCIATE
)
def _densities(
    features: NDArray[np.float32],
    means: NDArray[np.float32],
    precisions: NDArray[np.float32],
    offsets: NDArray[np.float32],
    negligible: float,
    scratch: NDArray[np.float32],
    out: NDArray[np.float32],
    best: NDArray[np.float32],
) -> None:
    # Densities run innermost: 128 neighbours become vector code, the 13 numbers of a stream do not fill one.
    count = len(scratch)
    for codebook in range(means.shape[0]):
        for t in range(len(features)):
            best[codebook, t] = np.float32(0.0)
            for stream in range(means.shape[1]):
                for k in range(count):
                    scratch[k] = offsets[codebook, stream, k]
                for i in range(means.shape[2]):
                    x = features[t, stream, i]
                    mean, precision = means[codebook, stream, i], precisions[codebook, stream, i]
                    for k in range(count):
                        scratch[k] -= (x - mean[k]) * (x - mean[k]) * precision[k]
                top = scratch[0]
                for k in range(count):
                    top = max(top, scratch[k])
                best[codebook, t] += top
                row = out[codebook, stream, t]
                for k in range(count):
                    below = scratch[k] - top
                    row[k] = np.exp(below) if below > -negligible else np.float32(0.0)
