"""The networks and their features give what the reference packages give, to 1e-4.

The numbers in golden_speaker.json are outputs of the packages it names, made once on `signal()`. What needs the
weights runs where they are installed (setting data_folder), else it is skipped.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from voicestream.dsp.cosine import unit
from voicestream.models.installation import is_installed
from voicestream.models.registry import network_of
from voicestream.models.speaker.ecapa import log_mel
from voicestream.models.speaker.filterbank import hann, power, slaney_bands
from voicestream.models.speaker.ge2e import Ge2e
from voicestream.server.setting_source import load

GOLDEN = json.loads(Path(__file__).with_name("golden_speaker.json").read_text())
SHORT = 9000  # samples: less than a piece
FRAMES = (0, 150)


def signal() -> NDArray[np.float32]:
    """Four seconds of something that buzzes, moves and swells like a voice."""
    time = np.arange(64000) / 16000
    pitch = 2 * np.pi * np.cumsum(120 + 20 * np.sin(2 * np.pi * 0.7 * time)) / 16000
    formant_hz = 700 + 400 * np.sin(2 * np.pi * 1.3 * time)
    buzz = sum(np.cos(k * pitch) / (k * (1 + ((k * 120 - formant_hz) / 400) ** 2)) for k in range(1, 40))
    return (0.05 * buzz * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time))).astype(np.float32)


def network(name: str) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    folder = load().settings.data_path()
    if not is_installed(folder, name):
        pytest.skip(f"{name} is not installed: voicestream models install {name}")
    made = network_of(name, folder)
    return made.utterance if isinstance(made, Ge2e) else made


def test_mel_power_is_librosas() -> None:
    mel = power(signal(), hann()) @ slaney_bands(40)
    np.testing.assert_allclose(mel[list(FRAMES)], GOLDEN["ge2e_mel"], rtol=1e-4, atol=1e-7)


def test_log_mel_is_speechbrains() -> None:
    np.testing.assert_allclose(log_mel(signal())[list(FRAMES)], GOLDEN["ecapa_fbank"], atol=5e-3)  # dB


@pytest.mark.parametrize("name", ["ge2e", "ecapa"])
def test_voices_are_the_reference_packages(name: str) -> None:
    embed = network(name)
    np.testing.assert_allclose(unit(embed(signal())), GOLDEN[name], atol=1e-4)
    np.testing.assert_allclose(unit(embed(signal()[:SHORT])), GOLDEN[f"{name}_short"], atol=1e-4)
