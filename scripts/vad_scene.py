"""Scenes of speech with pauses in noise, as a telephone or a microphone gives them, with the truth about each 10 ms.

Speech comes from a folder of recordings; noise is synthesised (`vad_noise.py`) or is the babble of other talkers.
Labels are those of `eval/README.md`: energy of the clean signal above its 95th percentile - 35 dB, gaps under 100 ms
closed, bursts under 30 ms dropped.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, firwin2, oaconvolve
from vad_noise import FAMILIES, Make
from vad_sound import RATE_HZ, Generator, Samples

from voicestream.codecs.containers import decode_file
from voicestream.dsp.g711 import alaw_compress, alaw_expand, mulaw_compress, mulaw_expand
from voicestream.dsp.pcm import to_float, to_int16
from voicestream.dsp.resample import resample

Labels: TypeAlias = NDArray[np.bool_]

LABEL = RATE_HZ // 100
SECONDS = 15.0
TELEPHONE = firwin(201, [300, 3400], pass_zero=False, fs=RATE_HZ)


@dataclass(frozen=True)
class Utterance:
    samples: NDArray[np.float32]  # 8 kHz
    labels: Labels  # 10 ms


def speakers(background: Path) -> dict[str, list[Utterance]]:
    """Every speaker but those whose clips lie in the evaluation's VAD part too."""
    with (background / "speakers.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if not row["also_in"]]
    found = {}
    for row in rows:
        paths = sorted((background / row["corpus"] / row["speaker"]).glob("*.flac"))
        found[row["speaker"]] = [utterance(path) for path in paths]
    return found


def utterance(path: Path) -> Utterance:
    samples, rate_hz = decode_file(path.read_bytes())
    low = resample(samples, rate_hz, RATE_HZ)
    low = (low / (np.abs(low).max() + 1e-9) * 0.5).astype(np.float32)
    return Utterance(low, speech_labels(low))


def speech_labels(samples: NDArray[np.float32]) -> Labels:
    count = len(samples) // LABEL
    power = np.convolve(np.square(samples, dtype=np.float64), np.ones(200), "same")  # 25 ms round each moment
    level_db = 10 * np.log10(power[LABEL // 2 :: LABEL][:count] + 1e-12)
    labels = level_db > np.percentile(level_db, 95) - 35
    for value, shortest in ((False, 10), (True, 3)):
        edges = np.flatnonzero(np.diff(np.concatenate(([not value], labels == value, [not value])).astype(np.int8)))
        for start, end in zip(edges[::2], edges[1::2], strict=False):
            inside = start > 0 and end < count
            if end - start < shortest and (inside or value):
                labels[start:end] = not value
    return labels


def rms(x: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(x)))) + 1e-9


def decibels(db: float) -> float:
    return float(10 ** (db / 20))


def equalised(rng: Generator, x: Samples) -> Samples:
    hz = [0, 150, 400, 800, 1600, 2400, 3200, 4000]
    gain_db = np.cumsum(rng.normal(0, 2.0, len(hz)))
    return np.asarray(oaconvolve(x, firwin2(129, hz, 10 ** ((gain_db - gain_db.mean()) / 20), fs=RATE_HZ), mode="same"))


def reverberant(rng: Generator, x: Samples) -> Samples:
    """A room of 0.1 to 0.8 s, the direct sound first."""
    decay_s = rng.uniform(0.1, 0.8)
    n = int(decay_s * RATE_HZ)
    tail = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
    tail[: int(rng.uniform(0.001, 0.01) * RATE_HZ)] = 0.0
    tail *= decibels(rng.uniform(-12, 3)) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return np.asarray(oaconvolve(x, tail)[: len(x)])


def talk(rng: Generator, voices: Sequence[Sequence[Utterance]], n: int) -> tuple[Samples, Labels]:
    """Utterances of one or two speakers with pauses between them."""
    x, labels = np.zeros(n), np.zeros(n // LABEL, np.bool_)
    pair = rng.choice(len(voices), 2 if rng.random() < 0.3 else 1, replace=False)
    away_db = rng.uniform(-10, 0)
    long_s = rng.choice([0.8, 2.5, 6.0])
    at = int(rng.uniform(0, 2.5) * 100) * (rng.random() < 0.9)
    while at < n // LABEL - 20:
        turn = int(rng.integers(len(pair)))
        said = voices[pair[turn]][int(rng.integers(len(voices[pair[turn]])))]
        start = 0
        if rng.random() < 0.2 and len(said.labels) > 200:  # begins in the middle of a word
            start = int(rng.integers(0, len(said.labels) - 100))
        count = min(len(said.labels) - start, n // LABEL - at)
        loud = decibels(rng.normal(0, 2.5) + away_db * turn) / (rms(said.samples) / 0.1)
        x[at * LABEL : (at + count) * LABEL] += loud * said.samples[start * LABEL : (start + count) * LABEL]
        labels[at : at + count] |= said.labels[start : start + count]
        at += count + int(rng.uniform(0.15, long_s) * 100)
    return x, labels


def babble(rng: Generator, voices: Sequence[Sequence[Utterance]], n: int) -> Samples:
    """Three to twelve people talking at once without a break."""
    out = np.zeros(n)
    for _ in range(int(rng.integers(3, 13))):
        own = voices[int(rng.integers(len(voices)))]
        at = 0
        loud = decibels(rng.uniform(-5, 0))
        while at < n:
            said = own[int(rng.integers(len(own)))].samples
            said = said[int(rng.integers(0, max(1, len(said) // 2))) :][: n - at]
            out[at : at + len(said)] += loud * said / rms(said)
            at += len(said)
    return out


def channel(rng: Generator, x: Samples) -> NDArray[np.float32]:
    """What a connection does to the sum: band, codec, 16-bit rounding, clipping."""
    kind = rng.random()
    if kind < 0.45:
        x = (
            oaconvolve(x, TELEPHONE, mode="same")
            if rng.random() < 0.6
            else oaconvolve(x, firwin(101, [rng.uniform(100, 350), rng.uniform(3000, 3800)], pass_zero=False, fs=RATE_HZ), mode="same")
        )
        pcm = to_int16(x.astype(np.float32))
        pcm = mulaw_expand(mulaw_compress(pcm)) if rng.random() < 0.75 else alaw_expand(alaw_compress(pcm))
        return to_float(pcm)
    if kind < 0.6:  # a low rate codec: nothing above a cutoff that moves
        x = oaconvolve(x, firwin(101, rng.uniform(2500, 3900), fs=RATE_HZ), mode="same")
    elif kind < 0.7:
        x = oaconvolve(x, firwin(101, rng.uniform(60, 200), pass_zero=False, fs=RATE_HZ), mode="same")
    return to_float(to_int16(x.astype(np.float32)))


def pick(rng: Generator, kinds: Sequence[Make], voices: Sequence[Sequence[Utterance]], n: int) -> Samples:
    """One noise of unit power, now and then two."""
    if rng.random() < 0.16 and voices:
        x = babble(rng, voices, n)
    else:
        x = kinds[int(rng.integers(len(kinds)))](rng, n)
    x = x / rms(x)
    if rng.random() < 0.25:
        other = kinds[int(rng.integers(len(kinds)))](rng, n)
        x = x + other / rms(other) * decibels(rng.uniform(-15, 0))
    return x / rms(x)


def scene(
    rng: Generator,
    voices: Sequence[Sequence[Utterance]],
    kinds: Sequence[Make],
    n: int = int(SECONDS * RATE_HZ),
    snr_db: float | None = None,
) -> tuple[NDArray[np.float32], Labels]:
    """Samples (n,) at 8 kHz and labels (n / 80,); `snr_db` over the speech frames, drawn where it is not given."""
    x, labels = talk(rng, voices, n)
    loud_db = rng.normal(-23, 5) if rng.random() < 0.4 else rng.uniform(-45, -10)
    spoken = np.repeat(labels, LABEL)
    if rng.random() < 0.35:
        x = reverberant(rng, x)
    x = equalised(rng, x)
    kind = rng.random()
    if kind < 0.2 or not labels.any():  # noise alone, long
        x, labels = np.zeros(n), np.zeros(n // LABEL, np.bool_)
        noise = pick(rng, kinds, voices, n) * decibels(rng.uniform(-60, -12))
    else:
        x *= decibels(loud_db) / rms(x[spoken])
        snr = snr_db if snr_db is not None else rng.uniform(30, 60) if kind < 0.32 else rng.uniform(-5, 30)
        noise = pick(rng, kinds, voices, n) * decibels(loud_db - snr)
        if rng.random() < 0.25:  # the noise comes or goes in the middle
            edge = int(rng.integers(0, n))
            noise[:edge] *= decibels(rng.uniform(-40, 0))
            if rng.random() < 0.5:
                noise = noise[::-1]
    if rng.random() < 0.35:
        noise = reverberant(rng, noise)
    if rng.random() < 0.5:
        noise = equalised(rng, noise)
    floor = rng.standard_normal(n) * decibels(rng.uniform(-90, -55))
    return channel(rng, x + noise + floor), labels


def kinds_of(families: Sequence[str]) -> list[Make]:
    """The kinds of some families, each as often as it stands there."""
    return [make for family in families for make in FAMILIES[family]]
