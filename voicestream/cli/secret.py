"""Secrets of a command: from a file or the environment, because a command line is read by everybody."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from voicestream.cli.recording import read_bytes

API_KEY = "VOICESTREAM_APIKEY"


def read_secret(file: Path | None, variable: str) -> str:
    """One line of printable ASCII, as it goes into a header; "" where there is none."""
    secret = os.environ.get(variable, "") if file is None else read_bytes(file).decode("ascii", "replace")
    secret = secret.strip()
    if not (secret.isascii() and secret.isprintable()):
        raise typer.BadParameter(f"{variable if file is None else file} does not hold a secret")
    return secret
