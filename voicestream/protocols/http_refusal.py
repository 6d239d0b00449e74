"""Requests refused over HTTP: what a client is told, and what das-Peak's gateway tells one without a good API key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from voicestream import errors
from voicestream.errors import Fault

_UNAUTHORISED: Final[dict[Fault, str]] = {
    errors.NO_API_KEY: "no Authorization header found",
    errors.API_KEY_REFUSED: "Invalid authentication credentials",
}


@dataclass(frozen=True, slots=True)
class HttpRefusal:
    """What a refused client is told; `body` is JSON."""

    status: int
    body: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)


def key_refusal(fault: Fault) -> HttpRefusal | None:
    """The answer to a bad API key, or to none, of both of das-Peak's REST interfaces; None for another fault."""
    if fault not in _UNAUTHORISED:
        return None
    return HttpRefusal(401, {"message": _UNAUTHORISED[fault]}, {"WWW-Authenticate": 'Key realm="voicestream"'})
