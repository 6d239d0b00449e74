"""Who calls, by the API key in a header: `apikey`, or `x-api-key`."""

from typing import TYPE_CHECKING

from quart import request

from voicestream.errors import REST_KEY_MISSING, REST_KEY_WRONG, PeerError

if TYPE_CHECKING:
    from voicestream.store.authority import Authority  # brings cryptography: not for those who do without


def tenant(authority: "Authority") -> str:
    """The tenant of the current request. PeerError VS1910 without a key, VS1911 for one that is not good, or two that differ."""
    shown = {*request.headers.getlist("apikey"), *request.headers.getlist("x-api-key")}
    if not any(shown):
        raise PeerError(REST_KEY_MISSING)
    principal = authority.api_key(shown.pop()) if len(shown) == 1 else None
    if principal is None:
        raise PeerError(REST_KEY_WRONG)
    return principal.tenant
