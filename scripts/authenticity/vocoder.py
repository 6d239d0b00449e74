"""Copies of a real recording by taking it apart and building it again: kind -> one clip at 16 kHz from one at 16 kHz.

Analysis rates, windows, hops, orders, rounds, pitch and formant changes are drawn at random per clip.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import lfilter

from authenticity.spectrogram import analyse, griffin_lim, mel_bands, resynthesise, stretched

Clip = NDArray[np.float32]
Copier = Callable[[Clip, np.random.Generator], Clip]

RATE_HZ: Final = 16000
_TIMEOUT_S: Final = 60.0
_CODEC2_MODES: Final = ("3200", "2400", "1600", "1400", "1300", "1200", "700C")


def vocoders() -> tuple[dict[str, Copier], dict[str, str]]:
    """Those that work here by kind, and what the others lack."""
    missing = {}
    if not find_spec("pyworld"):
        missing |= {"world": "pyworld", "lpc": "pyworld"}
    if not shutil.which("c2enc"):
        missing["codec2"] = "codec2"
    if not shutil.which("rubberband") or not shutil.which("soundstretch"):
        missing["stretch"] = "rubberband-cli and soundstretch"
    return {kind: copier for kind, copier in _COPIERS.items() if kind not in missing}, missing


def _at(samples: Clip, from_hz: int, to_hz: int) -> Clip:
    return np.asarray(soxr.resample(samples, from_hz, to_hz), np.float32)


def _world(samples: Clip, rng: np.random.Generator) -> Clip:
    import pyworld

    rate_hz = int(rng.choice([16000, 22050, 24000, 8000], p=[0.7, 0.1, 0.05, 0.15]))
    x = _at(samples, RATE_HZ, rate_hz).astype(np.float64)
    period_ms = float(rng.choice([1.0, 2.0, 5.0, 10.0], p=[0.05, 0.1, 0.65, 0.2]))
    if rng.random() < 0.08:
        pitch, at = pyworld.harvest(x, rate_hz, frame_period=period_ms)
    else:
        pitch, at = pyworld.dio(x, rate_hz, frame_period=period_ms)
        pitch = pyworld.stonemask(x, pitch, at, rate_hz) if rng.random() < 0.8 else pitch
    envelope = pyworld.cheaptrick(x, pitch, at, rate_hz)
    size = 2 * (envelope.shape[1] - 1)
    noise = pyworld.d4c(x, pitch, at, rate_hz)
    if rng.random() < 0.5:
        pitch = pitch * 2 ** (rng.uniform(-6, 6) / 12)
    if rng.random() < 0.2:  # another length of the throat
        warp = np.minimum(np.arange(envelope.shape[1]) * rng.uniform(0.85, 1.18), envelope.shape[1] - 1).astype(int)
        envelope = np.ascontiguousarray(envelope[:, warp])
    if rng.random() < 0.3:  # as a statistical voice would store it
        envelope = pyworld.decode_spectral_envelope(
            pyworld.code_spectral_envelope(envelope, rate_hz, int(rng.integers(24, 60))), rate_hz, size
        )
    if rng.random() < 0.3 and rate_hz >= 16000:
        noise = pyworld.decode_aperiodicity(pyworld.code_aperiodicity(noise, rate_hz), rate_hz, size)
    return _at(pyworld.synthesize(pitch, envelope, noise, rate_hz, period_ms).astype(np.float32), rate_hz, RATE_HZ)


def _grid(rng: np.random.Generator) -> tuple[int, int, int, int, float]:
    """Rate, FFT size, hop, rounds and momentum of a Griffin-Lim."""
    rate_hz = int(rng.choice([16000, 16000, 16000, 8000, 22050]))
    size = int(rng.choice([256, 320, 400, 512, 512, 640, 800, 1024]))
    hop = size // int(rng.choice([2, 4, 4, 4, 5, 8]))
    return rate_hz, size, hop, int(np.exp(rng.uniform(np.log(8), np.log(64)))), float(rng.choice([0.0, 0.0, 0.5, 0.99]))


def _griffin_lim(samples: Clip, rng: np.random.Generator) -> Clip:
    rate_hz, size, hop, rounds, momentum = _grid(rng)
    x = _at(samples, RATE_HZ, rate_hz)
    magnitude = np.abs(analyse(x, size, hop))
    return _at(griffin_lim(magnitude, size, hop, rounds, momentum, len(x), int(rng.integers(2**31))), rate_hz, RATE_HZ)


def _mel(samples: Clip, rng: np.random.Generator) -> Clip:
    rate_hz, size, hop, rounds, momentum = _grid(rng)
    size, hop = max(size, 400), max(hop, 80)
    x = _at(samples, RATE_HZ, rate_hz)
    bands = mel_bands(int(rng.choice([40, 64, 80, 80, 100, 128])), size, rate_hz, rate_hz / 2)
    power = np.abs(analyse(x, size, hop)) ** 2 @ bands.T
    if rng.random() < 0.5:
        back = power @ np.linalg.pinv(bands).T
    else:
        back = (power / np.maximum(bands.sum(axis=1), 1e-6)) @ (bands / np.maximum(bands.sum(axis=0), 1e-6))
    magnitude = np.sqrt(np.maximum(back, 1e-10)).astype(np.float32)
    return _at(griffin_lim(magnitude, size, hop, rounds, momentum, len(x), int(rng.integers(2**31))), rate_hz, RATE_HZ)


def predictors(frames: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Prediction polynomials (k, order + 1) of windowed frames (k, n), by Levinson and Durbin."""
    size = 1 << (2 * frames.shape[1] - 1).bit_length()
    lags = np.fft.irfft(np.abs(np.fft.rfft(frames, size, axis=1)) ** 2, axis=1)[:, : order + 1]
    lags[:, 0] = lags[:, 0] * 1.0001 + 1e-9
    found = np.zeros((len(frames), order + 1))
    found[:, 0] = 1.0
    error = lags[:, 0].copy()
    for step in range(1, order + 1):
        turn = -(found[:, :step] * lags[:, step:0:-1]).sum(axis=1) / error
        found[:, : step + 1] += turn[:, None] * found[:, step::-1]
        error *= 1 - turn**2
    return found


