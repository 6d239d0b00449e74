"""`voicestream models install`: what it refuses, and that a model which is not there is told by its number."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from voicestream.models.installation import ORIGINS, installed

COMMAND = [sys.executable, "-c", "from voicestream.cli.main import main; main()"]


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"XDG_DATA_HOME": str(folder)}
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("name, code", [("mfcc", "VS3046"), ("fusion", "VS3046"), ("../x", "VS3001")])
def test_what_is_not_to_be_installed_is_told(name: str, code: str, tmp_path: Path) -> None:
    done = run("models", "install", name, folder=tmp_path)
    assert (done.returncode, done.stderr[:6]) == (2, code)


def test_a_file_that_is_no_wheel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_bytes(b"PK")
    done = run("models", "install", "ge2e", "--wheel", str(tmp_path / "x.whl"), folder=tmp_path)
    assert done.returncode == 2
    assert "VS3043" in done.stderr


def test_the_cards_say_what_is_not_installed(tmp_path: Path) -> None:
    done = run("models", folder=tmp_path)
    assert "ecapa 1 (not installed)" in done.stdout.splitlines()
    assert "mfcc 2" in done.stdout.splitlines()


def test_a_server_does_not_start_with_a_model_that_is_not_installed(tmp_path: Path) -> None:
    done = run("serve", "--port", "0", "--set", "model=ge2e", folder=tmp_path)
    assert done.returncode == 2
    assert "VS3040" in done.stderr


@pytest.mark.slow
def test_ge2e_comes_from_the_registry(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    done = subprocess.run([*COMMAND, "models", "install", "ge2e", "--set", f"data_folder={folder}"], capture_output=True, text=True, check=False)
    if "VS3042" in done.stderr:
        pytest.skip("pip reaches no registry that has Resemblyzer 0.1.4")
    assert done.returncode == 0
    assert sum(array.size for array in installed(folder, ORIGINS["ge2e"]).values()) == 1_423_616
    assert all(np.isfinite(array).all() for array in installed(folder, ORIGINS["ge2e"]).values())
