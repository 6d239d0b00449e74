"""The models there are: a name, a card, and how to load it. A new model is a row here.

Weights of `ge2e` and `ecapa` lie in the data folder once they are installed; `fusion` is the largest of the models
made of several that what is installed allows.
"""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Final, TypeAlias

from voicestream.errors import MODEL_NOT_INSTALLED, UNKNOWN_MODEL, PeerError
from voicestream.models.authenticity import cnn
from voicestream.models.authenticity.model import AuthenticityModel
from voicestream.models.bundle import Bundle
from voicestream.models.card import Card
from voicestream.models.installation import ORIGINS, installed, is_installed
from voicestream.models.speaker import mfcc
from voicestream.models.speaker.fusion import FusedSpeaker
from voicestream.models.speaker.model import SpeakerModel
from voicestream.models.speaker.neural import Network, NeuralSpeaker, packaged, packaged_card
from voicestream.models.speech import moonshine, pronunciation, rating, spelling
from voicestream.models.vad import compact, energy, silero
from voicestream.models.vad.model import MakeFront, VadModel
from voicestream.models.weights import Arrays

DEFAULT_SPEAKER_MODEL: Final = "mfcc"
FUSION: Final = "fusion"  # stands for the first of FUSIONS whose parts are all there

Load: TypeAlias = Callable[[Path | None], SpeakerModel]

FUSIONS: Final = {"mfcc+ge2e+ecapa": ("mfcc", "ge2e", "ecapa"), "mfcc+ecapa": ("mfcc", "ecapa"), "mfcc+ge2e": ("mfcc", "ge2e")}


def _neural(name: str, data_folder: Path | None) -> SpeakerModel:
    return NeuralSpeaker(network_of(name, data_folder), ORIGINS[name].sha256, *packaged(name))


def network_of(name: str, data_folder: Path | None) -> Network:
    """An installed network without what is trained on top of it: samples at 16 kHz in, its own vector out."""
    arrays: Arrays = installed(data_folder, ORIGINS[name])
    match name:  # imported when wanted: their kernels are no business of a server that runs another model
        case "ge2e":
            from voicestream.models.speaker.ge2e import Ge2e

            return Ge2e(arrays)
        case _:
            from voicestream.models.speaker.ecapa import Ecapa

            return Ecapa(arrays)


def _fused(name: str, data_folder: Path | None) -> SpeakerModel:
    return FusedSpeaker([_loaded(part, data_folder) for part in FUSIONS[name]], *packaged(name))


_SPEAKER: Final[dict[str, Load]] = {
    "mfcc": lambda folder: mfcc.load(),
    "ge2e": lambda folder: _neural("ge2e", folder),
    "ecapa": lambda folder: _neural("ecapa", folder),
    **{name: partial(_fused, name) for name in FUSIONS},
}
_VAD: Final[dict[str, VadModel]] = {
    "energy": VadModel(lambda: energy.CARD, energy.load),
    "compact": VadModel(compact.card, compact.load),
    "silero": VadModel(lambda: silero.CARD, silero.load),
}
BUNDLES: Final[dict[str, Bundle]] = {moonshine.BUNDLE.model: moonshine.BUNDLE}
_AUTHENTICITY: Final[dict[str, Callable[[], AuthenticityModel]]] = {"cnn": cnn.load}


def speaker_model(name: str, data_folder: Path | None = None) -> SpeakerModel:
    """The model of that name, loaded once; without a data folder only what comes along is there.

    PeerError VS3001 when there is none of that name, VS3040 when it is not installed, VS3041 when its weights are damaged.
    """
    return _loaded(_meant(name, data_folder), data_folder)


@cache
def _loaded(name: str, data_folder: Path | None) -> SpeakerModel:
    return _SPEAKER[name](data_folder)


def default_speaker_model() -> SpeakerModel:
    """The one that is used where nobody names another."""
    return speaker_model(DEFAULT_SPEAKER_MODEL)


def speaker_models() -> tuple[str, ...]:
    """Names of all speaker models, installed or not, the default first."""
    return (*_SPEAKER, FUSION)


def is_available(name: str, data_folder: Path | None) -> bool:
    """Whether a model of `cards()`, or `fusion`, has its weights."""
    if name in BUNDLES:
        return BUNDLES[name].is_installed(data_folder)
    if name == FUSION:
        return any(is_available(one, data_folder) for one in FUSIONS)
    return all(is_installed(data_folder, part) for part in FUSIONS.get(name, (name,)) if part in ORIGINS)


@cache
def vad_front(name: str) -> MakeFront:
    """How to make front ends with the labels of the detector of that name.

    PeerError VS3001 when there is none, VS3050 when its packages are not installed, VS3051 when they hold other weights.
    """
    if name not in _VAD:
        raise PeerError(UNKNOWN_MODEL)
    return _VAD[name].load()


@cache
def authenticity_model(name: str = "cnn") -> AuthenticityModel:
    """The detector of synthetic and replayed speech of that name, loaded once; `PeerError` VS3001 when there is none."""
    if name not in _AUTHENTICITY:
        raise PeerError(UNKNOWN_MODEL)
    return _AUTHENTICITY[name]()


def cards() -> tuple[Card, ...]:
    """Cards of all models, installed or not, speaker models first."""
    return (
        *(packaged_card(name) for name in _SPEAKER),
        *(model.card() for model in _VAD.values()),
        *(authenticity_model(name).card for name in _AUTHENTICITY),
        moonshine.CARD,
        spelling.card(),
        pronunciation.card(),
        rating.card(),
    )


def _meant(name: str, data_folder: Path | None) -> str:
    if name == FUSION:
        name = next((one for one in FUSIONS if is_available(one, data_folder)), name)
        if name == FUSION:
            raise PeerError(MODEL_NOT_INSTALLED, f"{FUSION} wants {' or '.join(ORIGINS)} beside {DEFAULT_SPEAKER_MODEL}")
    if name not in _SPEAKER:
        raise PeerError(UNKNOWN_MODEL)
    return name
