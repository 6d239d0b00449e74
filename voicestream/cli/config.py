"""`voicestream config`: the effective settings, and who set each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from voicestream.cli.flag import ConfigFile, Host, LogFormat, LogLevel, Pairs, Port, TlsCert, TlsKey, read_settings
from voicestream.cli.terminal import console

if TYPE_CHECKING:
    from voicestream.server.config import Settings


def config(
    host: Host = None,
    port: Port = None,
    config: ConfigFile = None,
    pairs: Pairs = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="The table of all settings and defaults, as in the README.")] = False,
) -> None:
    """Print the effective settings and where each comes from: default, file, environment or flag.

    Sources, the later wins: defaults, TOML file, the vendor's variables, VOICESTREAM_* variables, flags. Secrets are masked.

    Examples:

      voicestream config

      VOICESTREAM_PORT=9000 voicestream config | grep -v default
    """
    if markdown:
        print(markdown_table())
        return
    loaded = read_settings(
        config, pairs, host=host, port=port, tls_cert=tls_cert, tls_key=tls_key, log_format=log_format, log_level=log_level
    )
    for warning in loaded.warnings:
        typer.echo(str(warning), err=True)
    rows = [(name, shown(loaded.settings, name), origin) for name, origin in loaded.origins.items()]
    width = [max(len(row[column]) for row in rows) for column in range(2)]
    width[1] = min(width[1], 24)
    out = console()
    for name, value, origin in rows:
        line = f"{name:{width[0]}}  {value:{width[1]}}  {origin}"
        out.print(line, style="dim" if origin == "default" else "bold", markup=False, soft_wrap=True)


def shown(settings: Settings, name: str) -> str:
    """A setting's value as one writes it in TOML; a secret as stars."""
    from pydantic import SecretStr

    value = getattr(settings, name)
    match value:
        case None:
            return "-"
        case bool():
            return str(value).lower()
        case SecretStr():
            return "********"
        case tuple():
            return ", ".join(value) or "-"
        case dict():
            return ", ".join(f"{key}={model}" for key, model in value.items()) or "-"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def markdown_table() -> str:
    """Every setting with its default and meaning, as the README shows it."""
    from voicestream.server.config import Settings

    defaults = Settings()
    lines = ["| setting | default | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {shown(defaults, name)} | {field.description} |" for name, field in Settings.model_fields.items()]
    return "\n".join(lines)
