"""Compares our pitch with two other trackers on real speech: python -m scripts.measure_pitch DATA

DATA: the folder with `background` in it. Needs swift-f0 0.3.0 (a network) and pyworld 0.3.5 (DIO with StoneMask) with
setuptools < 81. Frames of 10 ms; gross error: more than 20 % apart where both are voiced; CPU per second of audio.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyworld
import soundfile
from numpy.typing import NDArray
from swift_f0 import SwiftF0

from voicestream.dsp.pitch import HIGHEST_HZ, HOP_S, LOWEST_HZ, pitch

CLIPS = 28  # of each corpus
GROSS_OCTAVES = np.log2(1.2)
RATE_HZ = 16000

Track = NDArray[np.float64]  # (frames,), 0 where unvoiced


def ours(samples: NDArray[np.float32]) -> Track:
    return np.nan_to_num(pitch(samples, RATE_HZ).hz).astype(np.float64)


def world(samples: NDArray[np.float32]) -> Track:
    x = samples.astype(np.float64)
    rough, times = pyworld.dio(x, RATE_HZ, f0_floor=LOWEST_HZ, f0_ceil=HIGHEST_HZ, frame_period=500 * HOP_S)
    return np.asarray(pyworld.stonemask(x, rough, times, RATE_HZ)[1::2])  # the frames between, as ours are


def swift(detector: SwiftF0) -> Callable[[NDArray[np.float32]], Track]:
    def track(samples: NDArray[np.float32]) -> Track:
        found = detector.detect(samples, RATE_HZ, LOWEST_HZ, HIGHEST_HZ)
        middles = (np.arange(len(samples) // 160) + 0.5) * HOP_S
        nearest = np.interp(middles, found.timestamps, np.arange(len(found.timestamps))).round().astype(int)
        return np.where(found.confidence >= 0.5, found.pitch_hz, 0.0)[nearest]

    return track


def compared(one: list[Track], other: list[Track]) -> str:
    """Two trackers over all clips."""
    pairs = [(a[: len(b)], b[: len(a)]) for a, b in zip(one, other, strict=True)]
    a, b = np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])
    both = (a > 0) & (b > 0)
    apart = np.abs(np.log2(a[both] / b[both]))
    fine_cents = 1200 * np.median(apart[apart <= GROSS_OCTAVES])
    return (
        f"gross errors {100 * np.mean(apart > GROSS_OCTAVES):.2f} % of {both.sum()}, "
        f"voicing agrees {100 * np.mean((a > 0) == (b > 0)):.1f} %, else {fine_cents:.1f} cents apart"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    background = parser.parse_args().data / "background"
    clips: list[NDArray[np.float32]] = []
    for corpus in ("librispeech", "speechocean762"):
        paths = sorted((background / corpus).glob("*/*.flac"))
        clips += [soundfile.read(path, dtype="float32")[0] for path in paths[:: len(paths) // CLIPS][:CLIPS]]
    seconds = sum(map(len, clips)) / RATE_HZ
    trackers = {"ours": ours, "swift-f0": swift(SwiftF0()), "world": world}
    tracks: dict[str, list[Track]] = {}
    for name, track in trackers.items():
        track(clips[0])  # compiles, or loads
        start = time.process_time()
        tracks[name] = [track(clip) for clip in clips]
        print(f"{name:9} {(time.process_time() - start) / seconds:.5f} s of CPU per second, {seconds:.0f} s of speech")
    for one, other in (("ours", "swift-f0"), ("ours", "world"), ("world", "swift-f0")):
        print(f"{one} / {other}: {compared(tracks[one], tracks[other])}")


if __name__ == "__main__":
    main()
