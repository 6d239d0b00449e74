"""What all command tests share."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def buzzing_people() -> Iterator[None]:
    """People who do not exist buzz more than they speak: the commands take them for voices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOICESTREAM_MIN_VOICE", "0")
        yield
