"""Fixtures: somebody who speaks."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.clients.speech import people
from voicestream.cli.prompt import FOLDER


@pytest.fixture(scope="session")
def voice() -> NDArray[np.int16]:
    """(n,) int16 at 16 kHz: 4 s of speech."""
    found = people()
    if not found:
        pytest.skip(f"no recorded people in {FOLDER}: scripts/test installs them")
    return np.asarray(found[0].at("test", 16000)[: 16000 * 4])
