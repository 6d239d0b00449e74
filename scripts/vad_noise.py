"""Sounds that are not speech, made from random numbers: what the compact VAD learns to leave alone.

Every kind is a function (rng, samples) -> (samples,) float at 8 kHz, of any level. Kinds lie in families, so that
whole families can be held out of training and the network be judged on sounds it has never met.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from scipy.signal import lfilter, oaconvolve
from vad_music import band_music, chords, drums, melody, plucked, strings, synthesiser
from vad_sound import RATE_HZ, Generator, Samples, band, beats, coloured, gated, phase, placed, times, wander

Make: TypeAlias = Callable[[Generator, int], Samples]


def white(rng: Generator, n: int) -> Samples:
    return rng.standard_normal(n)


def falling(rng: Generator, n: int) -> Samples:
    return coloured(rng, n, rng.uniform(0.5, 2.2))


def resonant(rng: Generator, n: int) -> Samples:
    """Noise through a few random resonances: fans, ventilation, rooms."""
    x = coloured(rng, n, rng.uniform(0, 1.5))
    for _ in range(rng.integers(1, 5)):
        hz, radius = rng.uniform(60, 3600), rng.uniform(0.8, 0.99)
        x = lfilter([1 - radius], [1, -2 * radius * np.cos(2 * np.pi * hz / RATE_HZ), radius**2], x)
    return x / x.std() + 0.1 * rng.standard_normal(n)


def hum(rng: Generator, n: int) -> Samples:
    at = phase(rng.choice([50.0, 60.0]), n)
    tone = sum(rng.uniform(0, 1) * np.sin(k * at + rng.uniform(0, 6)) / k ** rng.uniform(0, 1) for k in range(1, rng.integers(3, 30)))
    return np.asarray(tone + rng.uniform(0, 0.5) * coloured(rng, n, 1) * 5)


def engine(rng: Generator, n: int) -> Samples:
    """Harmonics of a turning rate that drifts, over rumble."""
    hz = rng.uniform(15, 160) * (1 + 0.15 * wander(rng, n, rng.uniform(0.5, 6)).clip(-3, 3))
    at = phase(hz, n)
    count = rng.integers(5, 40)
    tone = sum(rng.uniform(0.2, 1) * np.sin(k * at + rng.uniform(0, 6)) / k ** rng.uniform(0.2, 1.2) for k in range(1, count))
    rumble = coloured(rng, n, rng.uniform(0.5, 2))
    return np.asarray(tone / np.std(tone) + rng.uniform(0.1, 1.5) * rumble / rumble.std() * (1 + 0.3 * np.sin(at)))


def motor(rng: Generator, n: int) -> Samples:
    """A whining tool or cleaner that starts, runs and stops."""
    hz = rng.uniform(150, 900) * (1 + 0.05 * wander(rng, n, 1.0).clip(-3, 3))
    at = phase(hz, n)
    tone = sum(rng.uniform(0.1, 1) * np.sin(k * at) for k in range(1, rng.integers(3, 8)))
    noise = resonant(rng, n)
    return gated(rng, n, np.asarray(tone + 2 * rng.uniform(0.2, 2) * noise / noise.std()), (0.5, 6.0), (0.3, 4.0))


def tone(rng: Generator, n: int) -> Samples:
    x = np.sin(phase(rng.uniform(100, 3500), n))
    return gated(rng, n, x, (0.05, 1.5), (0.05, 1.5)) if rng.random() < 0.7 else x


def dtmf(rng: Generator, n: int) -> Samples:
    low, high = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
    starts = beats(rng, n, rng.uniform(0.1, 0.7), 0.1)
    sounds = []
    for _ in starts:
        length = int(rng.uniform(0.05, 0.3) * RATE_HZ)
        sounds.append(np.sin(phase(rng.choice(low), length)) + np.sin(phase(rng.choice(high), length)))
    return placed(n, starts, sounds)


def call_tone(rng: Generator, n: int) -> Samples:
    """Dial, ringback and busy tones of many countries."""
    pairs = ((350, 440), (440, 480), (480, 620), (425, 425), (400, 450), (400, 400), (950, 1400))
    one, other = pairs[rng.integers(len(pairs))]
    on, off = ((1.0, 4.0), (2.0, 4.0), (0.5, 0.5), (0.25, 0.25), (0.4, 0.2), (20.0, 0.1))[rng.integers(6)]
    return gated(rng, n, np.sin(phase(one, n)) + np.sin(phase(other, n)), (on, on + 0.01), (off, off + 0.01))


def ringing(rng: Generator, n: int) -> Samples:
    """A telephone's bell or warble."""
    warble_hz = rng.uniform(8, 25)
    at = np.arange(n) / RATE_HZ
    if rng.random() < 0.5:
        hz = np.where(np.sin(2 * np.pi * warble_hz * at) > 0, rng.uniform(700, 1500), rng.uniform(900, 2200))
        x = np.sign(np.sin(phase(hz, n))) if rng.random() < 0.4 else np.sin(phase(hz, n))
    else:
        modes = rng.uniform(600, 3500, 6)
        strike = np.exp(-((at * warble_hz) % 1) * rng.uniform(0.5, 3))
        x = strike * sum(np.sin(phase(hz, n) + rng.uniform(0, 6)) * rng.uniform(0.2, 1) for hz in modes)
    return gated(rng, n, np.asarray(x), (0.4, 2.0), (0.3, 4.0))


