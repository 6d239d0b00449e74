"""What is said on a WebSocket of speech assessment, and what its answers mean; no socket in it (elsa.md sections 2 and 3).

Two ways to be assessed: free speech, where the server tells a `status`, and a given sentence, where it tells a `type`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias

from voicestream import errors
from voicestream.cli.terminal import printable
from voicestream.errors import PeerError

Plan: TypeAlias = Literal["standard", "premium"]

END_STREAM: Final = '{"type": "ELSA:end_stream"}'


@dataclass(frozen=True, slots=True)
class News:
    """What an answer means to us. begin: audio may be sent; enough: no more is listened to; result: the last answer, whole."""

    begin: bool = False
    enough: bool = False
    warning: str = ""
    result: dict[str, Any] | None = None


class Talk(Protocol):
    """One way to be assessed."""

    @property
    def path(self) -> str: ...

    def opening(self) -> str:
        """Our first message."""
        ...

    def hear(self, answer: str) -> News:
        """Take an answer; PeerError VS1022 with the server's reason where there will be no result."""
        ...


@dataclass(slots=True)
class FreeTalk:
    """Unscripted: somebody speaks freely."""

    plan: Plan = "standard"
    path: str = "/api/v1/ws/score_audio_plus"
    _quality: str = ""  # why the recording is a bad one: the reason of a `failed` that may follow

    def opening(self) -> str:
        return json.dumps({"api_plan": self.plan, "return_json": True})

    def hear(self, answer: str) -> News:
        told = _object(answer)
        reason = printable(str(told.get("reason") or "no reason given"))
        match told.get("status"):
            case "processing":
                return News(begin="stream_id" in told, enough="stream_id" not in told)
            case "bad_quality":
                self._quality = reason
                return News(warning=f"the recording is of bad quality: {reason}")
            case "success":
                return News(result=told)
            case "failed":
                quality = f", {self._quality}" if self._quality else ""
                raise PeerError(errors.UNEXPECTED_ANSWER, f"no assessment, {reason}{quality}")
            case str():  # accepted, paused, and what others may invent
                return News()
        raise PeerError(errors.UNEXPECTED_ANSWER, "an answer without a status")


@dataclass(slots=True)
class SentenceTalk:
    """Scripted: a given sentence is read out."""

    sentence: str
    plan: Plan = "standard"
    path: str = "/api/v2/ws/score_audio"

    def opening(self) -> str:
        stream = {"api_plan": self.plan, "sentence": self.sentence}
        return json.dumps({"type": "ELSA:start_stream", "data": {"stream_info": stream}})

    def hear(self, answer: str) -> News:
        told = _object(answer)
        message = printable(str(told.get("message") or "no reason given"))
        match told.get("type"):
            case "ELSA:start_stream_result":
                return News(begin=True)
            case "ELSA:stopped_listening":
                return News(enough=True)
            case "ELSA:warning":
                return News(warning=message)
            case "ELSA:decoding_result":
                data = told.get("data")
                if isinstance(data, dict) and data.get("stream_finished", True) is not False:
                    return News(result=data)
                return News()
            case "ELSA:error":
                raise PeerError(errors.UNEXPECTED_ANSWER, f"no assessment, {message}")
            case str():  # wsConnect, audioACK, message, ready
                return News()
        raise PeerError(errors.UNEXPECTED_ANSWER, "an answer without a type")


def _object(answer: str) -> dict[str, Any]:
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise PeerError(errors.UNEXPECTED_ANSWER, "an answer that is no JSON object")
    return told
