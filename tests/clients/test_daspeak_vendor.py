"""The vendor's two listings, signalling and audio, against the server with real telephone speech (daspeak.md section 6)."""

import ast
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.daspeak import Server, audio_listing, daspeak_server, raw, run, signalling_listing
from tests.clients.speech import Pcm, Person

CALL_ID = "888806c3-3391-4d73-bb86-e5874e6ed5b4"  # of the listing


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with daspeak_server(tmp_path_factory.mktemp("daspeak")) as running:
        yield running
        assert [entry for entry in running.house.log() if entry.get("level") == "error"] == []


@pytest.fixture(scope="module")
def vendor(shared: Path) -> Path:
    return shared / "protocols" / "vendor"


def _place(event: dict[str, Any]) -> float:
    """Where an event belongs: info-consumer-ready, the statuses as voice comes in, the result."""
    return float(event.get("audio_seconds", 100.0 if event["event"].startswith("result") else -1.0))


class Caller:
    """Runs both programs, and gives the events that the first one printed."""

    def __init__(self, vendor: Path, server: Server, folder: Path) -> None:
        self._vendor, self._server, self.folder = vendor, server, folder

    def events(self, speech: Pcm, **replaced: str) -> list[dict[str, Any]]:
        audio = self.folder / "audio.py"
        audio.write_text(audio_listing(self._vendor, self._server, CALL_ID, raw(speech, self.folder / "audio.raw")))
        start = f"import subprocess, sys; subprocess.Popen([sys.executable, {str(audio)!r}], stderr=subprocess.DEVNULL)"
        done = run(signalling_listing(self._vendor, self._server, start, **replaced), self.folder)
        assert (done.returncode, done.stderr) == (0, "")
        lines = done.stdout.replace("}{", "}\n{").split("\n")  # python-socketio calls each handler in a thread of its own
        return sorted((ast.literal_eval(line) for line in lines if line), key=_place)

    def register(self, speech: Pcm) -> list[dict[str, Any]]:
        return self.events(speech)

    def verify(self, speech: Pcm, credential: str) -> list[dict[str, Any]]:
        return self.events(
            speech,
            **{
                "socket.io/register": "socket.io/verify",
                "register_request": "verify_request",
                "'authenticity_threshold': 0.8,": f"'credential': {credential!r},",
                "    elif event == 'result-success':\n        open('collected.wav', 'wb').write(collected_audio)\n": "",
            },
        )


@pytest.fixture
def caller(vendor: Path, server: Server, tmp_path: Path) -> Caller:
    return Caller(vendor, server, tmp_path)


@pytest.fixture(scope="module")
def credential(vendor: Path, server: Server, person: Person, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(Caller(vendor, server, tmp_path_factory.mktemp("enrol")).register(person.enrol)[-1]["credential"])


def test_a_registration_prints_the_documented_events(caller: Caller, person: Person) -> None:
    ready, *statuses, result = caller.register(person.enrol)
    assert ready == {"event": "info-consumer-ready", "content": "Audio consumer for provided audio protocol is ready"}
    assert [(status["audio_seconds"], status["vad_percentage"]) for status in statuses] == [
        (0.0, 0), (0.51, 10), (1.02, 20), (1.54, 30), (2.05, 40), (2.56, 51), (3.07, 61), (3.58, 71), (4.1, 81), (4.61, 92), (5.12, 102),
    ]  # fmt: skip
    assert list(result) == ["event", "authenticity", "voice_audio_collected", "content", "credential"]
    assert (result["event"], result["voice_audio_collected"], result["content"]) == ("result-success", 5.12, "Registration: approved")
    with wave.open(str(caller.folder / "collected.wav")) as collected:
        assert (collected.getframerate(), collected.getnframes()) == (8000, 10 * 4096)


def test_the_same_speaker_is_approved(caller: Caller, person: Person, credential: str) -> None:
    result = caller.verify(person.test, credential)[-1]
    assert (result["event"], result["content"], result["score"]) == ("result-success", "Verification: approved", result["similarity"])


def test_another_speaker_is_rejected_by_the_score(caller: Caller, crowd: list[Person], credential: str) -> None:
    result = caller.verify(crowd[3].test, credential)[-1]
    assert (result["event"], result["content"]) == ("result-fail-score", "Verification: rejected")
    assert result["score"] < 0.1


def test_a_synthetic_voice_is_rejected_as_a_spoof(caller: Caller, synthetic: Pcm, credential: str) -> None:
    result = caller.verify(synthetic, credential)[-1]
    assert (result["event"], result["content"]) == ("result-fail-spoof", "Verification: rejected")
    assert result["authenticity"] < 0.5


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Pcm:
    """espeak-ng, as a telephone has it."""
    import shutil

    import numpy as np
    import soundfile
    import soxr

    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed: scripts/test installs it")
    file = tmp_path_factory.mktemp("synthetic") / "said.wav"
    text = "My voice is my password, and this sentence is long enough for the system to hear that I am no human being at all. " * 3
    subprocess.run(["espeak-ng", "-w", str(file), text], check=True)
    samples, rate_hz = soundfile.read(file, dtype="int16")
    return np.asarray(soxr.resample(samples, rate_hz, 8000), np.int16)
