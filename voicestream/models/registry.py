"""The models there are: a name, a card, and how to load it. A new model is a row here."""

from collections.abc import Callable
from functools import cache
from typing import Final

from voicestream.errors import UNKNOWN_MODEL, PeerError
from voicestream.models.authenticity import cnn
from voicestream.models.authenticity.model import AuthenticityModel
from voicestream.models.card import Card
from voicestream.models.speaker import mfcc
from voicestream.models.speaker.model import SpeakerModel
from voicestream.models.vad import energy

DEFAULT_SPEAKER_MODEL: Final = "mfcc"

_SPEAKER: Final[dict[str, Callable[[], SpeakerModel]]] = {"mfcc": mfcc.load}
_VAD: Final[dict[str, Card]] = {"energy": energy.CARD}
_AUTHENTICITY: Final[dict[str, Callable[[], AuthenticityModel]]] = {"cnn": cnn.load}


@cache
def speaker_model(name: str) -> SpeakerModel:
    """The model of that name, loaded once; `PeerError` VS3001 when there is none."""
    if name not in _SPEAKER:
        raise PeerError(UNKNOWN_MODEL)
    return _SPEAKER[name]()


def default_speaker_model() -> SpeakerModel:
    """The one that is used where nobody names another."""
    return speaker_model(DEFAULT_SPEAKER_MODEL)


def speaker_models() -> tuple[str, ...]:
    """Names of all speaker models, the default first."""
    return tuple(sorted(_SPEAKER, key=lambda name: name != DEFAULT_SPEAKER_MODEL))


@cache
def authenticity_model(name: str = "cnn") -> AuthenticityModel:
    """The detector of synthetic and replayed speech of that name, loaded once; `PeerError` VS3001 when there is none."""
    if name not in _AUTHENTICITY:
        raise PeerError(UNKNOWN_MODEL)
    return _AUTHENTICITY[name]()


def cards() -> tuple[Card, ...]:
    """Cards of all models, speaker models first."""
    return (
        *(speaker_model(name).card for name in speaker_models()),
        *_VAD.values(),
        *(authenticity_model(name).card for name in sorted(_AUTHENTICITY)),
    )
