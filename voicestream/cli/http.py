"""One HTTP request to a voicestream server, for commands that are not streams."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from http.client import HTTPException

from voicestream import errors
from voicestream.cli.stream import endpoint_url
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
        raise PeerError(errors.UNEXPECTED_ANSWER, f"HTTP {refusal.code}{_reason(refusal.read(10_000))}") from refusal
    except (OSError, HTTPException, ValueError) as error:
        raise PeerError(errors.UNREACHABLE, type(error).__name__) from error


def _reason(body: bytes) -> str:
    """What the server's error object says, made safe for a terminal."""
    try:
        message = json.loads(body)["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return f", {str(message)[:200].encode('ascii', 'backslashreplace').decode()}"


def create_template(url: str, pcm: bytes, rate_hz: int) -> str:
    """The template text a server makes of PCM16 speech."""
    path = f"/voice_template_factory/create_voice_template_from_samples?sample_rate={rate_hz}"
    answer = post(url, path, pcm, "application/octet-stream").decode("ascii", "replace")
    return answer.strip().strip('"')
