"""Cepstra as pocketsphinx computes them, which is the oracle, and their edges."""

from pathlib import Path

import numpy as np
import pytest

from tests.models.speech.conftest import Say
from voicestream.models.speech.cepstrum import cepstrum, features, frame_count


def test_cepstra_are_those_of_pocketsphinx(say: Say, tmp_path: Path) -> None:
    pocketsphinx = pytest.importorskip("pocketsphinx")
    samples = np.round(say("a quick brown fox jumps over the lazy dog") * 32768).clip(-32768, 32767)
    decoder = pocketsphinx.Decoder(lm=None, cmn="batch", mfclogdir=str(tmp_path), loglevel="FATAL")
    decoder.set_align_text("a")
    decoder.start_utt()
    decoder.process_raw(samples.astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    (path,) = tmp_path.glob("*.mfc")
    theirs = np.frombuffer(path.read_bytes()[4:], ">f4").reshape(-1, 13)
    ours = cepstrum((samples / 32768).astype(np.float32))
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 2e-3


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (409, 0), (410, 2), (569, 2), (570, 3), (16000, 99)])
def test_frames_of_so_many_samples(samples: int, frames: int) -> None:
    assert frame_count(samples) == frames
    assert features(np.zeros(samples, np.float32)).shape == (frames, 3, 13)


def test_silence_is_finite() -> None:
    assert np.isfinite(features(np.zeros(16000, np.float32))).all()


def test_loudness_changes_only_the_mean() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 16000).astype(np.float32)
    np.testing.assert_allclose(features(noise)[5:-5], features(noise / 2)[5:-5], atol=0.02)
