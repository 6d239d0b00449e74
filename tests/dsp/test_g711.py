"""G.711 over its whole domain: 256 codes, 65,536 samples."""

import warnings

import numpy as np
import pytest

from voicestream.dsp import g711

CODES = bytes(range(256))
SAMPLES = np.arange(-32768, 32768).astype(np.int16)
LAWS = {"mulaw": (g711.mulaw_expand, g711.mulaw_compress), "alaw": (g711.alaw_expand, g711.alaw_compress)}

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    audioop = pytest.importorskip("audioop", reason="the standard library has audioop up to Python 3.12")
ORACLES = {"mulaw": (audioop.ulaw2lin, audioop.lin2ulaw), "alaw": (audioop.alaw2lin, audioop.lin2alaw)}


@pytest.mark.parametrize("law", LAWS)
def test_every_code_and_every_sample_equal_audioop(law: str) -> None:
    expand, compress = LAWS[law]
    oracle_expand, oracle_compress = ORACLES[law]
    assert expand(CODES).tobytes() == oracle_expand(CODES, 2)
    assert compress(SAMPLES) == oracle_compress(SAMPLES.tobytes(), 2)


@pytest.mark.parametrize("law", LAWS)
def test_no_sample_is_nearer_to_another_code_by_a_whole_step(law: str) -> None:
    expand, compress = LAWS[law]
    levels = np.sort(expand(CODES).astype(int))
    wrong_by = np.abs(expand(compress(SAMPLES)).astype(int) - SAMPLES)
    above = np.clip(np.searchsorted(levels, SAMPLES), 1, 255)
    step = levels[above] - levels[above - 1]
    assert np.all((wrong_by <= step) | (np.abs(SAMPLES.astype(int)) > levels[-1]))


def test_decision_values_of_the_recommendation() -> None:
    """ITU-T G.711, table 2a (mu-law) and 1a (A-law): quantised values y1.. in 14 and 13 bits."""
    mulaw = {0xFF: 0, 0xFE: 2, 0xEF: 33, 0xDF: 99, 0xCF: 231, 0xBF: 495, 0xAF: 1023, 0x9F: 2079, 0x8F: 4191, 0x80: 8031}
    assert [int(value) for value in g711.mulaw_expand(bytes(mulaw))] == [4 * value for value in mulaw.values()]
    alaw = {0xD5: 1, 0xC5: 33, 0xF5: 66, 0xE5: 132, 0x95: 264, 0x85: 528, 0xB5: 1056, 0xA5: 2112, 0xAA: 4032}
    assert [int(value) for value in g711.alaw_expand(bytes(alaw))] == [8 * value for value in alaw.values()]


def test_nothing_gives_nothing() -> None:
    for expand, compress in LAWS.values():
        assert len(expand(b"")) == 0
        assert compress(np.empty(0, np.int16)) == b""
