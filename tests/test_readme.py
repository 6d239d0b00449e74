"""The README says what is so."""

import re
from pathlib import Path

from voicestream.cli.config import markdown_table
from voicestream.protocols.idvoice import ENDPOINTS
from voicestream.server.config import Settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_the_table_of_settings_is_the_settings() -> None:
    assert markdown_table() in README, "paste the output of `voicestream config --markdown`"


def test_every_stream_is_in_the_table_of_endpoints() -> None:
    for path in ENDPOINTS:
        assert f"`{path}`" in README


def test_every_command_of_the_readme_exists() -> None:
    commands = set(re.findall(r"^(?:\$ )?voicestream ([a-z]+)", README, re.MULTILINE))
    assert commands
    for command in commands:
        assert (ROOT / "voicestream" / "cli" / f"{command}.py").is_file(), command
    for script in re.findall(r"^(?:\$ )?(scripts/[a-z]+)", README, re.MULTILINE):
        assert (ROOT / script).is_file(), script


def test_no_setting_is_without_effect() -> None:
    """A setting that no code reads is a promise nobody keeps."""
    places = [path for path in (ROOT / "voicestream").rglob("*.py") if path.name not in ("config.py", "setting_source.py")]
    text = "\n".join(path.read_text() for path in places) + (ROOT / "voicestream/server/config.py").read_text().partition("def model_of")[2]
    unread = [name for name in Settings.model_fields if not re.search(rf"(settings|self)\.{name}\b", text)]
    assert unread == []
