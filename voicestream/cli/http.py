"""One HTTP request to a voicestream server, for commands that are not streams."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from typing import Any

from voicestream import errors
from voicestream.cli.terminal import printable
from voicestream.errors import PeerError

_PATIENCE_S = 60.0


def endpoint_url(url: str, path: str, scheme: str) -> str:
    """`http://host:port` or `ws://host:port` -> the same server's `path`; `scheme` is `http` or `ws`."""
    parts = urllib.parse.urlsplit(url if "//" in url else f"//{url}")
    secure = "s" if parts.scheme in ("https", "wss") else ""
    return urllib.parse.urlunsplit((scheme + secure, parts.netloc, parts.path.rstrip("/") + path, "", ""))


def post(url: str, path: str, body: bytes, content_type: str, authorization: str = "", patience_s: float = _PATIENCE_S) -> bytes:
    """The body of a 200 answer. PeerError VS1021 where no server answers, VS1022 with its reason where it refuses."""
    request = urllib.request.Request(endpoint_url(url, path, "http"), body, {"Content-Type": content_type})
    return _fetch(request, authorization, patience_s)


def get(url: str, authorization: str = "") -> bytes:
    """The body at a whole URL, http or https. The same errors."""
    if not url.lower().startswith(("http://", "https://")):
        raise PeerError(errors.UNEXPECTED_ANSWER, "a link that is none of http")
    return _fetch(urllib.request.Request(url), authorization, _PATIENCE_S)


class _Patient(http.client.HTTPConnection):
    """Hears a server out that refuses a request before it has read all of it."""

    def send(self, data: Any) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            super().send(data)


class _PatientTls(_Patient, http.client.HTTPSConnection):
    """The same over TLS."""


class _Http(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Patient, request)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_PatientTls, request)


_OPENER = urllib.request.build_opener(_Http, _Https)


def _fetch(request: urllib.request.Request, authorization: str, patience_s: float) -> bytes:
    if authorization:
        request.add_unredirected_header("Authorization", authorization)  # no other place is to have it
    try:
        with _OPENER.open(request, timeout=patience_s) as answer:
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as refusal:
        raise PeerError(errors.UNEXPECTED_ANSWER, f"HTTP {refusal.code}{reason(refusal.read(10_000))}") from refusal
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise PeerError(errors.UNREACHABLE, type(error).__name__) from error


def reason(body: bytes) -> str:
    """What an error object says, ours, RFC 6749's or elsa.md's: ", " and text that is safe for a terminal, or ""."""
    try:
        told = json.loads(body)
        told = told["error"] if isinstance(told.get("error"), dict) else told
        message = str(next(told[name] for name in ("message", "error_description", "error") if name in told))
        message += "".join(f": {detail}" for detail in told.get("errors") or [] if isinstance(detail, str))
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError):
        return ""
    return f", {printable(message)}"


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
