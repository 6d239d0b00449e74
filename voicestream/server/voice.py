"""The speaker models that the settings mean, calibrated where they name a calibration, and what of them is offered."""

from typing import Final

import structlog

from voicestream.errors import PeerError
from voicestream.models.registry import speaker_model
from voicestream.models.speaker.calibrated import CalibratedSpeaker
from voicestream.models.speaker.model import SpeakerModel
from voicestream.server.config import Settings
from voicestream.store.calibrations import calibration_names, load_calibration

CHANNELS: Final = ("telephone-channel", "microphone-channel")  # das-Peak's own names of calibrations, its default first

_log = structlog.get_logger()


def active_model(settings: Settings) -> SpeakerModel:
    """The model of the setting `model`; `PeerError` VS30xx when it, or its calibration, is not there or not sound."""
    model = bare_model(settings, settings.model)
    if settings.calibration is None:
        return model
    return CalibratedSpeaker(model, load_calibration(settings.data_path(), settings.calibration))


def bare_model(settings: Settings, name: str) -> SpeakerModel:
    """A model by its own name or by one of the setting `configurations`, as its card has it."""
    return speaker_model(settings.model_of(name) or name, settings.data_path())


def offered_models(settings: Settings, active: SpeakerModel) -> dict[bytes, SpeakerModel]:
    """By the hash of their weights: the active model first, then each other one that the setting `configurations` names."""
    offered = {active.card.hash: active}
    for name in settings.configurations.values():
        model = bare_model(settings, name)
        offered.setdefault(model.card.hash, model)
    return offered


def offered_calibrations(settings: Settings, model: SpeakerModel) -> dict[str, SpeakerModel]:
    """The model under each name of a calibration that it has.

    Both channels' names mean the one it is in use with: the models' own were found on telephones and microphones alike.
    A calibration of the operator's goes by its own name, which may be a channel's.
    """
    offered = dict.fromkeys(CHANNELS, model)
    bare = bare_model(settings, model.card.name)
    for name in calibration_names(settings.data_path()):
        try:
            calibration = load_calibration(settings.data_path(), name)
        except PeerError as error:
            _log.warning(error.fault.sentence, code=error.fault.code, detail=error.detail)
            continue
        if calibration.model_sha256 == bare.card.sha256:
            offered[name] = CalibratedSpeaker(bare, calibration)
    return offered
