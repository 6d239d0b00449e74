"""Short-time Fourier transforms that come back as a waveform: the ground Griffin-Lim and the phase vocoder stand on."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

Wave = NDArray[np.float32]
Spectrum = NDArray[np.complex64]


def analyse(samples: Wave, size: int, hop: int) -> Spectrum:
    """Samples (n,) -> (frames, size // 2 + 1), Hann window, edges padded with half a window."""
    padded = np.pad(samples, (size // 2, size // 2 + hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    return np.asarray(rfft(frames * window(size), axis=1), np.complex64)


def resynthesise(spectrum: Spectrum, size: int, hop: int, length: int) -> Wave:
    """The waveform (length,) whose transform is nearest to `spectrum` (Griffin and Lim, 1984, equation 6)."""
    shape = window(size)
    frames = np.asarray(irfft(spectrum, size, axis=1), np.float32) * shape
    out = np.zeros(hop * (len(frames) - 1) + size, np.float32)
    weight = np.zeros_like(out)
    for index, frame in enumerate(frames):
        out[index * hop : index * hop + size] += frame
        weight[index * hop : index * hop + size] += shape * shape
    out /= np.maximum(weight, 1e-3)
    return np.pad(out[size // 2 :], (0, length))[:length]


def window(size: int) -> Wave:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


def griffin_lim(magnitude: NDArray[np.float32], size: int, hop: int, rounds: int, momentum: float, length: int, seed: int) -> Wave:
    """A waveform (length,) for a magnitude (frames, bins); momentum 0.99 is N. Perraudin's fast variant (2013)."""
    rng = np.random.default_rng(seed)
    phase = np.exp(2j * np.pi * rng.random(magnitude.shape)).astype(np.complex64)
    before: Spectrum | None = None
    for _ in range(rounds):
        found = analyse(resynthesise(magnitude * phase, size, hop, length), size, hop)[: len(magnitude)]
        moved = found if before is None else found + np.complex64(momentum) * (found - before)
        phase = moved / np.maximum(np.abs(moved), 1e-9)
        before = found
    return resynthesise(magnitude * phase, size, hop, length)


def mel_bands(bands: int, size: int, rate_hz: int, high_hz: float) -> NDArray[np.float32]:
    """Triangles on the mel scale, (bands, size // 2 + 1)."""
    edges = 700 * np.expm1(np.linspace(0, np.log1p(high_hz / 700), bands + 2))
    at = np.arange(size // 2 + 1) * rate_hz / size
    rise = (at - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - at) / np.diff(edges)[1:, None]
    return np.maximum(0, np.minimum(rise, fall)).astype(np.float32)


def stretched(spectrum: Spectrum, factor: float, size: int, hop: int) -> Spectrum:
    """A phase vocoder: the same spectrum `factor` times as long, phases advanced bin by bin (Flanagan and Golden, 1966)."""
    expected = 2 * np.pi * hop * np.arange(spectrum.shape[1]) / size
    steps = np.arange(0, len(spectrum) - 1, 1 / factor)
    first = steps.astype(int)
    share = (steps - first)[:, None]
    magnitude = (1 - share) * np.abs(spectrum[first]) + share * np.abs(spectrum[first + 1])
    turn = np.angle(spectrum[first + 1]) - np.angle(spectrum[first]) - expected
    turn = expected + turn - 2 * np.pi * np.round(turn / (2 * np.pi))
    phase = np.angle(spectrum[0]) + np.concatenate((np.zeros((1, spectrum.shape[1])), np.cumsum(turn, axis=0)[:-1]))
    return np.asarray(magnitude * np.exp(1j * phase), np.complex64)
