"""The acoustic model, where its package is installed; sentences by espeak-ng."""

import shutil
import subprocess
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from voicestream.codecs.containers import decode_file
from voicestream.dsp.resample import resample
from voicestream.models.speech import package
from voicestream.models.speech.aligner import Aligner, aligner

Say = Callable[[str], NDArray[np.float32]]


@pytest.fixture(scope="session", autouse=True)
def model_installed() -> None:
    if not package.is_installed():
        pytest.skip("pocketsphinx is not installed")


@pytest.fixture(scope="session")
def english() -> Aligner:
    return aligner()


@pytest.fixture(scope="session")
def say() -> Say:
    """Text, or espeak-ng's phonemes in [[ ]], to samples (n,) float32 at 16 kHz."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")

    @cache
    def spoken(text: str) -> NDArray[np.float32]:
        command = ["espeak-ng", "-v", "en-us", "-s", "150", "--stdout", text]
        samples, rate_hz = decode_file(subprocess.run(command, check=True, capture_output=True).stdout)
        return resample(samples, rate_hz, 16000)

    return spoken
