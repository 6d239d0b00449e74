"""`voicestream evaluate` as a person uses it, on people who do not exist."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from tests.cli.people import write
from voicestream.cli.main import app

PEOPLE, TAKES = 6, 3


def run(*arguments: object, **environ: str):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)], env=environ)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("people"), PEOPLE, TAKES)


@pytest.fixture(scope="module")
def listed(folder: Path) -> Path:
    """Everybody's first take against everybody's others, as VoxCeleb writes it."""
    lines = [
        f"{int(one == other)} p{one:02}/0.wav p{other:02}/{take}.wav"
        for one in range(PEOPLE)
        for other in range(PEOPLE)
        for take in range(1, TAKES)
    ]
    (folder / "trials.txt").write_text("\n".join(lines))
    return folder / "trials.txt"


def report(*arguments: object) -> dict[str, object]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def written(listed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a measurement leaves."""
    folder = tmp_path_factory.mktemp("evaluation")
    result = run(listed, "--out", folder)
    assert result.exit_code == 0, result.output
    assert "Discrimination and calibration" in result.stdout
    return folder


def test_a_list_of_recordings_gives_figures_and_curves(written: Path) -> None:
    found = json.loads((written / "report.json").read_text())["reports"][0]
    assert (found["targets"], found["nontargets"], found["unscored"]) == (PEOPLE * 2, PEOPLE * (PEOPLE - 1) * 2, 0)
    assert found["eer"] < 0.2
    assert found["cllr"] >= found["min_cllr"]
    assert {rule["rule"] for rule in found["decisions"]} == {"score ≥ 0.312", "probability ≥ 0.5"}
    for name in ("det", "histogram", "reliability"):
        assert (written / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_needs_no_other_file_and_no_network(written: Path) -> None:
    page = (written / "index.html").read_text()
    addresses: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "link", "iframe")
            addresses.extend(value or "" for name, value in attributes if name in ("src", "href"))

    Reader().feed(page)
    assert len(addresses) == 3
    assert all(address.startswith("data:image/svg+xml;base64,") for address in addresses)
    assert "sha256" in page, "the model's card"


def test_its_own_scores_measure_the_same(listed: Path, written: Path) -> None:
    own = json.loads((written / "report.json").read_text())["reports"][0]
    again = report(listed, "--scores", written / "scores.csv")["reports"][0]
    for name in ("eer", "eer_interval", "min_dcf", "cllr", "min_cllr"):
        assert again[name] == pytest.approx(own[name], rel=1e-6), name


def test_a_trial_scores_as_verify_does(folder: Path, listed: Path, written: Path, tmp_path: Path) -> None:
    lines = (written / "scores.csv").read_text().splitlines()[1:]
    for place in (0, 3):
        _, one, other = listed.read_text().splitlines()[place].split()
        command = CliRunner()
        assert command.invoke(app, ["enrol", str(folder / one), "-o", str(tmp_path / "one")]).exit_code == 0
        told = command.invoke(app, ["verify", str(tmp_path / "one"), str(folder / other)]).stdout
        _, score, llr = map(float, lines[place].split(","))
        assert told.rstrip().endswith(f"probability {1 / (1 + np.exp(-llr)):.4f}, score {score:+.3f}")


def test_models_of_several_recordings_and_names_without_suffix(folder: Path, tmp_path: Path) -> None:
    lines = [f"{int(one == other)},p{one:02}/0;p{one:02}/1,p{other:02}/2" for one in range(3) for other in range(3)]
    (tmp_path / "trials.csv").write_text("label,enrol,test\n" + "\n".join(lines))
    assert report(tmp_path / "trials.csv", "--audio", folder)["reports"][0]["targets"] == 3


def test_lengths_and_the_telephone_are_series_and_conditions(listed: Path) -> None:
    found = report(listed, "--test-s", 1.5, "--test-s", 2.5, "--condition", "telephone")["reports"]
    assert [one["scores"] for one in found] == ["mfcc, 1.5 s", "mfcc, 2.5 s"]


