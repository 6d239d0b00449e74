"""Each row of the HTTP table by curl, the way a shell recipe does it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.lockstep import wav
from tests.clients.speech import Person

FACTORY = "voice_template_factory"
FILE = "-F wav_file=@speech.wav"
SAMPLES = "--data-binary @speech.pcm -H 'Content-Type: application/octet-stream'"


class Shell:
    """Runs a line of shell in a folder with recordings in it; `$url` is the server."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url

    def __call__(self, line: str) -> str:
        script = f"set -euo pipefail; url={self._url}; {line}"
        done = subprocess.run(["bash", "-c", script], cwd=self._folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write(self, name: str, value: object) -> None:
        """A file of JSON."""
        (self._folder / name).write_text(json.dumps(value))

    def json(self, line: str) -> Any:
        return json.loads(self(line))


@pytest.fixture(scope="module")
def shell(port: int, person: Person, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    if shutil.which("curl") is None:
        pytest.skip("no curl")
    folder = tmp_path_factory.mktemp("shell")
    samples = person.at("enrol", 16000)[: 15 * 16000]
    (folder / "speech.wav").write_bytes(wav(samples, 16000))
    (folder / "speech.pcm").write_bytes(samples.astype("<i2").tobytes())
    shell = Shell(folder, f"http://127.0.0.1:{port}")
    shell(f"curl -sf {FILE} $url/{FACTORY}/create_voice_template_from_file >quoted")
    shell(f"curl -sf {FILE} $url/{FACTORY}/create_voice_template_from_file?bare=true >bare")
    return shell


def test_a_template_of_a_file_and_of_its_samples_is_one_voice(shell: Shell) -> None:
    shell(f'curl -sf {SAMPLES} "$url/{FACTORY}/create_voice_template_from_samples?sample_rate=16000" | cmp - quoted')
    shell("printf '\"%s\"' $(cat bare) | cmp - quoted")
    shell(f"curl -sf -H 'Accept: text/plain' -F audio_file=@speech.wav $url/{FACTORY}/create_voice_template_from_file | cmp - bare")


def test_the_old_generation_makes_the_same_template(shell: Shell) -> None:
    shell(f'curl -sf {FILE} "$url/verify_engine/create_voice_template_from_file?channel_type=&configuration=" | cmp - quoted')


@pytest.mark.parametrize("path", ["voice_template_matcher/match_voice_templates", "verify_engine/verify"])
@pytest.mark.parametrize("one, other", [("bare", "bare"), ("quoted", "bare"), ("quoted", "quoted")])
def test_a_template_matches_itself_with_quotes_and_without(shell: Shell, path: str, one: str, other: str) -> None:
    # What `jo template1=$t template2=$t` writes.
    shell.write("pair", {"template1": shell(f"cat {one}"), "template2": shell(f"cat {other}")})
    found = shell.json(f"curl -sf --json @pair $url/{path}")
    assert found["score"] >= 0.99999
    assert found["probability"] > 0.999


def test_templates_merge_and_convert_to_templates(shell: Shell) -> None:
    template = shell.json("cat quoted")
    shell.write("templates", {"voice_templates": [template, template]})
    shell.write(
        "pair", {"template1": shell.json(f"curl -sf --json @templates $url/{FACTORY}/merge_voice_templates"), "template2": template}
    )
    assert shell.json("curl -sf --json @pair $url/voice_template_matcher/match_voice_templates")["score"] >= 0.99999
    shell("curl -sf --json @quoted $url/voice_template_converter/convert_voice_template | cmp - quoted")


@pytest.mark.parametrize("suffix, body", [("_from_file", FILE), ("_from_samples?sample_rate=16000", SAMPLES)])
def test_speech_is_measured(shell: Shell, suffix: str, body: str) -> None:
    quality = shell.json(f"curl -sf {body} $url/{FACTORY}/check_quality{suffix}")
    assert (quality["quality_short_description"], quality["obtained_values"]["SpeechLength"] > 5000) == ("OK", True)
    summary = shell.json(f"curl -sf {body} $url/speech_summary_engine/get_speech_summary{suffix}")
    assert summary["total_length"] == 15.0
    assert summary["speech_signal_length"] * 1000 == pytest.approx(quality["obtained_values"]["SpeechLength"], abs=200)
    snr_db = shell.json(f"curl -sf {body} $url/snr_computer/compute_with{suffix.removeprefix('_from')}")
    assert snr_db == quality["obtained_values"]["SNR"] > 10


def test_the_server_tells_about_itself(shell: Shell) -> None:
    assert shell.json("curl -sf $url/core/get_build_info/")["components"] == ["verify", "media", "liveness", "template_converter"]
    assert shell.json("curl -sf $url/core/get_expiration_date") == "2099-12-31"
    assert shell.json("curl -sf $url/openapi.json")["openapi"].startswith("3.")
    assert "swagger" in shell("curl -sf $url/swagger-ui.html")
    assert shell.json("curl -sf $url/healthz")


def test_a_refusal_is_numbered_and_says_what_is_wrong(shell: Shell) -> None:
    head, _, body = shell(f"curl -s -i {SAMPLES} $url/{FACTORY}/create_voice_template_from_samples").partition("\n\n")
    assert head.startswith("HTTP/1.1 400 ")
    assert json.loads(body)["message"].startswith("VS14")


def test_a_browser_may_ask_from_anywhere(shell: Shell) -> None:
    preflight = "-X OPTIONS -H 'Origin: http://elsewhere' -H 'Access-Control-Request-Method: POST'"
    head = shell(
        f"curl -sf -i {preflight} -H 'Access-Control-Request-Headers: content-type' $url/{FACTORY}/create_voice_template_from_samples"
    )
    assert "access-control-allow-origin: *" in head.lower()
    assert "content-type" in head.lower()
