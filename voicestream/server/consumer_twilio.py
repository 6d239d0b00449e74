"""Whose Twilio stream is this? Told by an API key in a header, by Twilio's signature, or not before its `start` (twilio.md section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from voicestream.errors import CALL_REFUSED, PUBLIC_URL_UNKNOWN, SIGNATURE_WRONG, PeerError
from voicestream.protocols.twilio_signature import verify

if TYPE_CHECKING:
    from voicestream.store.authority import Authority

SIGNATURE = "x-twilio-signature"


class TwilioDoor:
    """One server's. url: what Twilio was told to call (wss://HOST/...), None where the operator has not said."""

    def __init__(self, authority: Authority, url: str | None) -> None:
        self._authority = authority
        self._url = url

    def tenant(self, fields: Mapping[str, str]) -> str | None:
        """The tenant that the header fields tell; None: they tell none. PeerError VS1710, VS1740, VS1742 with the reason as detail.

        The first that is present decides. A signature is looked at where there are accounts that could have made it:
        Twilio signs every stream, those as well that bring an API key in `start`.
        """
        key = fields.get("apikey", fields.get("x-api-key"))
        if key is not None:
            principal = self._authority.api_key(key.strip(" \t"))
            if principal is None:
                raise PeerError(CALL_REFUSED, "key")
            return principal.tenant
        signature = fields.get(SIGNATURE)
        return self._signer(signature) if signature is not None and self._authority.twilio_accounts() else None

    def _signer(self, signature: str) -> str:
        """All accounts are tried, whichever it is: the time does not tell."""
        if self._url is None:
            raise PeerError(PUBLIC_URL_UNKNOWN, "no public_url")
        found: str | None = None
        for account in self._authority.twilio_accounts():
            if account.auth_token is not None and verify(signature, self._url, account.auth_token) is None:
                found = account.tenant
        if found is None:
            raise PeerError(SIGNATURE_WRONG, "signature")
        return found
