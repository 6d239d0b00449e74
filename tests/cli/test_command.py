"""The commands that need neither a server nor a model."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from voicestream.cli.main import app
from voicestream.errors import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent.parent


def run(*arguments: str, **environ: str):
    return CliRunner().invoke(app, arguments, env=environ)


def test_help_teaches_by_example() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for command in ("serve", "enrol", "verify", "client", "doctor", "config", "errors", "models", "evaluate", "calibrate", "demo"):
        assert f"  {command} " in result.stdout
    assert "voicestream client summary talk.wav" in result.stdout


@pytest.mark.parametrize(
    "command",
    [
        "serve",
        "enrol",
        "verify",
        "client",
        "client register",
        "client verify",
        "client twilio",
        "client audiohook",
        "doctor",
        "config",
        "errors",
        "models",
        "evaluate",
        "calibrate",
        "demo",
    ],
)
def test_every_command_has_help(command: str) -> None:
    assert run(*command.split(), "--help").exit_code == 0


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from voicestream.cli import main\n"
        "heavy = {'numpy', 'numba', 'trio', 'pydantic', 'structlog', 'rich.progress', 'quart', 'av', 'scipy', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_error_is_explained_by_its_number() -> None:
    for code in ("VS1006", "1006", "vs1006"):
        result = run("errors", code)
        assert result.exit_code == 0
        assert CATALOGUE["VS1006"].fix in result.stdout


def test_all_errors_are_listed() -> None:
    listed = run("errors").stdout.splitlines()
    assert [line.split()[0] for line in listed] == sorted(CATALOGUE)


def test_an_unknown_number_is_itself_an_error() -> None:
    result = run("errors", "VS9999")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("VS1026 ")


def test_config_tells_who_set_what() -> None:
    result = run("config", "--set", "idle-s=5", VOICESTREAM_PORT="81", SERVER_ALLOW_CORS="true")
    lines = {line.split()[0]: line.split(maxsplit=2)[1:] for line in result.stdout.splitlines()}
    assert lines["port"] == ["81", "env VOICESTREAM_PORT"]
    assert lines["allow_cors"] == ["true", "env SERVER_ALLOW_CORS"]
    assert lines["idle_s"] == ["5", "flag --idle-s"]
    assert lines["ping_s"] == ["20", "default"]


def test_config_masks_secrets() -> None:
    key = "ab" * 32
    result = run("config", VOICESTREAM_TEMPLATE_KEY=key)
    assert result.exit_code == 0
    assert key not in result.output
    assert "********" in result.stdout


@pytest.mark.parametrize(
    "arguments, code",
    [
        (("serve", "--port", "http"), "VS1002"),
        (("serve", "--set", "prot=1"), "VS1001"),
        (("serve", "--set", "port"), "VS1002"),
        (("config", "--config", "/nowhere.toml"), "VS1003"),
        (("serve", "--tls-cert", "/nowhere.pem"), "VS1004"),
        (("doctor", "--port", "-1"), "VS1002"),
    ],
)
def test_wrong_settings_end_with_2_and_a_number(arguments: tuple[str, ...], code: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{code} ")
    assert "  fix: " in result.stderr
