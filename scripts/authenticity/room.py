"""Rooms, and a recording played in one: what a microphone hears of a loudspeaker."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

Clip = NDArray[np.float32]

RATE_HZ = 16000
_SPEED_M_S = 343.0


def room(rng: np.random.Generator, decay_s: tuple[float, float], direct_db: tuple[float, float]) -> Clip:
    """An impulse response; decay_s: range of RT60; direct_db: range of the direct sound over all the rest."""
    rt60_s = rng.uniform(*decay_s)
    tail = _images(rng, rt60_s) if rng.random() < 0.5 else _noise_tail(rng, rt60_s)
    tail *= 10 ** (-rng.uniform(*direct_db) / 20) / max(float(np.sqrt((tail**2).sum())), 1e-9)
    tail[0] += 1.0
    return tail


def _noise_tail(rng: np.random.Generator, rt60_s: float) -> Clip:
    """Decaying noise, dull towards the end, and a few early echoes."""
    time_s = np.arange(int(RATE_HZ * min(rt60_s, 1.2))) / RATE_HZ
    fast, slow = np.exp(-6.9 * time_s / (rt60_s * rng.uniform(0.4, 0.9))), np.exp(-6.9 * time_s / rt60_s)
    bright, dull = rng.normal(size=(2, len(time_s)))
    tail = bright * fast + sosfilt(butter(1, rng.uniform(500, 3000), fs=RATE_HZ, output="sos"), dull) * 2 * slow
    tail[: int(RATE_HZ * rng.uniform(0.001, 0.02))] = 0
    for _ in range(int(rng.integers(0, 8))):
        tail[int(rng.integers(16, min(600, len(tail))))] += rng.normal() * 3
    return tail.astype(np.float32)


def _images(rng: np.random.Generator, rt60_s: float) -> Clip:
    """A box with mirror images of the source (Allen and Berkley, 1979), without the direct sound."""
    size = rng.uniform((2.5, 2.2, 2.2), (8.0, 6.0, 3.5))
    source, ear = rng.uniform(0.1, 0.9, (2, 3)) * size
    reflection = float(np.clip(np.exp(-6.9 * 2 * size.mean() / 3 / (_SPEED_M_S * rt60_s) * 1.5), 0.2, 0.97))
    order = np.arange(-9, 10)
    grid = np.stack(np.meshgrid(order, order, order, indexing="ij"), axis=-1).reshape(-1, 3)
    mirrored = np.where(grid % 2 == 0, grid * size + source, grid * size + size - source)
    distance = np.sqrt(((mirrored - ear) ** 2).sum(axis=1))
    bounces = np.abs(grid).sum(axis=1)
    direct = distance[bounces == 0][0]
    at = ((distance - direct) / _SPEED_M_S * RATE_HZ).astype(int)
    keep = (bounces > 0) & (at > 0) & (at < RATE_HZ)
    tail = np.zeros(RATE_HZ)
    np.add.at(tail, at[keep], reflection ** bounces[keep] * rng.choice([-1, 1], keep.sum(), p=[0.3, 0.7]) / distance[keep])
    return tail[: int(RATE_HZ * min(1.0, rt60_s))].astype(np.float32)


def heard_in(samples: Clip, response: Clip) -> Clip:
    return np.asarray(fftconvolve(samples, response)[: len(samples)], np.float32)


def replay(samples: Clip, rng: np.random.Generator) -> Clip:
    """Recorded, played by a small loudspeaker that distorts, in a room, and heard by a microphone that hisses."""
    x = samples / max(float(np.sqrt((samples**2).mean())), 1e-6)
    low_hz, high_hz = rng.uniform(80, 500), rng.uniform(3200, 7800)
    sos = butter(int(rng.integers(1, 4)), (low_hz, high_hz), "bandpass", fs=RATE_HZ, output="sos")
    x = sosfilt(sos, x)
    for _ in range(int(rng.integers(0, 4))):  # resonances of its box
        centre_hz = float(np.exp(rng.uniform(np.log(300), np.log(5000))))
        edges_hz = (centre_hz * 0.85, centre_hz * 1.15)
        x = x + rng.uniform(-0.6, 1.5) * sosfilt(butter(1, edges_hz, "bandpass", fs=RATE_HZ, output="sos"), x)
    drive = float(np.exp(rng.uniform(np.log(0.08), np.log(1.6))))
    bias = rng.uniform(0, 0.3) if rng.random() < 0.4 else 0.0
    x = np.tanh(drive * x + bias) - np.tanh(bias)
    x = heard_in(x.astype(np.float32), room(rng, (0.1, 0.9), (-5.0, 15.0)))
    noise = rng.normal(size=len(x))
    if rng.random() < 0.5:
        noise = sosfilt(butter(1, rng.uniform(300, 3000), fs=RATE_HZ, output="sos"), noise)
    noise *= np.sqrt((x**2).mean() / max((noise**2).mean(), 1e-12)) * 10 ** (-rng.uniform(20, 45) / 20)
    return np.asarray(x + noise, np.float32)
