"""Flags that several commands take, and the settings they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias
from urllib.parse import urlsplit

import typer

from voicestream import errors
from voicestream.cli.terminal import ERROR, fail

if TYPE_CHECKING:
    from voicestream.server.setting_source import Loaded

# Text, not numbers: a wrong value is told by the settings, with its number and its origin.
Host: TypeAlias = Annotated[str | None, typer.Option(metavar="ADDRESS", help="Address to listen on.")]
Port: TypeAlias = Annotated[str | None, typer.Option(metavar="NUMBER", help="The one port; 0 takes a free one.")]
TlsCert: TypeAlias = Annotated[str | None, typer.Option(metavar="FILE", help="PEM certificate chain.")]
TlsKey: TypeAlias = Annotated[str | None, typer.Option(metavar="FILE", help="PEM private key.")]
LogFormat: TypeAlias = Annotated[str | None, typer.Option(metavar="FORM", help="auto, json or console.")]
LogLevel: TypeAlias = Annotated[str | None, typer.Option(metavar="LEVEL", help="debug, info, warning or error.")]
ConfigFile: TypeAlias = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="TOML file with settings (also: VOICESTREAM_CONFIG).")
]
Model: TypeAlias = Annotated[str | None, typer.Option("--model", metavar="NAME", help="Speaker model; `voicestream models` lists them.")]
Calibration: TypeAlias = Annotated[
    str | None, typer.Option("--calibration", metavar="NAME", help="One of `voicestream calibrate`; empty: the model's own.")
]
InstallSpeech: TypeAlias = Annotated[
    bool, typer.Option("--install-speech", help="First get what speech assessment lacks (56 MB), where the registry has it.")
]
Pairs: TypeAlias = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any setting; may be repeated.")]


def _checked(url: str) -> str:
    """A URL that names a server; everything that speaks to it may rely on that."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        named = bool(parts.hostname) and parts.port != 0 and parts.scheme in ("", "http", "https", "ws", "wss")
    except ValueError:
        named = False
    if not named:
        raise typer.BadParameter("not the URL of a server, such as https://voice.example.org or http://127.0.0.1:8080")
    return url


Url: TypeAlias = Annotated[
    str, typer.Option(envvar="VOICESTREAM_URL", metavar="URL", help="The server, as http(s):// or ws(s)://.", callback=_checked)
]
DEFAULT_URL = "http://127.0.0.1:8080"


def read_settings(config: Path | None, pairs: list[str] | None, **flags: str | None) -> Loaded:
    """Settings from all sources; prints every problem and ends with exit code 2 if there is one."""
    from voicestream.server.setting_source import SettingsError, load

    given: dict[str, object] = {}
    for pair in pairs or []:
        name, separator, value = pair.partition("=")
        if not separator:
            fail(errors.WRONG_SETTING, "--set wants NAME=VALUE")
        given[name.strip().replace("-", "_")] = value
    given |= {name: value for name, value in flags.items() if value is not None}
    try:
        return load(given, file=config)
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
            typer.echo(f"  fix: {problem.fault.fix}", err=True)
        raise SystemExit(ERROR) from None