def _lpc(samples: Clip, rng: np.random.Generator) -> Clip:
    import pyworld

    rate_hz = int(rng.choice([8000, 8000, 16000]))
    x = _at(samples, RATE_HZ, rate_hz).astype(np.float64)
    order = int(rng.integers(8, 15)) if rate_hz == 8000 else int(rng.integers(14, 25))
    hop = int(rate_hz * rng.choice([0.005, 0.008, 0.010, 0.015]))
    length = hop * int(rng.integers(2, 5))
    shape = np.hanning(length + 1)[:-1]
    padded = np.pad(x, (length, length))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]
    polynomials = predictors(frames * shape, order)
    residual = np.stack([lfilter(a, [1.0], frame) for a, frame in zip(polynomials, frames, strict=True)])
    if rng.random() < 0.65:
        excitation = _buzz(pyworld, x, rate_hz, len(padded), length, rng)
    else:
        excitation = _spoiled(lfilter(np.convolve([1.0], np.mean(polynomials, axis=0)), [1.0], padded), rate_hz, rng)
    driven = np.lib.stride_tricks.sliding_window_view(excitation, length)[::hop]
    gain = np.sqrt((residual**2).mean(axis=1) / np.maximum((driven**2).mean(axis=1), 1e-12))
    out = np.zeros(len(padded))
    weight = np.zeros(len(padded))
    state = np.zeros(order)
    continuous = rng.random() < 0.5
    for index, (a, frame, level) in enumerate(zip(polynomials, driven, gain, strict=True)):
        at = index * hop
        if continuous:  # one filter that changes from hop to hop
            piece, state = lfilter([level], a, frame[:hop], zi=state)
            out[at : at + hop] = piece
            weight[at : at + hop] = 1
        else:
            out[at : at + length] += lfilter([level], a, frame) * shape
            weight[at : at + length] += shape
    return _at((out / np.maximum(weight, 0.1))[length:-length].astype(np.float32), rate_hz, RATE_HZ)


