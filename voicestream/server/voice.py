"""The speaker model that the settings mean, calibrated where they name a calibration."""

from voicestream.models.registry import speaker_model
from voicestream.models.speaker.calibrated import CalibratedSpeaker
from voicestream.models.speaker.model import SpeakerModel
from voicestream.server.config import Settings
from voicestream.store.calibrations import load_calibration


def active_model(settings: Settings) -> SpeakerModel:
    """The model of the setting `model`; `PeerError` VS30xx when it, or its calibration, is not there or not sound."""
    model = bare_model(settings, settings.model)
    if settings.calibration is None:
        return model
    return CalibratedSpeaker(model, load_calibration(settings.data_path(), settings.calibration))


def bare_model(settings: Settings, name: str) -> SpeakerModel:
    """A model by its own name or by one of the setting `configurations`, as its card has it."""
    return speaker_model(settings.model_of(name) or name, settings.data_path())
