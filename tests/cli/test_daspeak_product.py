"""The das-Peak commands and a running server together: a process, a port, an OAuth client, keys, recorded people."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile

from voicestream.cli.prompt import FOLDER, speakers

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = [sys.executable, "-c", "from voicestream.cli.main import main; main()"]


def voicestream(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, env=os.environ | environ)


@dataclass(frozen=True)
class Centre:
    """A contact centre: a folder with its secrets, recordings of two callers, and the environment of its commands."""

    folder: Path
    environ: dict[str, str]

    def client(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return voicestream("client", arguments[0], "--speed", "0", *arguments[1:], **(self.environ | environ))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, "client", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ | self.environ
        )

    def file(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    people = speakers()
    if len(people) < 2:
        pytest.skip(f"no recorded people in {FOLDER}")
    folder = tmp_path_factory.mktemp("centre")
    for place, person in zip(("me", "other"), people, strict=False):
        soundfile.write(folder / f"{place}-enrol.wav", person.enrol.samples, person.enrol.rate_hz)
        soundfile.write(folder / f"{place}.wav", person.test.samples, person.test.rate_hz)
    data = ("--set", f"data_folder={folder}", "--json")
    client = json.loads(voicestream("clients", "add", "centre", *data).stdout)
    key = json.loads(voicestream("keys", "add", "telephony", "--tenant", client["tenant"], *data).stdout)
    hook = json.loads(voicestream("keys", "add", "genesys", "--tenant", client["tenant"], "--audiohook-secret", *data).stdout)
    (folder / "hook-key").write_text(hook["apikey"])
    (folder / "hook-secret").write_text(hook["audiohook_secret"])
    arguments = ["serve", "--host", "127.0.0.1", "--port", "0", "--log-format", "json", "--set", f"data_folder={folder}"]
    process = subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    lines = (line for line in process.stderr if line.startswith("{"))
    serving = next(event for event in map(json.loads, lines) if event["event"] == "serving")
    yield Centre(
        folder,
        {
            "VOICESTREAM_URL": f"http://127.0.0.1:{serving['ports'][0]}",
            "VOICESTREAM_CLIENT_ID": client["client_id"],
            "VOICESTREAM_CLIENT_SECRET": client["client_secret"],
            "VOICESTREAM_APIKEY": key["apikey"],
        },
    )
    process.send_signal(signal.SIGTERM)
    log = list(lines)
    assert process.wait() == 0
    for secret in (client["client_secret"], key["apikey"], hook["apikey"], hook["audiohook_secret"]):
        assert secret not in "".join(log)


@pytest.fixture(scope="module")
def credential(centre: Centre) -> str:
    result = centre.client(
        "register", centre.file("me-enrol.wav"), "-o", centre.file("me.credential"), "--save-audio", centre.file("v.wav")
    )
    assert result.returncode == 0, result.stderr
    assert "Registration: approved" in result.stdout
    return centre.file("me.credential")


def test_the_collected_voice_is_a_recording(centre: Centre, credential: str) -> None:
    voice, rate_hz = soundfile.read(centre.file("v.wav"), dtype="int16")
    assert (len(voice), rate_hz) == (40_960, 8000)  # 5.12 s


@pytest.mark.parametrize("via", ["twilio", "audiohook"])
def test_the_same_voice_is_approved_and_another_is_not(centre: Centre, credential: str, via: str) -> None:
    for who, code, sentence in (("me", 0, "Verification: approved"), ("other", 1, "similarity is too low")):
        result = centre.client("verify", centre.file(f"{who}.wav"), "--credential", credential, "--via", via, "--authenticity", "0")
        assert (result.returncode, sentence in result.stdout) == (code, True), result.stdout + result.stderr


def test_a_signed_audiohook_session(centre: Centre) -> None:
    keys = ("--apikey-file", centre.file("hook-key"))
    asked = ("register", centre.file("me-enrol.wav"), "--via", "audiohook", *keys)
    assert "HTTP 401" in centre.client(*asked).stderr
    assert centre.client(*asked, "--audiohook-secret-file", centre.file("hook-secret")).returncode == 0


@pytest.mark.parametrize(
    "arguments, told",
    [
        (("--duration", "60"), "error-audio, The audio stream ended before enough voice was collected"),
        (("--duration", "61"), "(register_request.audio_total_duration)"),
        (("--model-hash", "none"), "(register_request.model_hash)"),
        (("--call-id", "a" * 129), "(metadata.call_id)"),
    ],
)
def test_the_servers_reason_is_told(centre: Centre, arguments: tuple[str, ...], told: str) -> None:
    result = centre.client("register", centre.file("me.wav"), *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert told in result.stderr


def test_the_audio_side_of_a_call_that_nobody_asks_for(centre: Centre) -> None:
    result = centre.client("twilio", centre.file("me.wav"), "--call-id", "C1")
    assert result.returncode == 2
    assert "closed with 1008, VS1707" in result.stderr


def test_the_audio_side_of_a_call_that_another_client_asks_for(centre: Centre) -> None:
    """Signalling in one process, the call's audio in another, in no order: whoever comes first waits."""
    asking = centre.start("register", "--call-id", "C2")
    assert centre.client("twilio", centre.file("me-enrol.wav"), "--call-id", "C2", "--speed", "8").returncode == 0
    told, _ = asking.communicate(timeout=60)
    assert (asking.returncode, "Registration: approved" in told) == (0, True)
