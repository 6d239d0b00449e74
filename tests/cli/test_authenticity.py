"""`voicestream authenticity` on a person, a synthesiser and silence."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from voicestream.cli.main import app


def told(data: bytes) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["authenticity", "-"], input=data)
    return result.exit_code, result.stdout + result.stderr


@pytest.mark.parametrize("kind, code, words", [("bonafide", 0, "a living voice"), ("espeak", 1, "synthetic or replayed")])
def test_the_exit_code_tells(shared: Path, kind: str, code: int, words: str) -> None:
    lines = (shared / "eval/spoof/files.csv").read_text().splitlines()
    name = next(line.split(",")[1] for line in lines[1:] if kind in line)
    exit_code, text = told((shared / "eval/spoof" / name).read_bytes())
    assert (exit_code, words in text) == (code, True)


def test_silence_is_no_voice_of_either_kind() -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(40000), 8000, format="WAV")
    exit_code, text = told(file.getvalue())
    assert (exit_code, text[:6]) == (2, "VS3013")
