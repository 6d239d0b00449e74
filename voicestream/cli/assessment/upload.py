"""One assessment over HTTP: the whole recording in one request (elsa.md section 4), and a result that lies behind a link."""

from __future__ import annotations

import json
import secrets
from typing import Any, Final
from urllib.parse import urlsplit

from voicestream import errors
from voicestream.cli.assessment.answer import find_result
from voicestream.cli.assessment.talk import Plan
from voicestream.cli.http import get, post
from voicestream.errors import PeerError

_PATIENCE_S: Final = 180.0  # a request is answered when all of it is assessed


def upload(url: str, authorization: str, wav: bytes, plan: Plan, sentence: str | None) -> dict[str, Any]:
    """The result for a WAV file; sentence: what it should say. PeerError VS1021 or VS1022 as voicestream.cli.http.post."""
    fields = {"api_plan": plan, "return_json": "true"} | ({} if sentence is None else {"sentence": sentence})
    path = "/api/v1/score_audio_plus" if sentence is None else "/api/v2/score_audio"
    content_type, body = _form(fields, wav)
    return _object(post(url, path, body, content_type, authorization, _PATIENCE_S))


def followed(told: dict[str, Any], url: str, authorization: str) -> dict[str, Any]:
    """The result itself: servers that do not tell it at once give a link to it. The token goes to its own server only."""
    link = told.get("result_link")
    if find_result(told) is not None or not isinstance(link, str) or not link:
        return told
    return _object(get(link, authorization if _origin(link) == _origin(url) else ""))


def _form(fields: dict[str, str], wav: bytes) -> tuple[str, bytes]:
    """Content type and body of multipart/form-data (RFC 7578). The file has no name: it may be a person's."""
    boundary = secrets.token_hex(16)
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    parts.append(b'Content-Disposition: form-data; name="audio_file"; filename="speech.wav"\r\nContent-Type: audio/wav\r\n\r\n' + wav)
    body = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body


def _origin(url: str) -> tuple[bool, str | None, int]:
    """Whether it is secure, host and port; alike for http and ws."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    secure = parts.scheme in ("https", "wss")
    try:
        return secure, parts.hostname, parts.port or (443 if secure else 80)
    except ValueError:
        return secure, None, 0


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise PeerError(errors.UNEXPECTED_ANSWER, "an answer that is no JSON object")
    return told
