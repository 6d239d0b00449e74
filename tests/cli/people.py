"""People who do not exist, for tests of commands: a buzz with a throat of its own, that comes and goes like speech."""

from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 8000


def say(person: int, take: int, seconds: float = 2.5) -> np.ndarray:
    """Samples (n,) float32: one person's pitch, tilt and formants, another sequence of sounds for each take."""
    own, now = np.random.default_rng(person), np.random.default_rng((person, take))
    time = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
    pitch_hz, tilt, throat = own.uniform(90, 260), own.uniform(0.2, 1.4), own.uniform(0.7, 1.4)
    sounds = np.repeat(now.random((2, int(8 * seconds) + 1)), RATE_HZ // 8, axis=1)[:, : len(time)]
    formants_hz = throat * np.stack((350 + 450 * sounds[0], 1000 + 1200 * sounds[1]))
    harmonics = np.arange(1, int(3500 / pitch_hz))[:, None]
    gain = sum(1 / (1 + ((harmonics * pitch_hz - formant) / (80 + 60 * tilt)) ** 2) for formant in formants_hz)
    buzz = (gain * harmonics**-tilt * np.cos(2 * np.pi * harmonics * pitch_hz * time)).sum(axis=0)
    buzz *= (time % 0.9 < 0.7) / np.abs(buzz).max()
    return (0.3 * buzz + 0.0003 * now.normal(size=len(time))).astype(np.float32)


def write(folder: Path, people: int, takes: int) -> Path:
    """folder/<person>/<take>.wav"""
    for person in range(people):
        (folder / f"p{person:02}").mkdir(parents=True, exist_ok=True)
        for take in range(takes):
            soundfile.write(folder / f"p{person:02}" / f"{take}.wav", say(person, take), RATE_HZ)
    return folder
