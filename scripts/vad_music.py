"""Music from random numbers: instruments alone and together. Kinds as in `vad_noise.py`, (rng, samples) -> (samples,) at 8 kHz."""

import numpy as np
from scipy.signal import lfilter
from vad_sound import RATE_HZ, Generator, Samples, band, beats, gated, phase, placed

SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 6, 7, 10))


def note(rng: Generator, hz: float, seconds: float, harmonics: int, fall: float, decay_s: float, attack_s: float) -> Samples:
    """A sound of an instrument: harmonics that fall off and decay."""
    n = max(8, int(seconds * RATE_HZ))
    at = np.arange(n) / RATE_HZ
    count = max(1, min(harmonics, int(3900 / hz)))
    tune = phase(hz * (1 + rng.uniform(0, 0.006) * np.sin(2 * np.pi * rng.uniform(4, 7) * at)), n)
    tone = sum(np.sin(k * tune + rng.uniform(0, 6)) * k**-fall for k in range(1, count + 1))
    shape = np.minimum(at / attack_s, 1) * np.exp(-at / decay_s) * np.minimum((n - np.arange(n)) / 80, 1)
    return np.asarray(tone * shape)


def melody(rng: Generator, n: int) -> Samples:
    """One voice of an instrument going up and down a scale."""
    scale, root_hz, beat_s = SCALES[rng.integers(4)], rng.uniform(100, 500), rng.uniform(0.12, 0.6)
    shape = {
        "harmonics": int(rng.integers(1, 14)),
        "fall": rng.uniform(0.5, 2.5),
        "decay_s": rng.uniform(0.1, 2),
        "attack_s": rng.uniform(0.003, 0.08),
    }
    starts = beats(rng, n, beat_s, 0.0)
    starts = starts[rng.random(len(starts)) < 0.85]
    degree, sounds = 0, []
    for _ in starts:
        degree = int(np.clip(degree + rng.integers(-3, 4), -7, 14))
        octave, step = divmod(degree, len(scale))
        sounds.append(note(rng, root_hz * 2 ** (octave + scale[step] / 12), rng.uniform(0.8, 2) * beat_s, **shape))
    return placed(n, starts, sounds)


def chords(rng: Generator, n: int) -> Samples:
    """Pads and strummed chords."""
    root_hz, bar_s = rng.uniform(80, 250), rng.uniform(0.4, 2.5)
    shape = {
        "harmonics": int(rng.integers(2, 16)),
        "fall": rng.uniform(0.6, 2),
        "decay_s": rng.uniform(0.3, 4),
        "attack_s": rng.uniform(0.004, 0.3),
    }
    starts, sounds = beats(rng, n, bar_s, 0.0), []
    for _ in starts:
        root = root_hz * 2 ** (rng.choice([0, 5, 7, 9, 2, -3]) / 12)
        tones = [note(rng, root * 2 ** (step / 12), 1.2 * bar_s, **shape) for step in (0, rng.choice([3, 4]), 7, rng.choice([10, 11, 12]))]
        sounds.append(np.sum(tones, axis=0))
    return placed(n, starts, sounds)


def drums(rng: Generator, n: int) -> Samples:
    beat_s = rng.uniform(0.25, 0.7)
    at = np.arange(int(0.3 * RATE_HZ)) / RATE_HZ
    kick = np.sin(phase(50 + 120 * np.exp(-at * 40), len(at))) * np.exp(-at * rng.uniform(8, 25))
    snare = band(rng.standard_normal(len(at)), 300, 3500) * np.exp(-at * rng.uniform(12, 40)) * 2
    hat = band(rng.standard_normal(len(at)), 2500, 3900) * np.exp(-at * rng.uniform(30, 120)) * 2
    one = beats(rng, n, 2 * beat_s, 0.0)
    other = np.minimum(one + int(beat_s * RATE_HZ), n - 1)
    quick = beats(rng, n, beat_s / rng.integers(1, 5), 0.005)
    return placed(n, one, [kick] * len(one)) + placed(n, other, [snare] * len(other)) + 0.6 * placed(n, quick, [hat] * len(quick))


