"""Features against Kaldi and against the recipe written out, whole and in pieces."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests import naive
from voicestream.dsp.mfcc import FeatureOptions, FeatureStream, mfcc

COMPILED = not numba.config.DISABLE_JIT  # where kernels run as Python, fewer examples
OPTIONS = [
    FeatureOptions(),
    FeatureOptions(rate_hz=8000),
    FeatureOptions(rate_hz=8000, mel_bins=24, ceps=20, low_hz=100, high_hz=-200, window="hamming", lifter=0),
    FeatureOptions(mel_bins=40, ceps=0),
    FeatureOptions(mel_bins=80, ceps=0, energy=True, window="hann"),
    FeatureOptions(energy=True, remove_dc=False, pre_emphasis=0.0),
    FeatureOptions(rate_hz=8000, energy=True, raw_energy=False, window="rectangular"),
    FeatureOptions(frame_length_ms=32, frame_shift_ms=16),
    FeatureOptions(frame_length_ms=20, frame_shift_ms=50),
]


def recording(rate_hz: int, seconds: float = 0.5) -> NDArray[np.float32]:
    """Noise, a chirp, silence, DC and clipping, one after another."""
    rng = np.random.default_rng(3)
    n = int(rate_hz * seconds / 5)
    chirp = 0.5 * np.sin(np.cumsum(np.linspace(0.01, 2.5, n))) + 0.03 * rng.standard_normal(n)
    parts = (rng.standard_normal(n) * 0.1, chirp, np.zeros(n), np.full(n, 0.5), np.sign(rng.standard_normal(n)))
    return np.concatenate(parts).astype(np.float32)


def kaldi(samples: NDArray[np.float32], options: FeatureOptions) -> NDArray[np.float32]:
    knf = pytest.importorskip("kaldi_native_fbank")
    asked = knf.MfccOptions() if options.ceps else knf.FbankOptions()
    frame = asked.frame_opts
    frame.samp_freq, frame.dither, frame.snip_edges = options.rate_hz, 0.0, True
    frame.frame_length_ms, frame.frame_shift_ms = options.frame_length_ms, options.frame_shift_ms
    frame.preemph_coeff, frame.remove_dc_offset = options.pre_emphasis, options.remove_dc
    frame.window_type = "hanning" if options.window == "hann" else options.window
    mel = asked.mel_opts
    mel.num_bins, mel.low_freq, mel.high_freq = options.mel_bins, options.low_hz, options.high_hz
    asked.use_energy, asked.raw_energy, asked.energy_floor = options.energy, options.raw_energy, 0.0
    if options.ceps:
        asked.num_ceps, asked.cepstral_lifter = options.ceps, options.lifter
    extractor = knf.OnlineMfcc(asked) if options.ceps else knf.OnlineFbank(asked)
    extractor.accept_waveform(options.rate_hz, (samples * 32768).tolist())
    extractor.input_finished()
    return np.array([extractor.get_frame(i) for i in range(extractor.num_frames_ready)])


def heard(samples: NDArray[np.float32], options: FeatureOptions) -> NDArray[np.bool_]:
    """Frames with enough in every band: where a band is empty, float32 rounding alone decides its logarithm."""
    bands = naive.features(samples, FeatureOptions(**{**vars_of(options), "ceps": 0, "energy": False}))
    return np.asarray(bands.min(axis=1) > 6)


def vars_of(options: FeatureOptions) -> dict[str, object]:
    return {name: getattr(options, name) for name in options.__slots__}


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
def test_equals_kaldi_native_fbank(options: FeatureOptions) -> None:
    samples = recording(options.rate_hz)
    made, expected, well = mfcc(samples, options), kaldi(samples, options), heard(samples, options)
    assert made.shape == expected.shape
    assert well.sum() >= 4
    np.testing.assert_allclose(made[well], expected[well], atol=1e-3)


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
def test_equals_the_recipe_written_out(options: FeatureOptions) -> None:
    samples = recording(options.rate_hz)
    well = heard(samples, options)
    np.testing.assert_allclose(mfcc(samples, options)[well], naive.features(samples, options)[well], atol=1e-3)


@settings(max_examples=40 if COMPILED else 5, deadline=None)
@given(st.sampled_from(OPTIONS), st.lists(st.integers(0, 900), min_size=1, max_size=10))
def test_pieces_equal_the_whole(options: FeatureOptions, pieces: list[int]) -> None:
    samples = np.random.default_rng(sum(pieces)).standard_normal(sum(pieces)).astype(np.float32)
    stream = FeatureStream(options)
    made = [stream.feed(piece) for piece in np.split(samples, np.cumsum(pieces[:-1]))]
    assert np.array_equal(np.concatenate(made), mfcc(samples, options))


def test_silence_is_the_floor_and_never_minus_infinity() -> None:
    made = mfcc(np.zeros(4000, np.float32), FeatureOptions(ceps=0, energy=True))
    np.testing.assert_allclose(made, np.log(np.finfo(np.float32).eps), rtol=1e-6)


def test_too_little_for_a_frame_is_no_frame() -> None:
    options = FeatureOptions()
    assert mfcc(np.zeros(399, np.float32), options).shape == (0, 13)
    assert mfcc(np.zeros(400, np.float32), options).shape == (1, 13)


@pytest.mark.parametrize(
    "wrong", [{"frame_length_ms": 40}, {"frame_shift_ms": 0}, {"high_hz": 9000}, {"low_hz": -1}, {"ceps": 24}, {"mel_bins": 0}], ids=repr
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        FeatureOptions(**wrong)
