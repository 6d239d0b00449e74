"""Sessions on the real front end: the audio clock at every rate, pieces equal the whole, recorded speech."""

import hashlib
import os
import wave
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.sessions.toy import CARD, cut, hear, template
from voicestream.codecs.containers import decode_file
from voicestream.dsp.mfcc import FeatureOptions
from voicestream.dsp.pcm import to_int16
from voicestream.protocols.idvoice_json import compact, file_summary_object
from voicestream.protocols.idvoice_parameter import RATES_HZ
from voicestream.sessions.endpointing import EndpointingSession
from voicestream.sessions.summary import SummarySession
from voicestream.sessions.verification import VerificationSession
from voicestream.sessions.vocabulary import (
    Endpointing,
    EndpointState,
    Summary,
    SummaryState,
    Vector,
    Verification,
    Verified,
)

RATES = sorted(RATES_HZ["pcm16"])


def phrase(rate_hz: int, seconds: float = 2.0) -> bytes:
    """Buzzes with pauses over a little noise: something a voice activity detector takes for speech here and there."""
    chance = np.random.default_rng(7)
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    buzz = sum(np.sin(2 * np.pi * 130 * harmonic * time_s) / harmonic for harmonic in range(1, 20))
    gate = (np.sin(2 * np.pi * 1.7 * time_s) > 0) & (time_s > 0.3)
    return np.asarray(4000 * buzz * gate + chance.normal(0, 20, len(time_s)), "<i2").tobytes()


@dataclass
class Listener:
    """A speaker model whose voices are mean spectra; told apart to the last bit."""

    card = CARD
    rate_hz = 8000
    features = FeatureOptions(rate_hz=8000, ceps=2)
    heavy = False

    def embed(self, features: NDArray[np.float32], speech: NDArray[np.bool_]) -> Vector:
        assert len(features) == len(speech)
        mean: Vector = features[speech].mean(axis=0)
        return mean / np.float32(np.linalg.norm(mean))

    def score(self, one: Vector, other: Vector) -> float:
        return float(one @ other)

    def probability(self, score: float, net_speech_s: float) -> float:
        return 1 / (1 + net_speech_s)


def final(rate_hz: int, pieces: list[bytes]) -> SummaryState:
    session = SummarySession(Summary(rate_hz))
    hear(session, *pieces)
    return session.finish()


@pytest.mark.parametrize("rate_hz", RATES)
def test_frames_come_on_time_at_every_rate(rate_hz: int) -> None:
    session = SummarySession(Summary(rate_hz))
    late = 0 if rate_hz in (8000, 16000) else 1
    for state in hear(session, *cut(phrase(rate_hz, 1.0), 613)):
        assert isinstance(state, SummaryState)
        assert 0 <= 100 * state.samples // (3 * rate_hz) - state.frames <= late


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_finished_recording_has_all_its_whole_frames_and_no_more(rate_hz: int) -> None:
    for frames in (0, 1, 2, 33):
        for samples in range(3 * rate_hz * frames // 100, 3 * rate_hz * frames // 100 + 3):
            assert final(rate_hz, [bytes(2 * samples)]).frames == 100 * samples // (3 * rate_hz)
        if frames:
            assert final(rate_hz, [bytes(2 * (3 * rate_hz * frames // 100 - 1))]).frames == frames - 1


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 44100, 48000])
@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=5).map(lambda sizes: [*sizes, 997]))
@example([1, 1, 1, 1, 1, 1, 1, 1, 1, 29])
def test_pieces_give_the_same_as_the_whole(rate_hz: int, sizes: list[int]) -> None:
    pcm = phrase(rate_hz) + b"\1"
    whole, pieces = final(rate_hz, [pcm]), final(rate_hz, cut(pcm, *sizes))
    assert compact(file_summary_object(pieces)) == compact(file_summary_object(whole))
    assert 0 < whole.speech_frames < whole.frames
    service = Verification(rate_hz, template(0.0), 0.73, 1.5, 0.31)
    told = [hear(VerificationSession(service, Listener()), *messages) for messages in ([pcm], cut(pcm, *sizes))]
    in_whole, in_pieces = ([window for result in results if isinstance(result, Verified) for window in result.windows] for results in told)
    assert in_pieces == in_whole
    assert len({window.score for window in in_whole}) > 2


def flags_by_the_rule(state: SummaryState, min_speech_ms: int, max_silence_ms: int) -> list[bool]:
    """The rule of idvoice.md section 4, told once more, over the labels of a summary: state after each frame."""
    flags, speech, silence, ended = [], 0, 0, False
    for label in state.log.labels:
        if label:
            speech, silence, ended = (1 if ended else speech + 1), 0, False
        else:
            silence += 1
            ended = ended or (speech >= 1 and 30 * speech >= min_speech_ms and 30 * silence >= max_silence_ms)
        flags.append(ended)
    return flags


def recording(path: Path) -> tuple[int, bytes]:
    samples, rate_hz = decode_file(path.read_bytes())
    return rate_hz, to_int16(samples).tobytes()


@pytest.mark.parametrize("name", ["8k/clean.wav", "16k/clean.flac"])
def test_endpoints_and_summaries_of_recorded_speech_agree(shared: Path, name: str) -> None:
    rate_hz, pcm = recording(shared / "eval/vad" / name)
    summary = final(rate_hz, [pcm])
    messages = cut(pcm, 3 * rate_hz // 50)  # one frame each
    flags = [result == EndpointState(True) for result in hear(EndpointingSession(Endpointing(rate_hz, 300, 300)), *messages)]
    expected = flags_by_the_rule(summary, 300, 300)
    assert flags[: len(expected)] == expected
    assert sum(later and not earlier for earlier, later in pairwise(expected)) >= 5  # ends of utterances


PUBLISHED = "IDVOICE_GENUINE_WAV"


def test_the_published_recording() -> None:
    """genuine.wav of the vendor's public examples (idvoice.md section 9); a person's voice, so never part of this repository."""
    if PUBLISHED not in os.environ:
        pytest.skip(f"{PUBLISHED} names no copy of websockets_examples/media/python/genuine.wav of IDRnd/idvoice-docker-examples")
    path = Path(os.environ[PUBLISHED])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == "1b48eec3cf9d07b5870950935d1ecc3d2fbe672dfc0a0a77d389b128b8bbd032"
    with wave.open(str(path)) as file:
        pcm = file.readframes(file.getnframes())
    states = hear(SummarySession(Summary(16000)), *cut(pcm, 2 * 6133))
    assert [state.frames for state in states if isinstance(state, SummaryState)] == [12, 25, 38, 51, 63, 76, 89, 102]
    last = states[-1]
    assert isinstance(last, SummaryState)
    assert abs(last.speech_frames - 57) <= 6
