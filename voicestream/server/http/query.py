"""Query parameters of the current request: ASCII, at most once, empty means absent."""

import re
from typing import Final

from quart import request

from voicestream.errors import CONFIGURATION_NOT_OFFERED, PARAMETER_MISSING, PARAMETER_WRONG, PeerError
from voicestream.server.config import Settings

_DIGITS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_CHANNELS: Final = ("MIC", "TEL", "MIXED")


def text(name: str) -> str | None:
    """The value of `?name=`; None when absent or empty."""
    values = request.args.getlist(name)
    if len(values) > 1:
        raise PeerError(PARAMETER_WRONG, name)
    return values[0] or None if values else None


def number(name: str) -> int:
    """The required whole number `?name=`, one to nine ASCII digits."""
    value = text(name)
    if value is None:
        raise PeerError(PARAMETER_MISSING, name)
    if not _DIGITS.fullmatch(value):
        raise PeerError(PARAMETER_WRONG, name)
    return int(value)


def flag(name: str) -> bool:
    """`?name=true`; absent means false."""
    value = text(name)
    if value is not None and value.lower() not in ("true", "false"):
        raise PeerError(PARAMETER_WRONG, name)
    return value is not None and value.lower() == "true"


def check_channel() -> None:
    """`?channel_type=` is one of the vendor's words; our models need no hint, so it changes nothing."""
    if (text("channel_type") or "MIC") not in _CHANNELS:
        raise PeerError(PARAMETER_WRONG, "channel_type")


def active_model(settings: Settings) -> str:
    """Our own name of the model that is used where no configuration is asked for; the setting may hold a vendor's."""
    return settings.model_of(settings.model) or settings.model


def model_name(settings: Settings) -> str:
    """Our own name of the model that `?configuration=` means; the active one when absent."""
    configuration = text("configuration")
    name = active_model(settings) if configuration is None else settings.model_of(configuration)
    if name is None:
        raise PeerError(CONFIGURATION_NOT_OFFERED)
    return name
