"""What a das-Peak client asks for, and what it is told (daspeak.md section 3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from voicestream import errors
from voicestream.errors import PeerError
from voicestream.protocols.socketio_attachment import Value

Kind: TypeAlias = Literal["register", "verify"]
Via: TypeAlias = Literal["twilio", "audiohook"]

READY = "info-consumer-ready"
SUCCESS = "result-success"
_RESULTS = (SUCCESS, "result-fail-spoof", "result-fail-score")


@dataclass(frozen=True, slots=True)
class Request:
    """One registration or verification. Thresholds that are None are the server's own."""

    kind: Kind
    via: Via
    call_id: str
    duration_s: float
    credential: str | None = None
    authenticity_threshold: float | None = None
    similarity_threshold: float | None = None
    model_hash: str | None = None

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Its names in the vendor's version 1.2 and before."""
        return f"/socket.io/{self.kind}", f"/{self.kind}"

    def initialize(self) -> dict[str, Value]:
        """The payload of `initialize`; numbers of the metadata are text, as in the vendor's example."""
        wanted: dict[str, Value] = {
            "credential": self.credential,
            "similarity_threshold": self.similarity_threshold,
            "authenticity_threshold": self.authenticity_threshold,
            "audio_total_duration": self.duration_s,
            "model_hash": self.model_hash,
        }
        return {
            "metadata": {
                "audio_protocol": self.via,
                "audio_format": "raw",
                "audio_codec": "mulaw",
                "sample_format": "",
                "sample_rate": "8000",
                "channels": "1",
                "call_id": self.call_id,
            },
            f"{self.kind}_request": {name: value for name, value in wanted.items() if value is not None},
        }


@dataclass(frozen=True, slots=True)
class Told:
    """One event: `fields` as they came, and the collected voice where it came along."""

    event: str
    fields: Mapping[str, Value]
    audio: bytes | None = None

    @property
    def is_result(self) -> bool:
        return self.event in _RESULTS

    @property
    def is_error(self) -> bool:
        return self.event.startswith("error-")

    def text(self, name: str) -> str:
        """A field as text, "" where there is none."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> float | None:
        value = self.fields.get(name)
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def read_event(name: str, arguments: list[Value]) -> Told:
    """An event with or without the second argument of the vendor's listing; PeerError VS1022 where it is of neither form."""
    fields = arguments[0] if arguments else None
    if isinstance(fields, str):  # the vendor's listing prints JSON where it prints `data`
        try:
            fields = json.loads(fields)
        except (ValueError, RecursionError):
            fields = None
    if not isinstance(fields, Mapping):
        raise PeerError(errors.UNEXPECTED_ANSWER, "an event without its fields")
    audio = arguments[1] if len(arguments) > 1 else None
    return Told(name, fields, audio if isinstance(audio, bytes) else None)
