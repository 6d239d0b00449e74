"""`voicestream models install`: what it refuses, and that a model which is not there is told by its number."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from voicestream.cli.main import app
from voicestream.models.installation import ORIGINS, installed


def run(*arguments: str, folder: Path) -> Result:
    return CliRunner().invoke(app, arguments, env={"XDG_DATA_HOME": str(folder)})


@pytest.mark.parametrize("name, code", [("mfcc", "VS3046"), ("fusion", "VS3046"), ("../x", "VS3001")])
def test_what_is_not_to_be_installed_is_told(name: str, code: str, tmp_path: Path) -> None:
    result = run("models", "install", name, folder=tmp_path)
    assert (result.exit_code, result.stderr[:6]) == (2, code)


def test_a_file_that_is_no_wheel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_bytes(b"PK")
    result = run("models", "install", "ge2e", "--wheel", str(tmp_path / "x.whl"), folder=tmp_path)
    assert result.exit_code == 2
    assert "VS3043" in result.stderr


def test_the_cards_say_what_is_not_installed(tmp_path: Path) -> None:
    lines = run("models", folder=tmp_path).stdout.splitlines()
    ecapa, mfcc = (next(line for line in lines if line.startswith(f" {name} ")) for name in ("ecapa", "mfcc"))
    assert "not installed" in ecapa
    assert "not installed" not in mfcc


@pytest.mark.parametrize("command", [["serve"], ["enrol", "x.wav", "-o", "x"], ["verify", "x", "x.wav"]])
def test_no_command_starts_with_a_model_that_is_not_installed(command: list[str], tmp_path: Path) -> None:
    result = run(*command, "--set", "model=ge2e", folder=tmp_path)
    assert (result.exit_code, result.stderr[:6]) == (2, "VS3040")


@pytest.mark.slow
def test_ge2e_comes_from_the_registry(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from voicestream.cli.main import main; main()", "models", "install", "ge2e"]
    done = subprocess.run([*command, "--set", f"data_folder={tmp_path}"], capture_output=True, text=True, check=False)
    if "VS3042" in done.stderr:
        pytest.skip("pip reaches no registry that has Resemblyzer 0.1.4")
    assert done.returncode == 0
    arrays = installed(tmp_path, ORIGINS["ge2e"])
    assert sum(array.size for array in arrays.values()) == 1_423_616
    assert all(np.isfinite(array).all() for array in arrays.values())
