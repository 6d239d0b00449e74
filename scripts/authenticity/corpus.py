"""Clips: real ones out of the background folder, attacks made from them or from text, kept in one file per kind."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from authenticity.room import replay
from authenticity.synthesiser import synthesisers
from authenticity.vocoder import vocoders

Clip = NDArray[np.float32]

RATE_HZ: Final = 16000
LONGEST_S, SHORTEST_S = 4.0, 1.2
BONA_FIDE: Final = "bonafide"
# How many of each kind: those that are hard to tell and vary most get most.
COUNTS: Final = {
    "espeak": 240, "mbrola": 160, "flite": 160, "festival": 120, "rhvoice": 150, "pico": 140, "piper": 160, "kokoro": 80,
    "world": 360, "griffin_lim": 360, "mel": 260, "lpc": 320, "phase_vocoder": 240, "stretch": 200, "codec2": 100, "replay": 800,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recording:
    """A clip at 16 kHz in -1..1, who speaks, and what kind of thing it is."""

    kind: str
    speaker: str
    samples: Clip


def trimmed(samples: Clip) -> Clip:
    """Without the silence before and after: frames of 25 ms more than 35 dB under the 95th percentile, 50 ms margin."""
    frame = RATE_HZ // 40
    count = len(samples) // frame
    if not count:
        return samples
    level = 10 * np.log10((samples[: count * frame].reshape(count, frame) ** 2).mean(axis=1) + 1e-10)
    loud = np.flatnonzero(level > np.percentile(level, 95) - 35)
    start, end = max(0, loud[0] * frame - RATE_HZ // 20), (loud[-1] + 1) * frame + RATE_HZ // 20
    return samples[start:end]


def real(folder: Path, rng: np.random.Generator) -> Iterator[Recording]:
    """Every utterance of `background/` as clips of at most 4 s: two of each LibriSpeech reader, one of the rest."""
    with (folder / "speakers.csv").open() as file:
        speakers = list(csv.DictReader(file))
    longest = int(LONGEST_S * RATE_HZ)
    for row in speakers:
        for path in sorted((folder / row["corpus"] / row["speaker"]).glob("*.flac")):
            samples = soundfile.read(path, dtype="float32")[0]
            samples = trimmed(samples)
            pieces = [samples]
            if row["corpus"] == "librispeech":
                pieces = [samples[: len(samples) // 2], samples[len(samples) // 2 :]]
            for piece in pieces:
                start = int(rng.integers(max(1, len(piece) - longest + 1)))
                yield Recording(BONA_FIDE, f"{row['corpus']}/{row['speaker']}", piece[start : start + longest])


def attacks(kinds: list[str], clips: list[Recording], seed: int) -> Iterator[Recording]:
    """The attacks of these kinds: copies of `clips`, spread over the speakers, or speech from text."""
    engines, lacking = synthesisers()
    copiers, also_lacking = vocoders()
    copiers["replay"] = replay
    for kind in kinds:
        rng = np.random.default_rng([seed, sorted(COUNTS).index(kind)])
        if kind in engines:
            yield from _made(kind, engines[kind], rng)
        elif kind in copiers:
            for index in rng.choice(len(clips), min(COUNTS[kind], len(clips)), replace=False):
                copy = copiers[kind](clips[index].samples, rng)
                yield Recording(kind, clips[index].speaker, copy[: int(LONGEST_S * RATE_HZ)])
        else:
            print(f"{kind} is left out: {(lacking | also_lacking)[kind]} is not installed")


def _made(kind: str, engine: Callable[[np.random.Generator], tuple[Clip, str]], rng: np.random.Generator) -> Iterator[Recording]:
    for _ in range(COUNTS[kind]):
        samples, voice = engine(rng)
        samples = trimmed(samples)
        length = int(rng.uniform(2.0, LONGEST_S) * RATE_HZ)
        start = int(rng.integers(max(1, len(samples) - length + 1)))
        yield Recording(kind, f"{kind}/{voice}", samples[start : start + length])


def keep(path: Path, recordings: list[Recording]) -> None:
    peaks = [max(1.0, float(np.abs(one.samples).max())) for one in recordings]
    pcm = [np.round(one.samples / peak * 32767).astype(np.int16) for one, peak in zip(recordings, peaks, strict=True)]
    np.savez(
        path, samples=np.concatenate(pcm), lengths=[len(one) for one in pcm], speakers=[one.speaker for one in recordings],
    )  # fmt: skip


def kept(path: Path) -> list[Recording]:
    with np.load(path) as stored:
        ends = np.cumsum(stored["lengths"])
        samples = np.split(stored["samples"], ends[:-1])
        return [
            Recording(path.stem, str(speaker), clip.astype(np.float32) / 32768)
            for speaker, clip in zip(stored["speakers"], samples, strict=True)
        ]


def corpus(folder: Path, cache: Path, seed: int, kinds: list[str] | None = None) -> dict[str, list[Recording]]:
    """Everything by kind, real speech first; made once and kept in `cache`."""
    cache.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[Recording]] = {}
    path = cache / f"{BONA_FIDE}.npz"
    if not path.exists():
        clips = [one for one in real(folder, np.random.default_rng(seed)) if len(one.samples) >= SHORTEST_S * RATE_HZ]
        keep(path, clips)
    found[BONA_FIDE] = kept(path)
    for kind in kinds or sorted(COUNTS):
        path = cache / f"{kind}.npz"
        if not path.exists():
            made = [one for one in attacks([kind], found[BONA_FIDE], seed) if len(one.samples) >= SHORTEST_S * RATE_HZ / 2]
            if not made:
                continue
            keep(path, made)
        found[kind] = kept(path)
        print(f"{kind}: {len(found[kind])} clips", flush=True)
    return found
