"""Slow obvious twins of the kernels: written from the definition, to be compared with everywhere."""

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp.mfcc import FeatureOptions
from voicestream.dsp.resample import resample_plan


def resample(samples: NDArray[np.float32], source_hz: int, target_hz: int) -> NDArray[np.float64]:
    """The sum of all input samples, each weighed by the prototype at its distance: no phases, no state."""
    plan = resample_plan(source_hz, target_hz)
    up, down = int(plan.numbers[0]), int(plan.numbers[1])
    made = np.zeros(-(-len(samples) * up // down))
    for n in range(len(made)):
        distance = n * down - np.arange(len(samples)) * up
        near = (distance >= 0) & (distance < len(plan.prototype))
        made[n] = up * np.sum(samples[near] * plan.prototype[distance[near]])
    return made


def features(samples: NDArray[np.float32], options: FeatureOptions) -> NDArray[np.float64]:
    """Kaldi's recipe written out, in double precision: one frame and one coefficient at a time."""
    length, shift = options.framing.length, options.framing.shift
    size = 256 if length <= 256 else 512
    high_hz = options.high_hz if options.high_hz > 0 else options.rate_hz / 2 + options.high_hz
    turn = np.cos(2 * np.pi * np.arange(length) / (length - 1))
    window = {"povey": (0.5 - 0.5 * turn) ** 0.85, "hamming": 0.54 - 0.46 * turn, "hann": 0.5 - 0.5 * turn, "rectangular": turn**0}

    def mel(hz: float) -> float:
        return 1127 * np.log(1 + hz / 700)

    def log(value: float) -> float:
        return np.log(max(value, np.finfo(np.float32).eps))

    low, step = mel(options.low_hz), (mel(high_hz) - mel(options.low_hz)) / (options.mel_bins + 1)
    weight = np.zeros((options.mel_bins, size // 2 + 1))
    for band in range(options.mel_bins):
        for k in range(size // 2):
            place = (mel(k * options.rate_hz / size) - low) / step - band  # 0 left edge, 1 centre, 2 right edge
            weight[band, k] = max(0.0, min(place, 2 - place))
    rows = []
    for start in range(0, len(samples) - length + 1, shift):
        frame = samples[start : start + length].astype(np.float64) * 32768
        frame -= frame.mean() if options.remove_dc else 0
        raw = log(np.sum(frame**2))
        frame -= options.pre_emphasis * np.concatenate((frame[:1], frame[:-1]))
        frame *= window[options.window]
        energy = raw if options.raw_energy else log(np.sum(frame**2))
        power = np.abs(np.fft.rfft(frame, size)) ** 2
        logs = np.array([log(np.sum(power * weight[band])) for band in range(options.mel_bins)])
        if not options.ceps:
            rows.append(np.concatenate(([energy], logs)) if options.energy else logs)
            continue
        ceps = np.zeros(options.ceps)
        for i in range(options.ceps):
            scale = np.sqrt((2 if i else 1) / options.mel_bins)
            lift = 1 + options.lifter / 2 * np.sin(np.pi * i / options.lifter) if options.lifter else 1
            ceps[i] = lift * scale * np.sum(logs * np.cos(np.pi * i * (np.arange(options.mel_bins) + 0.5) / options.mel_bins))
        ceps[0] = energy if options.energy else ceps[0]
        rows.append(ceps)
    return np.array(rows).reshape(-1, options.width)


def cosine(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """The definition, one product at a time; the vectors need no unit length."""
    inner = sum(float(x) * float(y) for x, y in zip(a, b, strict=True))
    return inner / float(np.sqrt(sum(float(x) ** 2 for x in a) * sum(float(y) ** 2 for y in b)))


def speech(samples: NDArray[np.float32], rate_hz: int) -> list[int]:
    """The VAD's rule in plain Python: one list of frame energies, then one decision per frame."""
    slow = samples.astype(np.float64)[: len(samples) // (rate_hz // 2000) * (rate_hz // 2000)].reshape(-1, rate_hz // 2000).mean(axis=1)
    steps = np.diff(slow, prepend=slow[:1])
    hops = steps[: len(steps) // 20 * 20].reshape(-1, 20)
    hops_db = 10 * np.log10((hops**2).mean(axis=1) + 1e-10)
    levels = hops_db[: len(hops_db) // 3 * 3].reshape(-1, 3).mean(axis=1).tolist()
    smooth: list[float] = []
    labels = []
    peak, quiet = -100.0, 99
    for i, level in enumerate(levels):
        smooth.append(level if not smooth else 0.6 * smooth[-1] + 0.4 * level)
        floor = min(smooth[max(0, i // 16 * 16 - 8 * 16) :])  # eight whole slots of 16 frames, and the one under way
        floor = max(-60.0, min(floor, -50.0) if i < 32 else floor)
        peak = max(level, peak - 0.03, floor + 12)
        quiet = 0 if level - floor > max(6.0, 0.45 * (peak - floor)) else quiet + 1
        noisy = min(1.0, max(0.0, (35.0 - (peak - floor)) / 15))
        labels.append(1 if quiet <= 4 + 8 * noisy else 0)
    return labels


def vad_frames(samples: int, rate_hz: int) -> int:
    """Whole 30 ms frames in `samples` samples at any rate: floor(100 n / (3 r))."""
    return 100 * samples // (3 * rate_hz)