def test_recordings_that_fail_are_told_and_their_trials_counted(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "noise.txt").write_text("this is no audio")
    soundfile.write(tmp_path / "short.wav", np.zeros(800), 8000)
    whole = (folder / "p01" / "1.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[:20])
    bad = ("empty.wav", "noise.txt", "short.wav", "cut.wav", "missing.wav")
    good = folder / "p00"
    lines = [f"1 {good}/0.wav {good}/1.wav", f"0 {good}/0.wav {folder}/p01/1.wav", *(f"0 {good}/0.wav {name}" for name in bad)]
    (tmp_path / "trials.txt").write_text("\n".join(lines))
    result = run(tmp_path / "trials.txt", "--json")
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert found["unscored"] == {"mfcc": len(bad)}
    assert {one["recording"]: one["reason"].split()[0] for one in found["failures"]} == {
        "empty.wav": "VS2002", "noise.txt": "VS2002", "short.wav": "VS3013", "cut.wav": "VS2001", "missing.wav": "VS1020",
    }  # fmt: skip
    assert found["reports"][0]["nontargets"] == 1


def test_trials_without_a_score_are_never_dropped_in_silence(listed: Path, tmp_path: Path) -> None:
    trials = len(listed.read_text().splitlines())
    (tmp_path / "scores.csv").write_text("".join(f"{name},{name % 7}\n" for name in range(trials - 5)))
    result = run(listed, "--scores", tmp_path / "scores.csv", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["unscored"] == {"scores.csv": 5}
    assert json.loads(result.stdout)["trials"] == trials


def test_a_list_that_holds_its_scores_needs_no_recordings(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("1 2\n1 3\n0 1\n0 2.5\n")
    found = report(tmp_path / "list.txt", "--threshold", 2)["reports"][0]
    assert (found["eer"], found["cllr"], found["decisions"][0]["fmr"]["value"]) == (0.5, None, 0.5)
    assert report("--scores", tmp_path / "list.txt", "--threshold", 2)["reports"][0] == found
    assert run().stderr.startswith("VS1040 ")


def test_scores_may_follow_the_list_with_its_labels(listed: Path, tmp_path: Path) -> None:
    lines = [f"{line.split()[0]} {place % 7}" for place, line in enumerate(listed.read_text().splitlines())]
    (tmp_path / "scores.txt").write_text("\n".join(lines))
    (tmp_path / "named.csv").write_text("".join(f"{place},{place % 7}\n" for place in range(len(lines))))
    by_order, by_name = (report(listed, "--scores", tmp_path / name)["reports"][0] for name in ("scores.txt", "named.csv"))
    assert by_order["eer"] == by_name["eer"]


def test_attacks_are_measured_from_scores(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("id,file,label,attack\na,,bonafide,\nb,,bonafide,\nc,,spoof,tts\nd,,spoof,replay\n")
    (tmp_path / "scores.csv").write_text("a,1\nb,0.5\nc,0.1\nd,0.8\n")
    found = report(tmp_path / "list.csv", "--scores", tmp_path / "scores.csv", "--threshold", 0.4)["report"]
    assert [(kind["attack"], kind["apcer"]["value"]) for kind in found["kinds"]] == [("replay", 1.0), ("tts", 0.0)]
    assert found["bpcer"]["value"] == 0.0
    assert run(tmp_path / "list.csv").stderr.startswith("VS1042 ")


def test_speech_labels_are_the_servers_own_or_anybodys(tmp_path: Path, folder: Path) -> None:
    samples, rate_hz = soundfile.read(folder / "p00" / "0.wav")
    speech = np.arange(250) / 100 % 0.9 < 0.7
    soundfile.write(tmp_path / "a.wav", samples, rate_hz)
    (tmp_path / "files.csv").write_text("id,file\na,a.wav\n")
    (tmp_path / "labels_10ms.txt").write_text("".join(str(int(one)) for one in speech))
    own = report(tmp_path)["reports"]
    assert own[0]["auc"] > 0.6
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "a.txt").write_text(" ".join(str(int(one)) for one in speech))
    perfect = report(tmp_path, "--scores", tmp_path / "results")["reports"]
    assert [(one["auc"], one["miss"], one["false_alarm"]) for one in perfect] == [(1.0, 0.0, 0.0)] * 3
    (tmp_path / "results" / "a.txt").unlink()
    assert run(tmp_path, "--scores", tmp_path / "results", "--json").exit_code == 2


@pytest.mark.parametrize(
    "text, code", [("", "VS1040"), ("what is this", "VS1040"), ("1 a.wav b.wav\n0 a.wav", "VS1040"), ("1 1\n0 x", "VS1040")]
)
def test_what_is_no_list_ends_with_2_and_a_number(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "list.txt").write_text(text)
    result = run(tmp_path / "list.txt")
    assert (result.exit_code, result.stderr.split()[0]) == (2, code)


def test_a_missing_list_and_an_unknown_model_end_with_a_number(tmp_path: Path, listed: Path) -> None:
    assert run(tmp_path / "nothing.txt").stderr.startswith("VS1020 ")
    assert run(listed, "--model", "nobody").stderr.startswith("VS1002 ")
