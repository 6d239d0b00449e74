"""What lies between a mouth (or a loudspeaker, or a synthesiser) and the model: the same for real speech and attacks.

Rooms, noises, equalisers, clipping, band limits and codecs are drawn from one distribution for both classes, and both
pass the same resampler and the same quantisers, so that none of them says which class a clip is of.
"""

import io
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, firwin, sosfilt

from authenticity.room import heard_in, room

Clip = NDArray[np.float32]

RATE_HZ: Final = 16000
OUT_HZ: Final = 8000
_TELEPHONE: Final = firwin(201, [300, 3400], pass_zero=False, fs=OUT_HZ)
_CODECS: Final = ("ULAW", "ALAW", "GSM610", "IMA_ADPCM")


def heard(samples: Clip, rng: np.random.Generator) -> Clip:
    """A clip at 16 kHz as it may arrive, (n,) float32 at 8 kHz: half of them the plain telephone, the rest anything."""
    kind = rng.choice(["telephone", "rough", "microphone"], p=[0.45, 0.25, 0.30])
    if rng.random() < 0.6:
        samples = _surroundings(samples, rng)
    match kind:
        case "telephone":
            return telephone(samples)
        case "rough":
            return _rough(samples, rng)
        case _:
            return microphone(samples, rng.uniform(-38, -14))


def telephone(samples: Clip, level_db: float = -23.0) -> Clip:
    """300 to 3400 Hz, -23 dBFS, 8-bit mu-law, as in the trial lists: 16 kHz in, 8 kHz out."""
    narrow = fftconvolve(soxr.resample(samples, RATE_HZ, OUT_HZ), _TELEPHONE, "same")
    return _coded(_levelled(narrow, level_db), "ULAW")


def microphone(samples: Clip, level_db: float | None = None) -> Clip:
    """16 kHz in, 8 kHz out, 16 bits; the level as it is or as asked."""
    narrow = np.asarray(soxr.resample(samples, RATE_HZ, OUT_HZ), np.float32)
    return _quantised(narrow if level_db is None else _levelled(narrow, level_db))


def _rough(samples: Clip, rng: np.random.Generator) -> Clip:
    narrow = soxr.resample(samples, RATE_HZ, OUT_HZ)
    low_hz, high_hz = rng.uniform(60, 450), rng.uniform(2900, 3900)
    if rng.random() < 0.5:
        narrow = sosfilt(butter(int(rng.integers(1, 6)), (low_hz, high_hz), "bandpass", fs=OUT_HZ, output="sos"), narrow)
    else:
        narrow = fftconvolve(narrow, firwin(int(rng.integers(30, 150)) * 2 + 1, [low_hz, high_hz], pass_zero=False, fs=OUT_HZ), "same")
    level_db = rng.uniform(-34, -14)
    codecs = [_CODECS[rng.choice(len(_CODECS), p=[0.45, 0.25, 0.15, 0.15])]]
    if rng.random() < 0.25:
        codecs.append("ULAW")
    for codec in codecs:
        narrow = _coded(_levelled(narrow, level_db), codec)
    return np.asarray(narrow, np.float32)


def _surroundings(samples: Clip, rng: np.random.Generator) -> Clip:
    """Some of: a near room, an equaliser, noise, a microphone that clips."""
    x = np.asarray(samples, np.float32)
    if rng.random() < 0.2:
        x = heard_in(x, room(rng, (0.08, 0.35), (8.0, 20.0)))
    for _ in range(int(rng.integers(0, 4))):
        centre_hz = float(np.exp(rng.uniform(np.log(150), np.log(5000))))
        edges_hz = (centre_hz * 0.7, centre_hz * 1.4)
        x = x + rng.uniform(-0.6, 1.2) * sosfilt(butter(1, edges_hz, "bandpass", fs=RATE_HZ, output="sos"), x)
    if rng.random() < 0.3:
        tilt = rng.uniform(-0.6, 0.6)
        x = x + tilt * np.concatenate((x[:1], x[:-1]))
    if rng.random() < 0.75:
        noise = _noise(len(x), rng)
        snr_db = rng.uniform(12, 50)
        x = x + noise * np.sqrt((x**2).mean() / max(float((noise**2).mean()), 1e-12)) * 10 ** (-snr_db / 20)
    if rng.random() < 0.05:
        limit = np.percentile(np.abs(x), rng.uniform(97.5, 99.8))
        x = np.clip(x, -limit, limit)
    return np.asarray(x, np.float32)


def _noise(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """White, dull, humming, or coming and going."""
    noise = rng.normal(size=count)
    if rng.random() < 0.7:
        noise = sosfilt(butter(1, np.exp(rng.uniform(np.log(80), np.log(4000))), fs=RATE_HZ, output="sos"), noise)
    if rng.random() < 0.15:
        hum = np.cumsum(np.full(count, 2 * np.pi * rng.choice([50, 60]) / RATE_HZ))
        noise = noise + np.std(noise) * sum(rng.uniform(0, 1.5) * np.sin(k * hum + rng.uniform(0, 6)) for k in range(1, 8))
    if rng.random() < 0.3:
        knots = np.exp(rng.normal(0, 1, max(2, count // 4000)))
        noise = noise * np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(knots)), knots)
    return np.asarray(noise)


def _levelled(samples: Clip, level_db: float) -> Clip:
    return np.asarray(samples * (10 ** (level_db / 20) / max(float(np.sqrt((samples**2).mean())), 1e-7)), np.float32)


def _quantised(samples: Clip) -> Clip:
    return np.asarray(np.round(np.clip(samples, -1, 1) * 32767) / 32768, np.float32)


def _coded(samples: Clip, codec: str) -> Clip:
    """Through a telephone codec and back, by libsndfile."""
    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -0.999, 0.999), OUT_HZ, format="WAV", subtype=codec)
    file.seek(0)
    return np.asarray(soundfile.read(file, dtype="float32")[0][: len(samples)], np.float32)
