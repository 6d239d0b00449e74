"""What every test may ask for: slow and fuzz runs, and the project's shared measurements and speech."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import voicestream  # noqa: F401  holds BLAS to one thread, which it must before numpy is loaded: two wait for each other on a full machine

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests that take more than a few seconds as well")
    parser.addoption("--fuzz", action="store_true", help="run the tests with many random inputs as well")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for name in ("slow", "fuzz"):
        if not config.getoption(f"--{name}"):
            skip = pytest.mark.skip(reason=f"{name} test: scripts/test --{name}")
            for item in items:
                if item.get_closest_marker(name):  # its keywords have the names of folders too
                    item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def data_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Servers under test keep their clients and keys in a folder of this run; the installed models are still found."""
    from voicestream.server.config import Settings

    home = tmp_path_factory.mktemp("data_home")
    (home / "voicestream").mkdir(mode=0o700)
    if (models := Settings().data_path() / "models").is_dir():
        (home / "voicestream" / "models").symlink_to(models)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(home))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder ../shared; the test is skipped, and says so, where it is not there."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is missing")
    return SHARED
