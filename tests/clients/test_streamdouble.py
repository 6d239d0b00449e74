"""streamdouble, a simulator of Twilio's side, as a process: it finds nothing to complain about."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import trio

from tests.server.consumer import TWILIO_PATH, Ear, House, consumers

CALL = "CA0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c0e"
FRAME_BYTES = 160
_COMMAND = [sys.executable, "-c", "import sys; from streamdouble.cli import main; sys.exit(main())", "call"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with consumers(tmp_path) as house:
        yield house


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """Two seconds of a tone at 8 kHz."""
    path = tmp_path / "tone.wav"
    soundfile.write(path, (8000 * np.sin(np.arange(16_000) / 5)).astype(np.int16), 8000)
    return path


async def call(port: int, key: str, audio: Path, *flags: str) -> tuple[int, dict[str, Any]]:
    """Its exit code and its report."""
    url = f"ws://127.0.0.1:{port}{TWILIO_PATH}"
    parameters = ["--param", f"apikey={key}", "--param", f"call_id={CALL}"]
    command = [*_COMMAND, url, "--audio", str(audio), "--fork", *parameters, "--allow-no-audio", "--json", *flags]
    with trio.fail_after(60):
        done = await trio.run_process(command, capture_stdout=True, stderr=subprocess.DEVNULL, check=False)
    return done.returncode, json.loads(done.stdout)


async def test_we_close_when_there_is_voice_enough(house: House, wav: Path) -> None:
    ear = Ear(CALL, wanted=50 * FRAME_BYTES)
    house.switchboard.ask("acme", ear)
    async with house.port() as port:
        code, report = await call(port, house.key("acme"), wav)
    told = {name: report[name] for name in ("closed_by", "closed_early", "media_frames_received", "violations")}
    assert (code, told) == (0, {"closed_by": "agent", "closed_early": True, "media_frames_received": 0, "violations": []})
    assert len(ear.heard) == 50 * FRAME_BYTES
    house.switchboard.release("acme", ear)


async def test_the_whole_recording_comes_at_its_own_pace_and_only_the_callers_track(house: House, wav: Path) -> None:
    ear = Ear(CALL)
    house.switchboard.ask("acme", ear)
    async with house.port() as port:
        code, report = await call(port, house.key("acme"), wav, "--track", "both", "--agent-audio", str(wav))
    assert (code, report["violations"]) == (0, [])
    assert (len(ear.heard), ear.lost) == (16_000, [None])
    house.switchboard.release("acme", ear)


async def test_loss_and_jitter_are_borne_and_counted(house: House, wav: Path) -> None:
    ear = Ear(CALL)
    house.switchboard.ask("acme", ear)
    async with house.port() as port:
        flags = ("--packet-loss", "0.05", "--jitter", "40", "--chaos-seed", "1")
        code, report = await call(port, house.key("acme"), wav, *flags)
    assert (code, report["violations"]) == (0, [])
    assert 14_000 < len(ear.heard) < 16_000
    house.switchboard.release("acme", ear)


async def test_a_wrong_key_is_refused(house: House, wav: Path) -> None:
    async with house.port() as port:
        _, report = await call(port, "wrong", wav)
    assert report["closed_by"] == "agent"
    assert house.figures.refused == {("twilio", "key"): 1}
