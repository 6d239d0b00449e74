"""Made-up speech: enough like a voice for the VAD and the model to take it for one."""

import io

import numpy as np
import soundfile


def speech(seconds: float, rate_hz: int = 16000, pitch_hz: float = 120.0) -> np.ndarray:
    """(n,) float32: syllables of a buzzing glottis through three formants, 170 ms on and 80 ms off, over faint noise."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    random = np.random.default_rng(int(pitch_hz))
    glide = pitch_hz * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * time))
    phase = 2 * np.pi * np.cumsum(glide) / rate_hz
    voice = np.zeros_like(time)
    for harmonic in range(1, int(3600 / pitch_hz)):
        frequency = harmonic * pitch_hz
        formants = sum(np.exp(-(((frequency - centre) / 150) ** 2)) for centre in (5 * pitch_hz, 1300 + 2 * pitch_hz, 2400))
        voice += (formants + 0.02) * np.sin(harmonic * phase)
    loud = (time % 0.25 < 0.17) & (time > 0.3)
    voice = 0.2 * voice / np.abs(voice).max() * loud + 0.0005 * random.standard_normal(len(time))
    return voice.astype(np.float32)


def pcm16(samples: np.ndarray) -> bytes:
    return _int16(samples).tobytes()


def wav(samples: np.ndarray, rate_hz: int = 16000, container: str = "WAV", subtype: str = "PCM_16") -> bytes:
    out = io.BytesIO()
    soundfile.write(out, _int16(samples), rate_hz, format=container, subtype=subtype)
    return out.getvalue()


def _int16(samples: np.ndarray) -> np.ndarray:
    return (samples * 32767).astype("<i2")
