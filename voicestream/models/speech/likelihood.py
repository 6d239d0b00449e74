"""How likely each senone of the acoustic model is to have made each frame.

Phonetically tied mixtures: each phone has one codebook of 128 Gaussians per stream, a senone is three sets of weights
over them, and its likelihood the product of its streams. Of the 128 few matter in a frame, and only those are summed: as
fast as a matrix product over all of them, and without the threads of BLAS, which wait for each other on a busy machine.
"""

from functools import cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numba import types
from numpy.typing import NDArray

from voicestream.dsp._jit import F32, F32_2D, FLOAT, I64_RO, REASSOCIATE, VOID, late_kernel
from voicestream.models.speech import package, parameter
from voicestream.models.speech.definition import ModelDefinition

LogLikelihoods: TypeAlias = NDArray[np.float32]  # (frames, senones), nats

_NEGLIGIBLE: Final = 12.0  # nats below the best density of a codebook
_F32_3D_RO = types.Array(types.float32, 3, "C", readonly=True)
_F32_4D_RO = types.Array(types.float32, 4, "C", readonly=True)


class _Selection(NamedTuple):
    """Senones sorted by codebook: first (codebooks + 1,) where those of each begin, weights (streams, densities, senones)."""

    order: NDArray[np.int64]
    first: NDArray[np.int64]
    weights: NDArray[np.float32]


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
        self._owner = definition.phone_of_senone()
        # The least weight is e-26 and the best density 1: a product of three streams stays above float32's e-87.
        self._weights = np.exp(-parameter.LOG_STEP * mixture_weights.astype(np.float32)).astype(np.float32)
        self._all = self._selection(np.arange(definition.senones))

    def log_likelihoods(self, features: NDArray[np.float32], senones: NDArray[np.int64] | None = None) -> LogLikelihoods:
        """Features (frames, 3, 13) of `cepstrum` -> (frames, len(senones)) float32 in nats; without `senones` of all of them."""
        chosen = self._all if senones is None else self._selection(senones)
        product = np.empty((len(features), len(chosen.order)), np.float32)
        best = np.empty((len(features), len(self._means)), np.float32)
        sums = np.empty((self._means.shape[1], len(chosen.order)), np.float32)
        scratch = np.empty(self._means.shape[3], np.float32)
        _likelihoods(
            np.ascontiguousarray(features), self._means, self._precisions, self._offsets, chosen.weights, chosen.first, _NEGLIGIBLE,
            scratch, sums, best, product,
        )  # fmt: skip
        np.log(product, out=product)
        product += np.repeat(best, np.diff(chosen.first), axis=1)
        out = np.empty_like(product)
        out[:, chosen.order] = product
        return out

    def _selection(self, senones: NDArray[np.int64]) -> _Selection:
        owner = self._owner[senones]
        order = np.argsort(owner, kind="stable")
        first = np.searchsorted(owner[order], np.arange(len(self._means) + 1)).astype(np.int64)
        return _Selection(order, first, np.ascontiguousarray(self._weights[:, :, senones[order]]))


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
    VOID(_F32_3D_RO, _F32_4D_RO, _F32_4D_RO, _F32_3D_RO, _F32_3D_RO, I64_RO, FLOAT, F32, F32_2D, F32_2D, F32_2D), fastmath=REASSOCIATE
)
def _likelihoods(
    features: NDArray[np.float32],
    means: NDArray[np.float32],
    precisions: NDArray[np.float32],
    offsets: NDArray[np.float32],
    weights: NDArray[np.float32],
    first: NDArray[np.int64],
    negligible: float,
    scratch: NDArray[np.float32],
    sums: NDArray[np.float32],
    best: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    # Densities and senones run innermost: rows of neighbours become vector code, the 13 numbers of a stream do not fill one.
    count, streams = len(scratch), means.shape[1]
    rest = np.float32(0.25 * np.exp(-negligible))  # what the densities passed over may have been
    for t in range(len(features)):
        for codebook in range(means.shape[0]):
            begin, end = first[codebook], first[codebook + 1]
            best[t, codebook] = np.float32(0.0)
            if begin == end:
                continue
            for stream in range(streams):
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
                best[t, codebook] += top
                total = sums[stream, begin:end]
                for s in range(end - begin):
                    total[s] = rest
                for k in range(count):
                    below = scratch[k] - top
                    if below > -negligible:
                        density = np.float32(np.exp(below))
                        weight = weights[stream, k, begin:end]
                        for s in range(end - begin):
                            total[s] += density * weight[s]
            row = out[t, begin:end]
            for s in range(end - begin):
                row[s] = sums[0, begin + s]
            for stream in range(1, streams):
                total = sums[stream, begin:end]
                for s in range(end - begin):
                    row[s] *= total[s]