def siren(rng: Generator, n: int) -> Samples:
    at = np.arange(n) / RATE_HZ
    swing = np.sin(2 * np.pi * rng.uniform(0.1, 6) * at)
    shape = {0: swing, 1: np.sign(swing), 2: np.abs(swing) * 2 - 1}[int(rng.integers(3))]
    tune = phase(rng.uniform(500, 1500) * 2 ** (shape * rng.uniform(0.1, 0.8)), n)
    return np.asarray(sum(np.sin(k * tune) * rng.uniform(0, 1) / k for k in range(1, 4)))


def alarm(rng: Generator, n: int) -> Samples:
    """Beeps in groups: ovens, lorries, monitors, smoke."""
    hz, beep_s, period_s = rng.uniform(500, 3500), rng.uniform(0.04, 0.4), rng.uniform(0.1, 1.5)
    starts = beats(rng, n, max(period_s, beep_s * 1.3), 0.0)
    length = int(beep_s * RATE_HZ)
    beep = np.sin(phase(hz, length)) + rng.uniform(0, 0.5) * np.sin(phase(2 * hz % 3900, length))
    return placed(n, starts, [beep] * len(starts))


def click(rng: Generator, hz: float, damping: float, seconds: float = 0.06) -> Samples:
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.asarray(np.sin(2 * np.pi * hz * at + rng.uniform(0, 6)) * np.exp(-at * damping))


def ticks(rng: Generator, n: int) -> Samples:
    """A clock, an indicator, a metronome, a machine that stamps."""
    starts = beats(rng, n, rng.uniform(0.08, 1.0), 0.01)
    sound = click(rng, rng.uniform(300, 3500), rng.uniform(50, 600)) + 0.5 * rng.standard_normal(int(0.06 * RATE_HZ)) * np.exp(
        -np.arange(480) / rng.uniform(5, 100)
    )
    return placed(n, starts, [sound * rng.uniform(0.6, 1) for _ in starts])


def keyboard(rng: Generator, n: int) -> Samples:
    starts = times(rng, n, rng.uniform(3, 9))
    sounds = []
    for _ in starts:
        length = int(rng.uniform(0.02, 0.09) * RATE_HZ)
        press = rng.standard_normal(length) * np.exp(-np.arange(length) / rng.uniform(8, 60))
        sounds.append(rng.lognormal(0, 0.5) * (press + click(rng, rng.uniform(150, 2500), rng.uniform(60, 200), length / RATE_HZ)[:length]))
    return placed(n, starts, sounds)


def dishes(rng: Generator, n: int) -> Samples:
    """Plates, glasses and cutlery: inharmonic modes struck, alone and in heaps."""
    starts = times(rng, n, rng.uniform(0.7, 6))
    sounds = []
    for _ in starts:
        count = int(rng.integers(2, 8))
        sound = sum(click(rng, rng.uniform(400, 3900), rng.uniform(6, 90), 0.4) * rng.uniform(0.2, 1) for _ in range(count))
        noise = rng.standard_normal(3200) * np.exp(-np.arange(3200) / rng.uniform(10, 300))
        sounds.append(rng.lognormal(0, 0.9) * (np.asarray(sound) + rng.uniform(0, 0.8) * noise))
    return placed(n, starts, sounds)


