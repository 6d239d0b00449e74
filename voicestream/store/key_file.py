"""Key files of the data folder: made on the first start, whole or not at all, readable by their owner alone."""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path


class KeyFileOpen(OSError):
    """Others than its owner may read the file."""


def read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """What the file holds; `make` tells its content where there is none. OSError; KeyFileOpen for one that others may read."""
    if not path.exists():
        _write(path, make)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyFileOpen(f"{path} is open to others")
    return path.read_bytes()


def _write(path: Path, make: Callable[[], bytes]) -> None:
    """Of two processes that start at once, the first one's stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            os.link(written, path)
    except FileExistsError:  # the other process was first
        pass
    finally:
        written.unlink()
