"""Which models and calibrations are offered."""

from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from tests.models.test_calibrated import calibration
from voicestream.models.registry import default_speaker_model
from voicestream.models.speaker.calibrated import CalibratedSpeaker
from voicestream.server.config import Settings
from voicestream.server.voice import active_model, offered_calibrations, offered_models
from voicestream.store.calibrations import save_calibration

MODEL = default_speaker_model()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_folder=tmp_path)


def test_a_model_of_many_names_is_offered_once(settings: Settings) -> None:
    assert len(settings.configurations) > 1
    assert offered_models(settings, MODEL) == {MODEL.card.hash: MODEL}


def test_the_active_model_comes_first_and_as_it_is_calibrated(tmp_path: Path) -> None:
    save_calibration(tmp_path, calibration())
    settings = Settings(data_folder=tmp_path, calibration="office")
    active = active_model(settings)
    ((model_hash, offered),) = offered_models(settings, active).items()
    assert (model_hash, offered) == (MODEL.card.hash, active)
    assert offered_calibrations(settings, active)["telephone-channel"].probability(0.3, 4.0) == active.probability(0.3, 4.0)


def test_other_models_follow(settings: Settings) -> None:
    other = CalibratedSpeaker(MODEL, calibration())  # stands for any model that no configuration names
    other.card = replace(MODEL.card, sha256="ab" * 32)  # type: ignore[misc]
    assert [*offered_models(settings, other)] == [bytes.fromhex("ab" * 32), MODEL.card.hash]


def test_both_channels_and_the_operators_calibrations(settings: Settings, tmp_path: Path) -> None:
    assert [*offered_calibrations(settings, MODEL)] == ["telephone-channel", "microphone-channel"]
    save_calibration(tmp_path, calibration())
    save_calibration(tmp_path, calibration(name="elsewhere", model_sha256="00" * 32))
    offered = offered_calibrations(settings, MODEL)
    assert [*offered] == ["telephone-channel", "microphone-channel", "office"]
    assert offered["office"].probability(0.3, 4.0) == CalibratedSpeaker(MODEL, calibration()).probability(0.3, 4.0)
    assert offered["office"].probability(0.3, 4.0) != offered["telephone-channel"].probability(0.3, 4.0)


def test_an_operators_calibration_may_stand_for_a_channel(settings: Settings, tmp_path: Path) -> None:
    save_calibration(tmp_path, calibration(name="telephone-channel"))
    offered = offered_calibrations(settings, MODEL)
    assert [*offered] == ["telephone-channel", "microphone-channel"]
    assert offered["telephone-channel"].probability(0.3, 4.0) != offered["microphone-channel"].probability(0.3, 4.0)


def test_a_damaged_calibration_is_told_and_left_out(settings: Settings, tmp_path: Path) -> None:
    save_calibration(tmp_path, calibration())
    (tmp_path / "calibrations" / "damaged.json").write_text("{}")
    (tmp_path / "calibrations" / "..odd name.json").write_text("{}")
    with structlog.testing.capture_logs() as logged:
        assert [*offered_calibrations(settings, MODEL)] == ["telephone-channel", "microphone-channel", "office"]
    assert [entry["code"] for entry in logged] == ["VS3030"]
