"""Who asks: the API key of the current request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart import request

from voicestream.errors import API_KEY_REFUSED, NO_API_KEY, PeerError

if TYPE_CHECKING:
    from voicestream.store.authority import Authority, Principal

HEADERS = ("apikey", "x-api-key")


def principal(authority: Authority) -> Principal:
    """Who shows the key in the header `apikey` or `x-api-key`. PeerError VS1950 without one, VS1951 for one that is not good."""
    shown = {key for name in HEADERS for key in request.headers.getlist(name) if key}
    if not shown:
        raise PeerError(NO_API_KEY)
    found = authority.api_key(shown.pop()) if len(shown) == 1 else None
    if found is None:
        raise PeerError(API_KEY_REFUSED)
    return found