def _buzz(pyworld: object, x: NDArray[np.float64], rate_hz: int, count: int, lead: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Pulses where there is a pitch, noise where there is none, and a little of it everywhere."""
    pitch, _ = pyworld.dio(x, rate_hz)  # type: ignore[attr-defined]
    pitch = pitch * (2 ** (rng.uniform(-5, 5) / 12) if rng.random() < 0.3 else 1.0)
    contour = np.pad(np.repeat(pitch, rate_hz // 200), (lead, count))[:count]
    phase = np.cumsum(contour / rate_hz)
    pulse = np.diff(np.floor(phase), prepend=0.0) * np.sqrt(rate_hz / np.maximum(contour, 60.0))
    noise = rng.normal(size=count)
    return np.where(contour > 0, pulse + rng.uniform(0.02, 0.4) * noise, noise)


def _spoiled(residual: NDArray[np.float64], rate_hz: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """The true residual as a cheap coder passes it on: rectified baseband, or few steps."""
    if rng.random() < 0.5:
        base = lfilter([0.15], [1.0, -0.85], residual)
        return np.asarray(np.diff(np.abs(base), prepend=0.0) + 0.1 * base)
    step = np.std(residual) * rng.uniform(0.7, 2.0)
    return np.asarray(np.round(residual / step) * step + 1e-4 * rng.normal(size=len(residual)))


def _phase_vocoder(samples: Clip, rng: np.random.Generator) -> Clip:
    size = int(rng.choice([256, 512, 512, 1024]))
    hop = size // int(rng.choice([4, 4, 8]))
    factor = 2 ** (rng.uniform(-6, 6) / 12)
    longer = stretched(analyse(samples, size, hop), factor, size, hop)
    out = resynthesise(longer, size, hop, round(len(samples) * factor))
    return _at(out, round(RATE_HZ * factor), RATE_HZ) if rng.random() < 0.6 else out


def _files(samples: Clip, rate_hz: int, run: Callable[[str, str], None]) -> tuple[Clip, int]:
    with tempfile.TemporaryDirectory() as folder:
        before, after = str(Path(folder) / "before.wav"), str(Path(folder) / "after.wav")
        soundfile.write(before, samples * np.float32(0.9 / max(float(np.abs(samples).max()), 0.01)), rate_hz)
        run(before, after)
        found, rate_hz = soundfile.read(after, dtype="float32")
    return np.asarray(found, np.float32), rate_hz


def _call(*command: str) -> None:
    subprocess.run(command, check=True, timeout=_TIMEOUT_S, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _stretch(samples: Clip, rng: np.random.Generator) -> Clip:
    steps = rng.uniform(1.0, 6.0) * rng.choice([-1, 1])

    def run(before: str, after: str) -> None:
        match rng.integers(4):
            case 0:
                _call("rubberband", "-p", f"{steps:.2f}", "-c", str(rng.integers(0, 7)), before, after)
            case 1:
                _call("rubberband", "-t", f"{2 ** (steps / 12):.3f}", before, after)
            case 2:
                _call("soundstretch", before, after, f"-pitch={steps:.2f}", "-speech")
            case _:
                _call("soundstretch", before, after, f"-tempo={100 * (2 ** (steps / 14) - 1):.1f}", "-speech")

    return _files(samples, RATE_HZ, run)[0]


def _codec2(samples: Clip, rng: np.random.Generator) -> Clip:
    mode = str(rng.choice(_CODEC2_MODES))
    x = _at(samples, RATE_HZ, 8000)
    pcm = (x * (20000 / max(float(np.abs(x).max()), 0.01))).astype("<i2").tobytes()
    coded = subprocess.run(["c2enc", mode, "-", "-"], input=pcm, capture_output=True, check=True, timeout=_TIMEOUT_S).stdout
    back = subprocess.run(["c2dec", mode, "-", "-"], input=coded, capture_output=True, check=True, timeout=_TIMEOUT_S).stdout
    return _at(np.frombuffer(back, "<i2").astype(np.float32) / 32768, 8000, RATE_HZ)


_COPIERS: Final[dict[str, Copier]] = {
    "world": _world, "griffin_lim": _griffin_lim, "mel": _mel, "lpc": _lpc, "phase_vocoder": _phase_vocoder, "stretch": _stretch,
    "codec2": _codec2,
}  # fmt: skip
