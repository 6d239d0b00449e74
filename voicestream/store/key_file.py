"""Secrets that an installation makes for itself on its first start, each in a file of its owner's alone."""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from voicestream.errors import Fault, PeerError


def kept(path: Path, make: Callable[[], bytes], fault: Fault) -> bytes:
    """What the file holds; where there is none, what `make` gives and the file holds from now on.

    PeerError of that fault when it cannot be read or made, or when others than its owner may read it.
    """
    try:
        if not path.exists():
            _write(path, make())
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise PeerError(fault, f"{path} is open to others")
        return path.read_bytes()
    except OSError as error:
        raise PeerError(fault, str(path)) from error


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all; of two processes that start at once, the first one's stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            os.link(written, path)
    except FileExistsError:  # the other process was first
        pass
    finally:
        written.unlink()
