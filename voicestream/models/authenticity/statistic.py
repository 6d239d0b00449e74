"""What a clip's two views are like on the whole: some hundred numbers that synthesis and loudspeakers change.

Spectrogram: how each band's level is spread and how fast it rises and falls, how deep the harmonics stand. Pulses:
how peaky each band is within 32 ms, whether the bands peak together (in a throat they do: its closure excites all of
them at once; a vocoder that invents phases loses that, and so does a room), and how well one period repeats.
Flattened waveform: how lopsided and how spiky it is, which is the phase of a pulse.
"""

from typing import Final

import numpy as np

from voicestream.models.authenticity.view import HOP, Array

_PARTS: Final = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
_LOW, _HIGH = 4, 108  # bins of the spectrogram inside every telephone: 156 to 3400 Hz
_FRAME: Final = 32  # pulses, of 1 ms
_WIDE: Final = 64


def statistics(spectrogram: Array, pulses: Array, flat: Array) -> Array:
    """Log spectrogram (128, frames), log pulses (17, n), flattened waveform -> (STATISTICS,) float32; at least 0.1 s of each."""
    inside = spectrogram[_LOW:_HIGH]
    bands = inside.reshape(13, 8, -1).mean(axis=1)
    slope = np.diff(bands.reshape(13, -1), axis=1)
    ripple = np.abs(np.diff(inside, 2, axis=0)).reshape(6, 17, -1).mean(axis=1)
    level = inside.mean(axis=0)
    found = [
        _spread(bands).ravel(), bands.std(axis=1), _lopsided(bands), np.abs(slope).mean(axis=1), _lopsided(slope),
        _spread(ripple).ravel(), _spread(np.diff(level)), _lopsided(np.diff(level)[None]),
        *_peaks(pulses), *_repeats(pulses), *_phases(flat),
    ]  # fmt: skip
    return np.concatenate(found).astype(np.float32)


def _peaks(pulses: Array) -> list[Array]:
    """How peaky four bands and all of them are within 32 ms, and how far they peak together."""
    count = pulses.shape[1] // _FRAME
    power = np.exp(pulses[1:13, : count * _FRAME]).reshape(4, 3, count, _FRAME).mean(axis=1)
    log = np.log(power)
    peaky = np.log(power.mean(axis=2)) - log.mean(axis=2)
    log = log - log.mean(axis=2, keepdims=True)
    log /= log.std(axis=2, keepdims=True) + np.float32(1e-6)
    together = [_spread((log[one] * log[other]).mean(axis=1)) for one in range(4) for other in range(one)]
    whole = power.mean(axis=0)
    log_whole = np.log(whole)
    return [
        _spread(peaky).ravel(), *together, _spread(np.log(whole.mean(axis=1)) - log_whole.mean(axis=1)),
        _spread(log_whole.max(axis=1) - np.median(log_whole, axis=1)),
    ]  # fmt: skip


def _repeats(pulses: Array) -> list[Array]:
    """How well the pulses repeat after 3 to 20 ms, how fast they come and go, and how steeply they rise against how they fall."""
    track = np.log(np.exp(pulses[1:13]).mean(axis=0))
    frames = track[: len(track) // _WIDE * _WIDE].reshape(-1, _WIDE)
    frames = (frames - frames.mean(axis=1, keepdims=True)) * np.hanning(_WIDE).astype(np.float32)
    lags = np.asarray(np.fft.irfft(np.abs(np.fft.rfft(frames, 2 * _WIDE)) ** 2), np.float32)[:, :_FRAME]
    lags /= lags[:, :1] + np.float32(1e-6)
    steps = np.diff(track)
    tails = np.quantile(steps, [0.01, 0.05, 0.95, 0.99])
    return [
        _spread(lags[:, 3:20].max(axis=1)), _spread(lags[:, 3:20].min(axis=1)), _spread(lags[:, 1:4].T).ravel(),
        _lopsided(steps[None]), tails[2:] + tails[1::-1],
    ]  # fmt: skip


def _phases(flat: Array) -> list[Array]:
    """Skewness (either way up) and kurtosis of 32 ms of the flattened waveform."""
    frames = flat[: len(flat) // (2 * HOP) * 2 * HOP].reshape(-1, 2 * HOP)
    frames = frames - frames.mean(axis=1, keepdims=True)
    square = frames * frames  # a product is a tenth of what numpy takes for a third or fourth power
    power = square.mean(axis=1) + np.float32(1e-9)
    skew = (square * frames).mean(axis=1) / power**1.5
    return [_spread(np.abs(skew)), np.abs(skew.mean(keepdims=True)), _spread(np.log((square * square).mean(axis=1) / power**2 + 1e-9))]


def _spread(values: Array) -> Array:
    """Five quantiles along the last axis, first."""
    found: Array = np.quantile(values, _PARTS, axis=-1)
    return found


def _lopsided(values: Array) -> Array:
    """Skewness along the last axis."""
    centred = values - values.mean(axis=-1, keepdims=True)
    square = centred * centred
    found: Array = (square * centred).mean(axis=-1) / (square.mean(axis=-1) + np.float32(1e-6)) ** 1.5
    return found
