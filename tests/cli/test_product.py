"""The command line and a running server together, as a person uses them: a process, a port, recorded people."""

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from voicestream.cli.prompt import FOLDER, Speaker, speakers

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = [sys.executable, "-c", "from voicestream.cli.main import main; main()"]


def voicestream(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def people() -> list[Speaker]:
    found = speakers()
    if len(found) < 2:
        pytest.skip(f"no recorded people in {FOLDER}")
    return found


@pytest.fixture(scope="module")
def files(people: list[Speaker], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("speech")
    for place, person in zip(("me", "other"), people, strict=False):
        soundfile.write(folder / f"{place}-enrol.wav", person.enrol.samples, person.enrol.rate_hz)
        soundfile.write(folder / f"{place}.wav", person.test.samples, person.test.rate_hz)
    return {file.stem: str(file) for file in folder.iterdir()} | {"template": str(folder / "me.template")}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    arguments = ["serve", "--host", "127.0.0.1", "--port", "0", "--log-format", "json"]
    process = subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    events = (json.loads(line) for line in process.stderr)
    serving = next(event for event in events if event["event"] == "serving")
    yield f"http://127.0.0.1:{serving['ports'][0]}"
    process.send_signal(signal.SIGTERM)
    last = [event["event"] for event in events][-1]  # reads until the process has ended
    assert (process.wait(), last) == (0, "ended")


def test_enrol_and_verify_without_a_server(files: dict[str, str]) -> None:
    enrolled = voicestream("enrol", files["me-enrol"], "-o", files["template"])
    assert (enrolled.returncode, enrolled.stdout) == (0, "")
    assert "me-enrol.wav: speech 2" in enrolled.stderr
    same, other = voicestream("verify", files["template"], files["me"]), voicestream("verify", files["template"], files["other"])
    assert (same.returncode, "the same voice" in same.stdout) == (0, True)
    assert (other.returncode, "another voice" in other.stdout) == (1, True)


def test_a_template_that_is_none_is_an_error_not_another_voice(files: dict[str, str]) -> None:
    result = voicestream("verify", files["me"], files["me"])
    assert result.returncode == 2
    assert result.stderr.startswith("VS30")


def test_too_little_speech_is_told_in_seconds(tmp_path: Path, people: list[Speaker]) -> None:
    soundfile.write(tmp_path / "short.wav", people[0].test.samples[:6000], 8000)
    result = voicestream("enrol", str(tmp_path / "short.wav"), "-o", str(tmp_path / "t"))
    assert result.returncode == 2
    assert "1.00 s needed" in result.stderr
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("codec", [(), ("--opus",)])
def test_endpoints_of_a_running_server(url: str, files: dict[str, str], codec: tuple[str, ...]) -> None:
    result = voicestream("client", "endpoint", files["me"], "--url", url, *codec)
    assert result.returncode == 0, result.stderr
    assert "utterance 1 ended" in result.stdout
    assert " endpoint" in result.stdout.splitlines()[-1]


def test_a_summary_of_a_running_server(url: str, files: dict[str, str]) -> None:
    result = voicestream("client", "summary", files["me"], "--url", url)
    assert (result.returncode, result.stdout.startswith("speech ")) == (0, True)
    answers = voicestream("client", "summary", files["me"], "--url", url, "--json").stdout.splitlines()
    assert json.loads(answers[-1])["speech_length"] > 3


@pytest.mark.parametrize("codec", [(), ("--opus",)])
def test_verification_by_a_running_server(url: str, files: dict[str, str], codec: tuple[str, ...]) -> None:
    for who, code in (("me", 0), ("other", 1)):
        result = voicestream("client", "verify", files[who], "--enrol", files["me-enrol"], "--url", url, *codec)
        assert result.returncode == code, result.stderr


def test_an_enrolment_that_the_server_refuses_tells_its_reason(url: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", [0.0] * 16_000, 8000)
    result = voicestream("client", "verify", str(tmp_path / "silence.wav"), "--enrol", str(tmp_path / "silence.wav"), "--url", url)
    assert result.returncode == 2
    assert "HTTP 422, VS" in result.stderr


def test_no_server_is_an_error_with_a_number(files: dict[str, str]) -> None:
    result = voicestream("client", "summary", files["me"], "--url", "http://127.0.0.1:1")
    assert result.returncode == 2
    assert result.stderr.startswith("VS1021 ")


def test_a_taken_port_is_an_error_with_a_number(url: str) -> None:
    result = voicestream("serve", "--host", "127.0.0.1", "--port", url.rpartition(":")[2])
    assert result.returncode == 2
    assert result.stderr.startswith("VS1006 ")


def test_the_sessions_are_counted(url: str) -> None:
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        page = answer.read().decode()
    assert 'voicestream_build_info{model="mfcc"' in page
    assert 'voicestream_messages_total{direction="in",operation="speech_summary_stream",protocol="idvoice"}' in page


def test_a_running_server_loads_neither_training_nor_terminal_code() -> None:
    code = (
        "import sys; from voicestream.server import logs, app\n"
        "print(sorted({'scipy.signal', 'scipy.stats', 'torch', 'rich', 'av', 'soundfile', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.slow
def test_the_demo_tells_every_voice_from_every_other(people: list[Speaker]) -> None:
    result = voicestream("demo")
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(people) >= 4
