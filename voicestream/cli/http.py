"""One HTTP request to a voicestream server, for commands that are not streams."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException

from voicestream import errors
from voicestream.cli.stream import endpoint_url
from voicestream.cli.terminal import printable
from voicestream.errors import PeerError

_PATIENCE_S = 60.0


def post(url: str, path: str, body: bytes, content_type: str) -> bytes:
    """The body of a 200 answer. PeerError VS1021 where no server answers, VS1022 with its reason where it refuses."""
    request = urllib.request.Request(endpoint_url(url, path, "http"), body, {"Content-Type": content_type})
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as refusal:
        raise PeerError(errors.UNEXPECTED_ANSWER, f"HTTP {refusal.code}{reason(refusal.read(10_000))}") from refusal
    except (OSError, HTTPException, ValueError) as error:
        raise PeerError(errors.UNREACHABLE, type(error).__name__) from error


def reason(body: bytes) -> str:
    """What an error object says, ours or that of RFC 6749 5.2: ", " and text that is safe for a terminal, or ""."""
    try:
        told = json.loads(body)
        message = next(told[name] for name in ("message", "error_description", "error") if name in told)
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError):
        return ""
    return f", {printable(str(message))}"


def create_template(url: str, pcm: bytes, rate_hz: int) -> str:
    """The template text a server makes of PCM16 speech."""
    path = f"/voice_template_factory/create_voice_template_from_samples?sample_rate={rate_hz}"
    answer = post(url, path, pcm, "application/octet-stream").decode("ascii", "replace")
    return answer.strip().strip('"')


def fetch_token(url: str, client_id: str, client_secret: str) -> str:
    """The value of an Authorization header for a client id and its secret (RFC 6749 4.4). PeerError as `post`."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
    answer = post(url, "/socket.io/oauth2/token", urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded")
    try:
        token = json.loads(answer)
        return f"{token['token_type']} {token['access_token']}"
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise PeerError(errors.UNEXPECTED_ANSWER, "no access token in the answer") from error