def knocks(rng: Generator, n: int) -> Samples:
    """Steps, doors, things put down: short and dull, with a room."""
    starts = beats(rng, n, rng.uniform(0.2, 1.2), 0.15) if rng.random() < 0.5 else times(rng, n, rng.uniform(0.5, 3))
    sounds = []
    for _ in starts:
        length = int(rng.uniform(0.08, 0.5) * RATE_HZ)
        body = click(rng, rng.uniform(50, 500), rng.uniform(12, 60), length / RATE_HZ)[:length]
        scrape = coloured(rng, length, 1.2)
        sounds.append(
            rng.lognormal(0, 0.6) * (body + rng.uniform(0.1, 1) * scrape / scrape.std() * np.exp(-np.arange(length) / rng.uniform(50, 600)))
        )
    return placed(n, starts, sounds)


def crackle(rng: Generator, n: int) -> Samples:
    """Fire, vinyl, a bad line."""
    impulses = (rng.random(n) < rng.uniform(0.0005, 0.02)) * rng.standard_normal(n) * rng.lognormal(0, 1, n)
    return lfilter([1], [1, -rng.uniform(0, 0.9)], impulses) + rng.uniform(0, 0.1) * coloured(rng, n, 1)


def applause(rng: Generator, n: int) -> Samples:
    claps = (rng.random(n) < rng.uniform(20, 600) / RATE_HZ) * rng.uniform(0.3, 1, n)
    length = 200
    clap = band(rng.standard_normal(length), 500, 3000) * np.exp(-np.arange(length) / 40)
    return oaconvolve(claps, clap, mode="same") * np.exp(0.5 * wander(rng, n, 2.0))


def rustle(rng: Generator, n: int) -> Samples:
    """Paper, cloth, a bag: bursts of shaped noise."""
    starts = times(rng, n, rng.uniform(1, 5))
    sounds = []
    for _ in starts:
        length = int(rng.uniform(0.05, 0.8) * RATE_HZ)
        low_hz = rng.uniform(100, 1500)
        grain = rng.standard_normal(length) * (rng.random(length) < rng.uniform(0.05, 1))
        shape = np.sin(np.pi * np.arange(length) / length) ** rng.uniform(0.3, 2)
        sounds.append(rng.lognormal(0, 0.6) * band(grain, low_hz, low_hz * rng.uniform(2, 8) + 500) * shape)
    return placed(n, starts, sounds)


def wind(rng: Generator, n: int) -> Samples:
    x = coloured(rng, n, rng.uniform(1, 3))
    whistle = band(rng.standard_normal(n), 300, 900) * np.exp(wander(rng, n, 0.8))
    return x / x.std() * np.exp(rng.uniform(0.4, 1.2) * wander(rng, n, rng.uniform(0.15, 1.5))) + rng.uniform(0, 0.4) * whistle


def water(rng: Generator, n: int) -> Samples:
    """A tap, a shower, rain: hiss whose bands swing fast and apart, and bubbles."""
    out = np.zeros(n)
    for _ in range(int(rng.integers(2, 6))):
        low_hz = rng.uniform(150, 2500)
        x = band(rng.standard_normal(n), low_hz, low_hz * rng.uniform(1.3, 4) + 200)
        out += rng.uniform(0.2, 1) * x / x.std() * np.exp(rng.uniform(0.1, 0.7) * wander(rng, n, rng.uniform(0.02, 0.4)))
    starts = times(rng, n, rng.uniform(0.1, 60))
    bubbles = []
    for _ in starts:
        at = np.arange(int(rng.uniform(0.01, 0.06) * RATE_HZ)) / RATE_HZ
        hz = rng.uniform(300, 3000) * (1 + rng.uniform(0, 8) * at)
        bubbles.append(rng.lognormal(0, 0.6) * np.sin(phase(hz, len(at))) * np.exp(-at * rng.uniform(30, 150)))
    return out + rng.uniform(0, 3) * placed(n, starts, bubbles)


