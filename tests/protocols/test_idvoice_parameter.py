"""Text parameters: ASCII digits and nothing round them."""

from collections.abc import Callable

import pytest

from voicestream.errors import PeerError
from voicestream.protocols.idvoice_parameter import RATES_HZ, context_s, duration_ms, rate_hz, window_s

NEVER_A_NUMBER = [
    "", " ", "16000\n", "\n16000", " 16000", "16000 ", "16 000", "+16000", "-16000", "1e9", "1e4", "0x3e80", "16_000", "16000.", "16000.0",
    "16,000", "١٦٠٠٠", "١٠", "３", "１６０００", "१६०००", "²", "½", "16000\0", "NaN", "inf", "Infinity", "null", "true",
    '"16000"', "1" * 10, "0" * 10, "9" * 1_000_000, "\ud800", "\u200b16000",
]  # fmt: skip


def refused(read: Callable[[str], object], text: str) -> str:
    with pytest.raises(PeerError) as caught:
        read(text)
    return caught.value.fault.code


@pytest.mark.parametrize("text", NEVER_A_NUMBER, ids=lambda text: ascii(text[:12]))
def test_what_is_no_plain_number_is_refused(text: str) -> None:
    assert refused(duration_ms, text) == "VS1201"
    assert refused(lambda text: rate_hz(text, "pcm16"), text) == "VS1202"
    assert refused(context_s, text) == "VS1203"
    assert refused(lambda text: window_s(text, 600.0), text) == "VS1204"


def test_durations_reach_to_ten_minutes() -> None:
    assert [duration_ms(text) for text in ("0", "000000350", "600000")] == [0, 350, 600_000]
    assert refused(duration_ms, "600001") == "VS1201"


def test_rates_are_those_of_the_encoding() -> None:
    for rate in (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000):
        assert rate_hz(str(rate), "pcm16") == rate
    assert RATES_HZ["opus"] == {8000, 12000, 16000, 24000, 48000}
    assert refused(lambda text: rate_hz(text, "opus"), "44100") == "VS1202"
    for text in ("0", "7999", "16001", "999999999"):
        assert refused(lambda text: rate_hz(text, "pcm16"), text) == "VS1202"
    assert rate_hz("000016000", "pcm16") == 16000  # nine digits are within the grammar


def test_seconds_have_at_most_one_dot_and_six_decimals() -> None:
    assert [context_s(text) for text in ("10", "3.0", "0.5", "600", "0599.999999")] == [10.0, 3.0, 0.5, 600.0, 599.999999]
    for text in (".5", "5.", "1.5.2", "0.1234567", "00010", "600.000001", "0.499999", "0", "9999", "3,0", "3.٥"):
        assert refused(context_s, text) == "VS1203"


def test_a_window_is_no_longer_than_the_context() -> None:
    assert window_s("3.5", 3.5) == 3.5
    assert refused(lambda text: window_s(text, 3.5), "3.500001") == "VS1204"
    assert refused(lambda text: window_s(text, 3.5), "0.4") == "VS1204"
