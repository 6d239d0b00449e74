"""Speech detectors beside each other: python -m benchmarks.vad [--quick] [--data FOLDER].

Every engine on every condition of `eval/vad`, at 8 kHz through the telephone and at 16 kHz: area under the ROC curve
over frames of 10 ms, F1 of the labels as the server gives them, CPU time per 20 ms of audio (interleaved, median).
Then what each takes for speech in hold music, and what it keeps of clean prompts (Debian's Asterisk packages).
An engine's score stands for its own stretch of time: 30 ms, silero's 32. webrtcvad, mode 2, is a peer without score.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from benchmarks.measure import Report, pin
from voicestream.codecs.containers import decode_file
from voicestream.dsp.frontend import FrontEndPlan
from voicestream.dsp.network_vad import NetworkVad
from voicestream.dsp.pcm import to_int16
from voicestream.dsp.resample import resample
from voicestream.dsp.vad import Vad
from voicestream.errors import PeerError
from voicestream.evaluation.segmentation import area_under_curve
from voicestream.models.registry import vad_front
from voicestream.models.vad import compact, silero

Samples: TypeAlias = NDArray[np.float32]
Scores: TypeAlias = NDArray[np.floating]
Speech: TypeAlias = NDArray[np.bool_]

DATA = Path(__file__).resolve().parents[2] / "shared" / "eval"
ASTERISK = Path("/usr/share/asterisk")
RATES_HZ = (8000, 16000)
ROUNDS, QUICK_ROUNDS = 15, 5
TIMED_S = 6  # of audio per round and engine
PROMPTS = 150


@dataclass(frozen=True)
class Engine:
    """A detector: its score per 10 ms of a recording, its labels per 10 ms, and a stream to be timed."""

    name: str
    score: Callable[[Samples, int], Scores]
    label: Callable[[Samples, int], Speech]
    open: Callable[[int], Callable[[bytes], object]]
    chunk_ms: int = 20


def engines(report: Report) -> list[Engine]:
    found = [
        Engine("energy", lambda samples, rate_hz: np.repeat(Vad(rate_hz).feed(samples)[1], 3), product("energy"), opened("energy")),
        Engine(
            "compact",
            lambda samples, rate_hz: np.repeat(NetworkVad(rate_hz, compact.network()).feed(samples)[1], 3),
            product("compact"),
            opened("compact"),
        ),
    ]
    try:
        vad_front("silero")
        found.append(Engine("silero", silero_score, product("silero"), opened("silero")))
    except PeerError as error:
        report.say(f"without silero: {error}")
    found.append(Engine("webrtcvad", webrtc, lambda samples, rate_hz: webrtc(samples, rate_hz) > 0, webrtc_stream, 30))
    return found


def product(name: str) -> Callable[[Samples, int], Speech]:
    """Labels per 10 ms as the server has them."""

    def label(samples: Samples, rate_hz: int) -> Speech:
        front = vad_front(name)(FrontEndPlan("pcm16", rate_hz, rate_hz))
        labels = front.feed(to_int16(samples).tobytes())[0] + front.flush()[0]
        return np.repeat(np.frombuffer(labels, np.bool_), 3)

    return label


def opened(name: str) -> Callable[[int], Callable[[bytes], object]]:
    return lambda rate_hz: vad_front(name)(FrontEndPlan("pcm16", rate_hz, rate_hz)).feed


def silero_score(samples: Samples, rate_hz: int) -> Scores:
    wide = resample(samples, rate_hz, silero.RATE_HZ)
    scores = np.array(silero.SileroStream(silero.RATE_HZ, silero.network()).feed(wide))
    at_ms = np.arange(len(samples) * 100 // rate_hz) * 10 + 5
    return scores[np.minimum(at_ms // silero.PIECE_MS, len(scores) - 1)]


def webrtc(samples: Samples, rate_hz: int) -> Scores:
    frames = chunks(to_int16(samples).tobytes(), 30, rate_hz)
    judge = webrtcvad.Vad(2)
    return np.repeat([float(judge.is_speech(frame, rate_hz)) for frame in frames], 3)


def webrtc_stream(rate_hz: int) -> Callable[[bytes], object]:
    judge = webrtcvad.Vad(2)
    return lambda frame: judge.is_speech(frame, rate_hz)


def chunks(data: bytes, ms: int, rate_hz: int) -> list[bytes]:
    size = 2 * rate_hz * ms // 1000
    return [data[start : start + size] for start in range(0, len(data) - size + 1, size)]


def f1(label: Speech, speech: Speech) -> float:
    return float(2 * (label & speech).sum() / (label.sum() + speech.sum()))


def read(path: Path) -> tuple[Samples, int]:
    samples, rate_hz = decode_file(path.read_bytes())
    return np.ascontiguousarray(samples, np.float32), rate_hz


def accuracy(report: Report, contestants: list[Engine], data: Path) -> None:
    """AUC and F1 of each engine on each condition, pooled per rate and over all."""
    truth = np.array([digit == "1" for digit in (data / "vad/labels_10ms.txt").read_text().strip()])
    seen: dict[tuple[str, str], list[tuple[Scores, Speech, Speech]]] = {}
    rows = []
    for folder in ("8k", "16k"):
        for path in sorted((data / "vad" / folder).glob("*.*")):
            samples, rate_hz = read(path)
            cells = []
            for engine in contestants:
                score, label = engine.score(samples, rate_hz), engine.label(samples, rate_hz)
                frames = min(len(score), len(label), len(truth))
                found = (score[:frames], label[:frames], truth[:frames])
                for pool in (folder, "all"):
                    seen.setdefault((pool, engine.name), []).append(found)
                cells.append(told(report, f"{folder}/{path.stem}", engine.name, *found))
            rows.append((f"{folder}/{path.stem}", *cells))
    for pool in ("8k", "16k", "all"):
        pooled = [[np.concatenate(parts) for parts in zip(*seen[pool, engine.name], strict=True)] for engine in contestants]
        rows.append(
            (f"pooled, {pool}", *(told(report, f"pooled {pool}", one.name, *found) for one, found in zip(contestants, pooled, strict=True)))
        )
    report.table(("AUC at 10 ms / F1 of the labels", *(engine.name for engine in contestants)), rows)


def told(report: Report, condition: str, engine: str, score: Scores, label: Speech, speech: Speech) -> str:
    figures = {"auc": round(area_under_curve(score, speech), 4), "f1": round(f1(label, speech), 4)}
    report.line(condition=condition, engine=engine, **figures, false_speech=round(float(label[~speech].mean()), 4))
    return f"{figures['auc']:.3f} / {figures['f1']:.3f}"


def cost(report: Report, contestants: list[Engine], data: Path, rounds: int) -> None:
    """CPU time of a stream, each engine in turn, each round on a fresh stream."""
    rows = []
    for rate_hz, path in zip(RATES_HZ, ("8k/doing_the_dishes_10dB.wav", "16k/doing_the_dishes_10dB.flac"), strict=True):
        samples, _ = read(data / "vad" / path)
        pcm = to_int16(samples[: TIMED_S * rate_hz]).tobytes()
        times: dict[str, list[float]] = {engine.name: [] for engine in contestants}
        for turn in range(rounds + 1):  # the first warms up
            for engine in contestants:
                pieces, feed = chunks(pcm, engine.chunk_ms, rate_hz), engine.open(rate_hz)
                before = time.process_time_ns()
                for piece in pieces:
                    feed(piece)
                spent_us = (time.process_time_ns() - before) / 1000 * 20 / (len(pieces) * engine.chunk_ms)
                if turn:
                    times[engine.name].append(spent_us)
        median = {name: statistics.median(values) for name, values in times.items()}
        for name, values in times.items():
            figures = {"cpu_us_per_20_ms": round(median[name], 2), "low": round(min(values), 2), "high": round(max(values), 2)}
            report.line(rate_hz=rate_hz, engine=name, **figures, real_time_factor=round(median[name] / 20000, 6))
        share = [f"{median['silero'] / median[engine.name]:.1f}" if "silero" in median else "" for engine in contestants]
        rows.append((f"{rate_hz} Hz", *(f"{median[engine.name]:.2f}" for engine in contestants)))
        rows.append(("  silero's over it", *share))
    report.table((f"CPU us per 20 ms, median of {rounds}", *(engine.name for engine in contestants)), rows)


def recordings(folder: Path, pattern: str, most: int) -> Iterator[tuple[Samples, int]]:
    paths = sorted(folder.glob(pattern))
    for path in paths[:: max(1, len(paths) // most)]:
        samples, rate_hz = read(path)
        if rate_hz in RATES_HZ and len(samples) > rate_hz:
            yield samples, rate_hz


def music_and_prompts(report: Report, contestants: list[Engine]) -> None:
    """Share of hold music taken for speech, and of a prompt's frames within 25 dB of its loudest that are kept."""
    rows = []
    for name, folder, pattern, most in (
        ("hold music taken for speech", ASTERISK / "moh", "*.wav", 100),
        ("speech of prompts kept", ASTERISK / "sounds", "*_?_*/*.wav", PROMPTS),
    ):
        counts = {engine.name: [0, 0] for engine in contestants}
        for samples, rate_hz in recordings(folder, pattern, most):
            for engine in contestants:
                label = engine.label(samples, rate_hz)
                hops = samples[: len(label) * (rate_hz // 100)].reshape(-1, rate_hz // 100)
                label = label[: len(hops)]
                level_db = 10 * np.log10(np.mean(np.square(hops), axis=1) + 1e-12)
                asked = level_db > np.percentile(level_db, 95) - 25 if "prompts" in name else np.ones(len(label), np.bool_)
                counts[engine.name][0] += int(label[asked].sum())
                counts[engine.name][1] += int(asked.sum())
        if not any(total for _, total in counts.values()):
            report.say(f"{name}: the Debian package is not installed")
            continue
        share = {engine: found / total for engine, (found, total) in counts.items()}
        for engine, value in share.items():
            report.line(recordings=name, engine=engine, share=round(value, 4), seconds=counts[engine][1] // 100)
        rows.append((name, *(f"{value:.3f}" for value in share.values())))
    report.table(("share of frames", *(engine.name for engine in contestants)), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds instead of {ROUNDS}")
    parser.add_argument("--data", type=Path, default=DATA, help="folder that holds vad/")
    options = parser.parse_args()
    report = Report("vad")
    pin(0)
    contestants = engines(report)
    if options.data.is_dir():
        accuracy(report, contestants, options.data)
        cost(report, contestants, options.data, QUICK_ROUNDS if options.quick else ROUNDS)
    else:
        report.say(f"{options.data} is missing: neither accuracy nor cost")
    music_and_prompts(report, contestants)


if __name__ == "__main__":
    main()
