"""PCM16 <-> float32."""

import numpy as np

from voicestream.dsp import pcm


def test_every_sample_survives_the_round_trip() -> None:
    samples = np.arange(-32768, 32768).astype(np.int16)
    floats = pcm.to_float(samples)
    assert floats.dtype == np.float32
    assert floats[0] == -1.0
    assert np.array_equal(pcm.to_int16(floats), samples)


def test_what_is_too_loud_clips_and_nan_is_silence() -> None:
    loud = np.array([1.0, 2.0, -1.5, np.inf, -np.inf, np.nan], np.float32)
    assert pcm.to_int16(loud).tolist() == [32767, 32767, -32768, 32767, -32768, 0]


def test_bytes_are_little_endian_and_an_odd_last_one_is_left_out() -> None:
    assert pcm.from_bytes(b"\x01\x00\x00\x80\x07").tolist() == [1, -32768]
    assert pcm.from_bytes(b"\x07").tolist() == []
