"""A speaker model with an operator's own calibration: the same voices and scores, other probabilities, another threshold.

A calibration is a small JSON text that `voicestream calibrate` writes and the setting `calibration` names. It is bound
to the SHA-256 of the model whose scores it has seen.
"""

from dataclasses import replace
from math import isfinite, log, tanh
from typing import Final

import msgspec

from voicestream.dsp.mfcc import FeatureOptions
from voicestream.errors import CALIBRATION_FILE, CALIBRATION_MODEL, PeerError
from voicestream.models.card import Card
from voicestream.models.speaker.model import Features, SpeakerModel, Speech, Vector

LAYOUT: Final = 1


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What scores of one model mean on the operator's recordings; shares are 0..1, intervals (low, high) of 95 %."""

    layout: int = LAYOUT
    name: str
    model: str
    model_sha256: str
    condition: str  # of the audio: as-is or telephone
    coefficients: tuple[float, float, float, float]  # of 1, score, log net speech, score times log net speech: log odds at even odds
    net_speech_s: tuple[float, float]  # shortest and longest seen; others are clipped
    threshold: float  # on the score
    threshold_interval: tuple[float, float]
    wanted_fmr: float
    fmr: float
    fmr_interval: tuple[float, float]
    fnmr: float
    fnmr_interval: tuple[float, float]
    cllr: float  # on speakers that the regression had not seen
    min_cllr: float
    speakers: int
    recordings: int
    targets: int
    nontargets: int


class CalibratedSpeaker:
    """`model` with the probability and threshold of `calibration`; `PeerError` VS3031 when it was made with another model."""

    def __init__(self, model: SpeakerModel, calibration: Calibration) -> None:
        if calibration.model_sha256 != model.card.sha256:
            made_with, in_use = f"{calibration.model} {calibration.model_sha256[:8]}", f"{model.card.name} {model.card.sha256[:8]}"
            raise PeerError(CALIBRATION_MODEL, f"{calibration.name} was made with {made_with}, in use is {in_use}")
        told = (
            f"{calibration.name}: logistic regression on {calibration.speakers} speakers, {calibration.recordings} recordings, "
            f"{calibration.condition}; threshold: FMR {100 * calibration.wanted_fmr:g} %"
        )
        self.card: Final[Card] = replace(model.card, threshold=calibration.threshold, calibration=told)
        self.rate_hz: Final[int] = model.rate_hz
        self.features: Final[FeatureOptions] = model.features
        self.heavy: Final[bool] = model.heavy
        self._model = model
        self._calibration = calibration

    def embed(self, features: Features, speech: Speech) -> Vector:
        """The model's own."""
        return self._model.embed(features, speech)

    def score(self, one: Vector, other: Vector) -> float:
        """The model's own."""
        return self._model.score(one, other)

    def probability(self, score: float, net_speech_s: float) -> float:
        """0..1 at even odds, as the operator's recordings have it."""
        return 0.5 + 0.5 * tanh(0.5 * self.log_odds(score, net_speech_s))

    def log_odds(self, score: float, net_speech_s: float) -> float:
        """Natural log odds of one speaker, at even odds."""
        shortest, longest = self._calibration.net_speech_s
        log_s = log(min(max(net_speech_s, shortest), longest))
        constant, slope, by_length, slope_by_length = self._calibration.coefficients
        return constant + slope * score + by_length * log_s + slope_by_length * score * log_s


def calibration_text(calibration: Calibration) -> str:
    """The same text for the same calibration."""
    return msgspec.json.format(msgspec.json.encode(calibration), indent=1).decode() + "\n"


def read_calibration(text: bytes) -> Calibration:
    """A calibration from its JSON; `PeerError` VS3030 for anything else, a newer layout included."""
    try:
        found = msgspec.json.decode(text, type=Calibration)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise PeerError(CALIBRATION_FILE, "it is not of the layout this server writes") from None
    shortest, longest = found.net_speech_s
    numbers = (*found.coefficients, found.threshold, shortest, longest)
    if found.layout != LAYOUT or not all(map(isfinite, numbers)) or not 0.0 < shortest <= longest:
        raise PeerError(CALIBRATION_FILE, "it is not of the layout this server writes")
    return found
