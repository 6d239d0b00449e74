"""The grammar of the IDVoice text parameters: plain ASCII numbers, nothing round them.

No sign, exponent, white space, line feed or digit of another script (idvoice.md section 2). Every
function raises PeerError for a text it does not take.
"""

import re

from voicestream.errors import BAD_CONTEXT, BAD_DURATION, BAD_RATE, BAD_WINDOW, Fault, PeerError
from voicestream.sessions.vocabulary import Encoding

RATES_HZ: dict[Encoding, frozenset[int]] = {
    "pcm16": frozenset((8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000)),
    "opus": frozenset((8000, 12000, 16000, 24000, 48000)),  # what a decoder of RFC 6716 can put out
}
DURATION_MAX_MS = 600_000
CONTEXT_MAX_S = 600.0
WINDOW_MIN_S = 0.5  # of the vendor's SDK

_SECONDS = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6})?")


def duration_ms(text: str) -> int:
    """Read a length of speech or silence in milliseconds."""
    value = _whole(text, BAD_DURATION)
    if value > DURATION_MAX_MS:
        raise PeerError(BAD_DURATION)
    return value


def rate_hz(text: str, encoding: Encoding) -> int:
    """Read a sample rate that audio of `encoding` can have."""
    value = _whole(text, BAD_RATE)
    if value not in RATES_HZ[encoding]:
        raise PeerError(BAD_RATE)
    return value


def context_s(text: str) -> float:
    """Read the seconds a verification remembers."""
    value = _seconds(text, BAD_CONTEXT)
    if not WINDOW_MIN_S <= value <= CONTEXT_MAX_S:
        raise PeerError(BAD_CONTEXT)
    return value


def window_s(text: str, context_s: float) -> float:
    """Read the seconds of one verified window, at most `context_s`."""
    value = _seconds(text, BAD_WINDOW)
    if not WINDOW_MIN_S <= value <= context_s:
        raise PeerError(BAD_WINDOW)
    return value


def _whole(text: str, fault: Fault) -> int:
    if not (1 <= len(text) <= 9 and text.isascii() and text.isdigit()):
        raise PeerError(fault)
    return int(text)


def _seconds(text: str, fault: Fault) -> float:
    if not _SECONDS.fullmatch(text):
        raise PeerError(fault)
    return float(text)
