"""A server in a process of its own, and recorded people to stream to it."""

from collections.abc import Iterator

import pytest

from benchmarks.house import house
from tests.clients.speech import Person, people
from voicestream.cli.prompt import FOLDER


@pytest.fixture(scope="session")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a running server, which must not have logged an error of its own when all is over."""
    with house(tmp_path_factory.mktemp("served") / "log", allow_cors="true", component_template_converter="true") as running:
        yield running.port
        assert [entry for entry in running.log() if entry.get("level") == "error" or entry["event"] == "no JSON"] == []


@pytest.fixture(scope="session")
def crowd() -> list[Person]:
    """At least four voices."""
    found = people()
    if len(found) < 4:
        pytest.skip(f"not four recorded people in {FOLDER}: scripts/test installs them")
    return found


@pytest.fixture(scope="session")
def person(crowd: list[Person]) -> Person:
    return crowd[0]
