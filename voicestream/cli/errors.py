"""`voicestream errors`: the catalogue of numbered errors."""

from __future__ import annotations

from typing import Annotated

import typer

from voicestream import errors as catalogue
from voicestream.cli.terminal import fail


def errors(code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="One code, like VS1002 or 1002.")] = None) -> None:
    """Explain a numbered error: what it says, what causes it, how to fix it. Without a code: all of them.

    Examples:

      voicestream errors VS1006

      voicestream errors | less
    """
    if code is None:
        for fault in sorted(catalogue.CATALOGUE.values(), key=lambda fault: fault.code):
            print(f"{fault.code}  {fault.sentence}")
        return
    wanted = catalogue.CATALOGUE.get("VS" + code.upper().removeprefix("VS"))
    if wanted is None:
        fail(catalogue.UNKNOWN_CODE)
    print(f"{wanted.code}  {wanted.sentence}\n\n  cause  {wanted.cause}\n  fix    {wanted.fix}")
