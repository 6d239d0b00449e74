"""The card of the voice activity detector that runs inside the front end (`voicestream.dsp.vad`)."""

import hashlib
from typing import Final

from voicestream.dsp.frontend import FrontEnd
from voicestream.models.card import Card
from voicestream.models.vad.model import MakeFront

_NAME: Final = "energy"
_VERSION: Final = "1"

CARD: Final = Card(
    name=_NAME,
    version=_VERSION,
    kind="vad",
    rate_hz=8000,
    dimension=0,
    sha256=hashlib.sha256(f"{_NAME} {_VERSION}".encode()).hexdigest(),
    licence="Apache-2.0",
    threshold=0.5,
    calibration="none: 30 ms frames are speech or not",
    trained_on="nothing; thresholds set by hand",
    limits="takes loud sounds that come and go for speech: music, a second talker, slamming doors",
)


def load() -> MakeFront:
    """How to make its front ends: it is what they do by themselves."""
    return FrontEnd