def plucked(rng: Generator, n: int) -> Samples:
    """A guitar or harp: strings after K. Karplus and A. Strong (1983), strummed and picked."""
    scale, root_hz, beat_s = SCALES[rng.integers(4)], rng.uniform(80, 250), rng.uniform(0.12, 0.5)
    loss, bright, strum = rng.uniform(0.98, 0.999), rng.uniform(0.3, 0.95), rng.random() < 0.5
    starts, sounds = [], []
    for start in beats(rng, n, beat_s * (2 if strum else 1), 0.01):
        step = int(rng.integers(len(scale)))
        for string in range(4 if strum else 1):
            octave, degree = divmod(step + 2 * string, len(scale))
            period = max(3, round(RATE_HZ / (root_hz * 2 ** (octave + scale[degree] / 12))))
            length = int(min(1.5, 4 * beat_s) * RATE_HZ)
            burst = np.zeros(length)
            burst[:period] = rng.standard_normal(period)[:length]
            feedback = np.zeros(period + 2)
            feedback[0], feedback[period], feedback[period + 1] = 1.0, -loss * bright, -loss * (1 - bright)
            starts.append(min(start + string * int(rng.uniform(40, 160)), n - 1))
            sounds.append(lfilter([1.0], feedback, burst) * rng.uniform(0.6, 1))
    return placed(n, np.array(starts, np.int64), sounds)


def synthesiser(rng: Generator, n: int) -> Samples:
    """Saw and square riffs through a filter that opens and closes: as near to vowels as machines come."""
    beat_s, root_hz = rng.uniform(0.1, 0.4), rng.uniform(50, 300)
    riff = root_hz * 2 ** (rng.choice([0, 0, 3, 5, 7, 10, 12], int(rng.integers(2, 9))) / 12)
    hz = riff[(np.arange(n) / RATE_HZ / beat_s).astype(int) % len(riff)]
    if rng.random() < 0.4:  # glides from note to note
        hz = lfilter([0.004], [1, -0.996], hz - hz[0]) + hz[0]
    turn = phase(hz * (1 + rng.uniform(0, 0.01) * np.sin(2 * np.pi * rng.uniform(4, 7) * np.arange(n) / RATE_HZ)), n)
    x = np.sign(np.sin(turn)) if rng.random() < 0.5 else (turn / np.pi % 2) - 1
    sweep = np.sin(2 * np.pi * np.arange(n) / RATE_HZ / (beat_s * rng.choice([0.5, 1, 2, 4, 8, 16])) + rng.uniform(0, 6))
    centres = np.geomspace(rng.uniform(150, 500), rng.uniform(1200, 3500), 4)
    out = np.zeros(n)
    for place, centre_hz in enumerate(centres):
        nearness = np.maximum(0, 1 - np.abs((sweep + 1) * 1.5 - place))
        out += nearness * band(x, centre_hz * 0.6, centre_hz * 1.5)
    shape = np.exp(-((np.arange(n) / RATE_HZ) % beat_s) * rng.uniform(0, 12))
    return (out + rng.uniform(0, 0.5) * x) * shape


def strings(rng: Generator, n: int) -> Samples:
    """A section of bowed or blown instruments: many slightly different players, slow swells."""
    bar_s, root_hz = rng.uniform(0.6, 3.0), rng.uniform(100, 350)
    starts, sounds = beats(rng, n, bar_s, 0.0), []
    for _ in starts:
        root = root_hz * 2 ** (rng.choice([0, 2, 4, 5, 7, 9, -3]) / 12)
        length = int(1.1 * bar_s * RATE_HZ)
        tones = np.zeros(length)
        for step in (0, 7, rng.choice([3, 4]), 12)[: int(rng.integers(1, 5))]:
            for _ in range(2):
                hz = (
                    root
                    * 2 ** (step / 12)
                    * (1 + rng.normal(0, 0.003) + 0.004 * np.sin(2 * np.pi * rng.uniform(4, 6.5) * np.arange(length) / RATE_HZ))
                )
                turn = phase(hz, length) + rng.uniform(0, 6)
                tones += sum(np.sin(k * turn) / k ** rng.uniform(0.7, 1.4) for k in range(1, min(9, int(3800 / root) + 1)))
        sounds.append(tones * np.sin(np.pi * np.arange(length) / length) ** rng.uniform(0.2, 1))
    return placed(n, starts, sounds)


def band_music(rng: Generator, n: int) -> Samples:
    """Several instruments together, each with its rests, compressed as music on hold is."""
    mix = np.zeros(n)
    lead = (melody, plucked, synthesiser)[rng.integers(3)]
    for part, chance in ((lead, 1.0), (melody, 0.5), (plucked, 0.4), (synthesiser, 0.3), (strings, 0.4), (chords, 0.5), (drums, 0.7)):
        if rng.random() < chance:
            x = part(rng, n)
            rests = gated(rng, n, np.ones(n), (2.0, 12.0), (0.2, 4.0)) if rng.random() < 0.4 else 1.0
            mix += x / (x.std() + 1e-9) * rng.uniform(0.2, 1) * rests
    return np.tanh(mix * rng.uniform(0.2, 1.5))
