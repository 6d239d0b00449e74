"""The telephone, played on a recording: what a list of wide-band files is measured in."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp.g711 import mulaw_compress, mulaw_expand
from voicestream.dsp.pcm import to_float, to_int16
from voicestream.dsp.resample import resample

Condition: TypeAlias = Literal["as-is", "telephone"]
Samples: TypeAlias = NDArray[np.float32]

RATE_HZ: Final = 8000
_BAND_HZ: Final = (300.0, 3400.0)
_TAPS: Final = 201
_LEVEL: Final = 10 ** (-23 / 20)  # rms, -23 dBFS


def telephone(samples: Samples, rate_hz: int) -> Samples:
    """Samples (n,) float32 at any rate we take -> (m,) at 8 kHz: 300-3400 Hz, -23 dBFS rms, 8-bit mu-law and back."""
    narrow = samples if rate_hz == RATE_HZ else resample(samples, rate_hz, RATE_HZ)
    if not len(narrow):
        return narrow
    band = np.convolve(np.asarray(narrow, np.float64), _bandpass(), mode="full")[_TAPS // 2 :][: len(narrow)]
    rms = float(np.sqrt(np.mean(band**2)))
    band *= _LEVEL / rms if rms else 0.0
    return to_float(mulaw_expand(mulaw_compress(to_int16(band.astype(np.float32)))))


def _bandpass() -> NDArray[np.float64]:
    from scipy.signal import firwin

    taps: NDArray[np.float64] = firwin(_TAPS, _BAND_HZ, pass_zero=False, fs=RATE_HZ)
    return taps
