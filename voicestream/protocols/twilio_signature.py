"""Twilio's X-Twilio-Signature of an upgrade request: base64 of HMAC-SHA1 over the URL it was told to call (twilio.md section 3).

The URL is the operator's setting, never the Host or X-Forwarded-* of a request, which anybody can write.
"""

import base64
import hashlib
import hmac
from urllib.parse import urlsplit

from voicestream.errors import SIGNATURE_WRONG
from voicestream.protocols.base import Refusal


def sign(url: str, auth_token: str) -> str:
    """The signature of `url` without parameters, as an upgrade GET has none."""
    return base64.b64encode(hmac.digest(auth_token.encode(), url.encode(), hashlib.sha1)).decode()


def verify(signature: str, public_url: str, auth_token: str) -> Refusal | None:
    """None if `signature` is that of `public_url` (wss://...), with or without the port 443 in it; else VS1740 for the log."""
    given = signature.encode(errors="replace")
    good = [hmac.compare_digest(sign(url, auth_token).encode(), given) for url in _spellings(public_url)]
    return None if any(good) else Refusal(SIGNATURE_WRONG, "x-twilio-signature")


def _spellings(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    host = parts.netloc.removesuffix(":443")
    return url, parts._replace(netloc=host if host != parts.netloc else f"{host}:443" if parts.port is None else host).geturl()
