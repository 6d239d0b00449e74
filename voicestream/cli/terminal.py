"""How the command line speaks: answers on standard output, errors with their number on standard error.

Exit codes of every command: 0 yes, 1 a negative answer (another voice, a check that fails), 2 an error.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from voicestream.errors import Fault, PeerError

if TYPE_CHECKING:
    from rich.console import Console

NEGATIVE, ERROR = 1, 2


def fail(fault: Fault, detail: str = "") -> NoReturn:
    """Print the numbered error with its fix, and end with exit code 2."""
    print(f"{fault.code} {fault.sentence}" + (f": {detail}" if detail else ""), file=sys.stderr)
    print(f"  fix: {fault.fix}", file=sys.stderr)
    raise SystemExit(ERROR)


def fail_with(error: PeerError) -> NoReturn:
    """The same, for a refusal caught."""
    fail(error.fault, error.detail)


def printable(text: str, limit: int = 200) -> str:
    """What a server wrote, made safe for a terminal: one line of at most `limit` characters, without escape sequences."""
    return "".join(character if character.isprintable() else "?" for character in text[:limit])


def console() -> Console:
    """A rich console on standard output; imported late, because `--help` does without."""
    from rich.console import Console

    return Console(highlight=False)
