"""`voicestream calibrate` and what uses its result, on people who do not exist."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.cli.people import write
from voicestream.cli.main import app
from voicestream.server.config import Settings
from voicestream.server.voice import active_model

ROOT = Path(__file__).resolve().parent.parent.parent
PEOPLE, TAKES = 12, 3


def run(*arguments: object):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("people"), PEOPLE, TAKES)


@pytest.fixture(scope="module")
def data(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the calibration `office`, and its page beside it."""
    folder = tmp_path_factory.mktemp("data")
    result = run("calibrate", people, "--fmr", 0.1, "--name", "office", "--set", f"data_folder={folder}", "--out", folder / "page")
    assert result.exit_code == 0, result.output
    assert "saved: " in result.stdout
    return folder


def test_the_threshold_lets_in_what_was_asked_for(data: Path) -> None:
    found = json.loads((data / "calibrations" / "office.json").read_text())
    assert found["fmr"] <= 0.1
    low, high = found["threshold_interval"]
    assert low <= found["threshold"] <= high
    assert (found["speakers"], found["targets"], found["nontargets"]) == (PEOPLE, PEOPLE * TAKES, PEOPLE * TAKES * (PEOPLE - 1))
    assert "date" not in json.dumps(found)


def test_the_page_and_its_curves_are_there(data: Path) -> None:
    assert {file.name for file in (data / "page").iterdir()} == {
        "index.html", "report.json", "det.png", "histogram.png", "reliability.png",
    }  # fmt: skip


def test_the_same_recordings_give_the_same_calibration(people: Path, data: Path, tmp_path: Path) -> None:
    lines = [f"{file.parent.name},{file}" for file in sorted(people.rglob("*.wav"), reverse=True)]
    (tmp_path / "people.csv").write_text("speaker,file\n" + "\n".join(lines))
    chosen = ("--set", f"data_folder={tmp_path}", "--json")
    assert run("calibrate", tmp_path / "people.csv", "--fmr", 0.1, "--name", "office", *chosen).exit_code == 0
    assert (tmp_path / "calibrations" / "office.json").read_bytes() == (data / "calibrations" / "office.json").read_bytes()


def test_too_few_trials_give_no_number_but_what_is_missing(people: Path, tmp_path: Path) -> None:
    result = run("calibrate", people, "--fmr", 0.001, "--set", f"data_folder={tmp_path}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("VS1043 ")
    assert "more speakers" in result.stderr
    assert not (tmp_path / "calibrations").exists()


def test_the_settings_put_it_to_use(data: Path) -> None:
    found = json.loads((data / "calibrations" / "office.json").read_text())
    model = active_model(Settings(calibration="office", data_folder=data))
    assert model.card.threshold == found["threshold"]
    assert model.card.sha256 == active_model(Settings()).card.sha256


def test_a_running_server_answers_with_its_probabilities(people: Path, data: Path, tmp_path: Path) -> None:
    here = ("--set", f"data_folder={data}")
    for name, take in (("one", 0), ("other", 1)):
        assert run("enrol", people / "p00" / f"{take}.wav", "-o", tmp_path / name).exit_code == 0
    told = run("verify", tmp_path / "one", people / "p00" / "1.wav", "--calibration", "office", *here).stdout
    command = [sys.executable, "-c", "from voicestream.cli.main import main; main()", "serve", "--host", "127.0.0.1", "--port", "0"]
    command += ["--log-format", "json", "--set", "calibration=office", *here]
    server = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        port = next(event["ports"][0] for event in map(json.loads, server.stderr) if event["event"] == "serving")
        body = json.dumps({"template1": (tmp_path / "one").read_text().strip(), "template2": (tmp_path / "other").read_text().strip()})
        url = f"http://127.0.0.1:{port}/voice_template_matcher/match_voice_templates"
        request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.load(answer)
    finally:
        server.terminate()
        server.communicate(timeout=60)
    assert f"probability {found['probability']:.4f}" in told
    uncalibrated = run("verify", tmp_path / "one", people / "p00" / "1.wav").stdout
    assert told.split("probability ")[1] != uncalibrated.split("probability ")[1]


def test_verify_decides_by_its_threshold(people: Path, data: Path, tmp_path: Path) -> None:
    here = ("--set", f"data_folder={data}")
    assert run("enrol", people / "p00" / "0.wav", people / "p00" / "1.wav", "-o", tmp_path / "me").exit_code == 0
    threshold = json.loads((data / "calibrations" / "office.json").read_text())["threshold"]
    for other in ("p00/2.wav", "p05/2.wav"):
        result = run("verify", tmp_path / "me", people / other, "--calibration", "office", *here)
        score = float(result.stdout.split()[-1])
        assert result.exit_code == (0 if score >= threshold else 1)


def test_evaluate_judges_it(people: Path, data: Path, tmp_path: Path) -> None:
    (tmp_path / "trials.txt").write_text("1 p00/0 p00/1\n0 p00/0 p01/1\n")
    here = ("--audio", people, "--set", f"data_folder={data}", "--json")
    told = json.loads(run("evaluate", tmp_path / "trials.txt", "--calibration", "office", *here).stdout)["reports"][0]
    threshold = json.loads((data / "calibrations" / "office.json").read_text())["threshold"]
    assert told["scores"] == "mfcc with office"
    assert told["decisions"][0]["rule"] == f"score ≥ {threshold:.3g}"


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("config",), ("verify", "a", "b")])
def test_one_of_another_model_is_refused_at_the_start(command: tuple[str, ...], data: Path, tmp_path: Path) -> None:
    found = json.loads((data / "calibrations" / "office.json").read_text())
    (tmp_path / "calibrations").mkdir()
    (tmp_path / "calibrations" / "office.json").write_text(json.dumps(found | {"model_sha256": "ab" * 32}))
    here = ("--set", f"data_folder={tmp_path}", "--set", "calibration=office")
    result = run(*command, *here)
    assert (result.exit_code, result.stderr.split()[0]) == (2, "VS3031")
    assert run(*command, "--set", f"data_folder={tmp_path}", "--set", "calibration=home").stderr.startswith("VS3030 ")


def test_one_that_is_no_longer_good_does_not_stop_a_new_one(people: Path, tmp_path: Path) -> None:
    chosen = ("--set", f"data_folder={tmp_path}", "--set", "calibration=gone", "--json")
    assert run("calibrate", people, "--fmr", 0.1, *chosen).exit_code == 0


def test_what_holds_no_speakers_ends_with_a_number(tmp_path: Path) -> None:
    (tmp_path / "twice.csv").write_text("a,x.wav\nb,x.wav\n")
    (tmp_path / "broken.csv").write_text("a,b,c\n")
    (tmp_path / "empty").mkdir()
    for place in ("twice.csv", "broken.csv", "empty"):
        assert run("calibrate", tmp_path / place).stderr.startswith("VS1044 ")
    assert run("calibrate", tmp_path / "nothing").stderr.startswith("VS1020 ")
    assert run("calibrate", tmp_path / "empty", "--name", "../up").stderr.startswith("VS3030 ")