def boiling(rng: Generator, n: int) -> Samples:
    """Frying, boiling, gravel: a dense rain of tiny bursts."""
    impulses = (rng.random(n) < rng.uniform(0.01, 0.2)) * rng.standard_normal(n)
    low_hz = rng.uniform(200, 2500)
    x = band(impulses, low_hz, low_hz * 2 + 800)
    return x / x.std() * np.exp(0.3 * wander(rng, n, 0.3)) + rng.uniform(0, 0.5) * falling(rng, n)


def traffic(rng: Generator, n: int) -> Samples:
    """Vehicles that come and go, over rumble."""
    out = coloured(rng, n, 1.5)
    out /= out.std()
    at = np.arange(n) / RATE_HZ
    for _ in range(int(rng.integers(1, 5))):
        centre_s, width_s = rng.uniform(0, n / RATE_HZ), rng.uniform(0.4, 3)
        x = band(rng.standard_normal(n), rng.uniform(60, 500), rng.uniform(800, 3500))
        out += rng.uniform(0.5, 4) * x / x.std() * np.exp(-(((at - centre_s) / width_s) ** 2))
    return out


def train_ride(rng: Generator, n: int) -> Samples:
    base = coloured(rng, n, 1.3)
    clank = knocks(rng, n)
    return base / base.std() * (1 + 0.3 * wander(rng, n, 1.0)) + rng.uniform(0.2, 1) * clank / (clank.std() + 1e-9)


def breath(rng: Generator, n: int) -> Samples:
    """Breathing and blowing into the microphone."""
    starts = beats(rng, n, rng.uniform(1.0, 3.0), 0.15)
    sounds = []
    for _ in starts:
        length = int(rng.uniform(0.3, 1.2) * RATE_HZ)
        shape = np.sin(np.pi * np.arange(length) / length) ** rng.uniform(0.7, 2)
        sounds.append(rng.uniform(0.5, 1) * resonant(rng, length) * shape)
    return placed(n, starts, sounds)


def static(rng: Generator, n: int) -> Samples:
    """A radio between stations: hiss in and out, squeals."""
    squeal = np.sin(phase(800 + 600 * wander(rng, n, 0.7).clip(-1.2, 3), n)) * (wander(rng, n, 1.0) > 1)
    return gated(rng, n, falling(rng, n), (0.1, 3.0), (0.05, 1.5)) + rng.uniform(0, 0.5) * squeal


def birds(rng: Generator, n: int) -> Samples:
    starts, sounds = times(rng, n, rng.uniform(1, 8)), []
    for _ in starts:
        length = int(rng.uniform(0.04, 0.35) * RATE_HZ)
        hz = rng.uniform(1500, 3500) + rng.uniform(100, 500) * wander(rng, length, 0.04)
        sounds.append(rng.lognormal(0, 0.6) * np.sin(phase(hz.clip(800, 3900), length)) * np.hanning(length))
    return placed(n, starts, sounds)


def bark(rng: Generator, n: int) -> Samples:
    """A dog or a squeaking hinge: short, harsh, falling in pitch."""
    starts, sounds = times(rng, n, rng.uniform(0.5, 2.5)), []
    base_hz, harsh = rng.uniform(200, 900), rng.uniform(0.3, 1.5)
    for _ in starts:
        length = int(rng.uniform(0.08, 0.3) * RATE_HZ)
        at = np.arange(length) / length
        tune = phase(base_hz * (1 + 0.5 * np.sin(np.pi * at) - 0.3 * at), length)
        x = sum(np.sin(k * tune) / k**0.5 for k in range(1, int(rng.integers(3, 10))))
        sounds.append(rng.lognormal(0, 0.3) * (np.asarray(x) + harsh * rng.standard_normal(length)) * np.hanning(length))
    return placed(n, starts, sounds)


FAMILIES: dict[str, tuple[Make, ...]] = {
    "steady": (white, falling, resonant, hum),
    "machine": (engine, motor, train_ride, traffic),
    "tone": (tone, dtmf, call_tone),
    "alarm": (ringing, siren, alarm),
    "music": (melody, plucked, synthesiser, strings, chords, drums, band_music, band_music, band_music),
    "impact": (dishes, knocks, ticks),
    "texture": (keyboard, crackle, applause, rustle),
    "weather": (wind, water, boiling),
    "creature": (breath, birds, bark, static),
}
