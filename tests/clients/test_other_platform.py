"""The vendor's program for other platforms, printed in its documentation, with our URL, key, call_id and file.

The listing is not ours to keep: it is taken out of the shared folder, and skipped where that is missing. As printed it runs
against no server at all: its last lines call the program's object `client`, which hides the module of that name that
it connects with. So they are given another name here; nothing else of it is touched.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from tests.server.consumer import TWILIO_PATH, Ear, House, consumers

CALL = "4fd9e9af-dd71-4177-be31-0bc5041221be"
SECONDS = 30


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with consumers(tmp_path) as house:
        yield house


@pytest.fixture
def listing(shared: Path) -> str:
    text = (shared / "protocols" / "vendor" / "daspeak-other-platforms.txt").read_text()
    found = re.search(r"^# example\.py$.*?^client\.run\(call_id=CALL_ID, filename=FILENAME\)$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[0]


async def run(folder: Path, listing: str, port: int, key: str, audio: bytes) -> str:
    """What it prints on standard error."""
    (folder / "audio.raw").write_bytes(audio)
    ours = {"URL": f"ws://127.0.0.1:{port}{TWILIO_PATH}", "APIKEY": key, "CALL_ID": CALL, "FILENAME": str(folder / "audio.raw")}
    for name, value in ours.items():
        listing, changed = re.subn(rf'^{name} = ".*"$', f"{name} = {value!r}", listing, flags=re.MULTILINE)
        assert changed == 1
    listing, changed = re.subn(r"^client(?= = Client\(|\.run\()", "program", listing, flags=re.MULTILINE)
    assert changed == 2
    (folder / "example.py").write_text(listing)
    with trio.fail_after(60):
        command = [sys.executable, "-W", "ignore::DeprecationWarning", str(folder / "example.py")]
        done = await trio.run_process(command, capture_stderr=True, stdout=subprocess.DEVNULL, check=False)
    return done.stderr.decode()


async def test_a_session_that_has_enough_ends_it(house: House, listing: str, tmp_path: Path) -> None:
    ear = Ear(CALL, wanted=10 * 8000)
    house.switchboard.ask("acme", ear)
    audio = bytes(range(256)) * (SECONDS * 8000 // 256)
    async with house.port() as port:
        said = await run(tmp_path, listing, port, house.key("acme"), audio)
    assert said.splitlines()[-1].startswith("websockets.exceptions.ConnectionClosedOK: received 1000 (OK)")  # as printed, in the good case
    assert audio.startswith(bytes(ear.heard))
    assert 10 * 8000 <= len(ear.heard) < 10 * 8000 + 768
    house.switchboard.release("acme", ear)


async def test_a_file_pushed_ahead_of_the_question_is_heard_whole(house: House, listing: str, tmp_path: Path) -> None:
    audio = bytes(range(256)) * (SECONDS * 8000 // 256)
    ear = Ear(CALL, wanted=len(audio))

    async def ask_late() -> None:
        while house.held_s < 5:  # noqa: ASYNC110 - then no more is read; nothing tells
            await trio.sleep(0.01)
        house.switchboard.ask("acme", ear)

    async with house.port() as port, trio.open_nursery() as nursery:
        nursery.start_soon(ask_late)
        nursery.cancel_scope.deadline = trio.current_time() + 60
        said = await run(tmp_path, listing, port, house.key("acme"), audio)
    assert "ConnectionClosedOK" in said
    assert bytes(ear.heard) == audio
    house.switchboard.release("acme", ear)


async def test_a_wrong_key_is_refused_with_401(house: House, listing: str, tmp_path: Path) -> None:
    async with house.port() as port:
        said = await run(tmp_path, listing, port, "wrong", b"\xff" * 8000)
    assert "401" in said.splitlines()[-1]
