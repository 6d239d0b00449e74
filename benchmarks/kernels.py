"""CPU time of the DSP kernels beside named peers, in one process, round by round in turn.

    python -m benchmarks.kernels [--quick] [--rounds N]

Every contender is shown to compute the right thing before anything is timed. A figure is the median over rounds
of CPU us per 20 ms chunk (or as its row says), calls from Python and conversions of types included: each
contender is handed what its caller would have. JSON lines on standard output, tables on standard error.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle

import kaldi_native_fbank as knf
import numpy as np
import soxr
import webrtcvad
from numpy.typing import NDArray

from benchmarks.measure import Report, pin
from voicestream.dsp import g711, pcm
from voicestream.dsp.cosine import cosine, cosines, unit
from voicestream.dsp.frontend import FrontEnd, FrontEndPlan
from voicestream.dsp.mfcc import FeatureOptions, FeatureStream, mfcc
from voicestream.dsp.resample import Resampler, resample

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

ROUNDS, QUICK_ROUNDS = 15, 5
ROUND_S = 0.03  # CPU per contender and round
RNG = np.random.default_rng(12)

Work = Callable[[], object]


@dataclass(frozen=True)
class Duel:
    """Contenders for the same work, ours first."""

    name: str
    unit: str
    contenders: dict[str, Work]


def chunks(samples: NDArray[np.int16], per_chunk: int) -> list[NDArray[np.int16]]:
    return [samples[start : start + per_chunk].copy() for start in range(0, len(samples) - per_chunk + 1, per_chunk)]


def speech_like(rate_hz: int, seconds: float = 3.0) -> NDArray[np.int16]:
    """Noise in syllables: loud enough for every stage to have work, quiet enough not to clip."""
    at = np.arange(int(rate_hz * seconds)) / rate_hz
    return (RNG.standard_normal(len(at)) * 4000 * np.sin(2 * np.pi * 2 * at) ** 2).astype(np.int16)


def feeding(feed: Callable[..., object], pieces: list[object]) -> Work:
    """Give a stream its next chunk at every call, round and round."""
    turn = cycle(pieces)
    return lambda: feed(next(turn))


def kaldi(rate_hz: int) -> knf.OnlineMfcc:
    options = knf.MfccOptions()
    options.frame_opts.samp_freq, options.frame_opts.dither = rate_hz, 0.0
    options.use_energy = False
    return knf.OnlineMfcc(options)


class KaldiStream:
    """kaldi-native-fbank as a stream is fed by hand: samples as the list that it takes fastest."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._online = kaldi(rate_hz)
        self._seen = 0

    def feed(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        self._online.accept_waveform(self._rate_hz, samples.tolist())
        ready = self._online.num_frames_ready
        made = np.array([self._online.get_frame(i) for i in range(self._seen, ready)])
        self._online.pop(ready - self._seen)
        self._seen = ready
        return made


class WebrtcStream:
    """webrtcvad with the buffer that makes 30 ms frames of any chunks."""

    def __init__(self, rate_hz: int) -> None:
        self._vad = webrtcvad.Vad(2)
        self._rate_hz = rate_hz
        self._frame = rate_hz * 3 // 100 * 2
        self._waiting = b""

    def feed(self, data: bytes) -> list[bool]:
        self._waiting += data
        labels = []
        while len(self._waiting) >= self._frame:
            labels.append(self._vad.is_speech(self._waiting[: self._frame], self._rate_hz))
            self._waiting = self._waiting[self._frame :]
        return labels


class Peers:
    """The best-of-peers front end: audioop, soxr HQ, webrtcvad, kaldi-native-fbank."""

    def __init__(self, analysis_hz: int) -> None:
        self._resampler = soxr.ResampleStream(8000, analysis_hz, 1, dtype="int16", quality="HQ") if analysis_hz != 8000 else None
        self._vad = WebrtcStream(analysis_hz)
        self._features = KaldiStream(analysis_hz)

    def feed(self, data: bytes) -> tuple[list[bool], NDArray[np.float32]]:
        samples = np.frombuffer(audioop.ulaw2lin(data, 2), np.int16)
        if self._resampler:
            samples = self._resampler.resample_chunk(samples)
        return self._vad.feed(samples.tobytes()), self._features.feed(samples)


def prove() -> None:
    """Everyone computes the same, or this run ends here."""
    codes, every = bytes(range(256)), np.arange(-32768, 32768).astype(np.int16)
    assert g711.mulaw_expand(codes).tobytes() == audioop.ulaw2lin(codes, 2)
    assert g711.mulaw_compress(every) == audioop.lin2ulaw(every.tobytes(), 2)
    for source_hz, target_hz in PAIRS:
        low = resample(RNG.standard_normal(4000).astype(np.float32), 8000, source_hz)  # inside everyone's pass band
        low = resample(low, source_hz, source_hz)
        ours, theirs = resample(low, source_hz, target_hz), soxr.resample(low, source_hz, target_hz, "HQ")
        edge = target_hz // 50
        band_hz = 0.85 * min(source_hz, target_hz, 8000) / 2
        difference = np.fft.rfft((ours - theirs[: len(ours)])[edge:-edge] * np.hanning(len(ours) - 2 * edge))
        inside = np.fft.rfftfreq(len(ours) - 2 * edge, 1 / target_hz) < band_hz
        whole = np.fft.rfft(ours[edge:-edge] * np.hanning(len(ours) - 2 * edge))
        assert np.abs(difference[inside]).max() < 2e-3 * np.abs(whole).max(), (source_hz, target_hz)
    for rate_hz in (8000, 16000):
        samples = speech_like(rate_hz, 1.0)
        np.testing.assert_allclose(
            mfcc(pcm.to_float(samples), FeatureOptions(rate_hz=rate_hz))[2:], KaldiStream(rate_hz).feed(samples)[2:], atol=5e-3
        )
    data = g711.mulaw_compress(speech_like(8000))
    labels, features = FrontEnd(FrontEndPlan("mulaw", 8000, 16000, FeatureOptions())).feed(data)
    peer_labels, peer_features = Peers(16000).feed(data)
    assert abs(len(labels) - len(peer_labels)) <= 5
    assert abs(len(features) - len(peer_features)) <= 15


PAIRS = ((8000, 16000), (48000, 16000), (44100, 16000), (16000, 8000))


def duels() -> list[Duel]:
    made = []
    sound = speech_like(8000)
    mulaw = [g711.mulaw_compress(chunk) for chunk in chunks(sound, 160)]
    minute = g711.mulaw_compress(np.tile(sound, 20))
    for name, data in (("mu-law decode, 20 ms", mulaw[10]), ("mu-law decode, 60 s", minute)):
        contenders = {
            "voicestream": lambda data=data: g711.mulaw_expand(data),
            "audioop": lambda data=data: np.frombuffer(audioop.ulaw2lin(data, 2), np.int16),
        }
        made.append(Duel(name, "call", contenders))
    for source_hz, target_hz in PAIRS:
        pieces = [pcm.to_float(chunk) for chunk in chunks(speech_like(source_hz), source_hz // 50)]
        contenders = {
            "voicestream": feeding(Resampler(source_hz, target_hz).feed, pieces),
            "soxr HQ": feeding(soxr.ResampleStream(source_hz, target_hz, 1, dtype="float32", quality="HQ").resample_chunk, pieces),
        }
        made.append(Duel(f"resample {source_hz} -> {target_hz}", "20 ms", contenders))
    for rate_hz in (8000, 16000):
        frames = [chunk.tobytes() for chunk in chunks(speech_like(rate_hz), rate_hz * 3 // 100)]
        judge = webrtcvad.Vad(2)
        contenders = {
            "voicestream": feeding(FrontEnd(FrontEndPlan("pcm16", rate_hz, rate_hz)).feed, frames),
            "webrtcvad": feeding(lambda frame, judge=judge, rate_hz=rate_hz: judge.is_speech(frame, rate_hz), frames),
        }
        made.append(Duel(f"VAD {rate_hz}", "30 ms", contenders))
    for rate_hz in (8000, 16000):
        pieces = chunks(speech_like(rate_hz), rate_hz // 50)
        contenders = {
            "voicestream": feeding(FeatureStream(FeatureOptions(rate_hz=rate_hz)).feed, [pcm.to_float(chunk) for chunk in pieces]),
            "kaldi-native-fbank": feeding(KaldiStream(rate_hz).feed, pieces),
        }
        made.append(Duel(f"MFCC {rate_hz}", "20 ms", contenders))
    for analysis_hz in (16000, 8000):
        plan = FrontEndPlan("mulaw", 8000, analysis_hz, FeatureOptions(rate_hz=analysis_hz))
        contenders = {"voicestream": feeding(FrontEnd(plan).feed, mulaw), "best of peers": feeding(Peers(analysis_hz).feed, mulaw)}
        made.append(Duel(f"fused: mu-law 8000 in, VAD and MFCC at {analysis_hz}", "20 ms", contenders))
    wide = [chunk.tobytes() for chunk in chunks(speech_like(16000), 320)]
    contenders = {"voicestream": feeding(FrontEnd(FrontEndPlan()).feed, wide), "webrtcvad": feeding(WebrtcStream(16000).feed, wide)}
    made.append(Duel("PCM16 16000 in, labels alone", "20 ms", contenders))
    for rows in (1, 1000, 100_000):
        gallery = unit(RNG.standard_normal((rows, 192)).astype(np.float32))
        probe = gallery[0].copy()
        ours: Work = (lambda a=probe, b=gallery[0]: cosine(a, b)) if rows == 1 else (lambda a=probe, b=gallery: cosines(a, b))
        made.append(Duel(f"cosine, {rows} x 192", "call", {"voicestream": ours, "numpy, BLAS": lambda a=probe, b=gallery: np.dot(b, a)}))
    return made


def cpu_us(work: Work, calls: int) -> float:
    before = time.process_time_ns()
    for _ in range(calls):
        work()
    return (time.process_time_ns() - before) / calls / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds instead of {ROUNDS}")
    parser.add_argument("--rounds", type=int)
    options = parser.parse_args()
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    report = Report("kernels")
    pin(0)
    prove()
    report.say("equal results: shown")
    contests = duels()
    calls = {
        (duel.name, name): max(3, int(ROUND_S * 1e6 / cpu_us(work, 20))) for duel in contests for name, work in duel.contenders.items()
    }
    times: dict[tuple[str, str], list[float]] = {key: [] for key in calls}
    for _ in range(rounds):
        for duel in contests:
            for name, work in duel.contenders.items():
                times[duel.name, name].append(cpu_us(work, calls[duel.name, name]))
    rows = []
    for duel in contests:
        figures = {name: statistics.median(times[duel.name, name]) for name in duel.contenders}
        (_, ours), (peer, theirs) = figures.items()
        for name, figure in figures.items():
            spread = times[duel.name, name]
            report.line(
                work=duel.name,
                per=duel.unit,
                contender=name,
                cpu_us=round(figure, 3),
                low=round(min(spread), 3),
                high=round(max(spread), 3),
            )
        rows.append((duel.name, duel.unit, f"{ours:.2f}", peer, f"{theirs:.2f}", f"{ours / theirs:.2f}"))
    report.table(("CPU us, median of " + str(rounds), "per", "voicestream", "peer", "peer's", "ratio"), rows)


if __name__ == "__main__":
    main()
