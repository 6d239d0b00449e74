"""das-Peak signalling over Socket.IO: `initialize` as an Inquiry, and what its asker is told as events.

    initialize ─► read_initialize ─► Inquiry ─► (session) ─► Told ─► told_event ─► name, payload, collected voice ─► Spelling.arguments

No state: one session begins with one `initialize` and ends with the first event that is not `info-*`.
Source: daspeak.md sections 3.1 and 3.2; the keys of each payload stand in the order of the vendor's listing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias, assert_never, get_args

from voicestream import errors
from voicestream.errors import Fault, MisuseError
from voicestream.protocols.daspeak_parameter import Fields, Kind, Offer, read_audio_settings, read_call_id, read_request
from voicestream.protocols.socketio_attachment import Value
from voicestream.sessions.call import CallFailed, Inquiry, Judged, Progress, Told, VoiceStatus

Payload: TypeAlias = dict[str, Value]
CollectedAudio: TypeAlias = Literal["always", "result", "never"]
PayloadForm: TypeAlias = Literal["object", "text"]

# Both generations of the vendor's names. `alive`: to be connected is the answer.
NAMESPACES: Final[dict[str, Kind | Literal["alive"]]] = {
    "/register": "register",
    "/verify": "verify",
    "/alive": "alive",
    "/socket.io/register": "register",
    "/socket.io/verify": "verify",
    "/socket.io/alive": "alive",
}

CONSUMER_READY: Final = "info-consumer-ready"
VAD_STATUS: Final = "info-vad-status"
SUCCESS: Final = "result-success"
FAIL_SPOOF: Final = "result-fail-spoof"
FAIL_SCORE: Final = "result-fail-score"
ERROR_CONSUMER: Final = "error-consumer-not-ready"
ERROR_PARAMETERS: Final = "error-parameters"
ERROR_AUDIO: Final = "error-audio"
ERROR_SERVICE: Final = "error-das-Peak"

BAD_PARAMETER: Final = "A required parameter is missing or invalid"
_NO_CONSUMER: Final = (ERROR_CONSUMER, "No audio consumer is available for the audio protocol")
_NO_STREAM: Final = (ERROR_CONSUMER, "No audio stream arrived for the call in time")
_ENDED: Final = (ERROR_AUDIO, "The audio stream ended before enough voice was collected")
_STALLED: Final = (ERROR_AUDIO, "The audio stream stalled")
_UNDECODABLE: Final = (ERROR_AUDIO, "The audio could not be decoded")
_SERVICE: Final = (ERROR_SERVICE, "The biometric service could not process the voice")

# Fault -> event and sentence; what is not here goes by its family, and else is the service's.
_FAILURES: Final[dict[Fault, tuple[str, str]]] = {
    errors.CALL_BUSY: (ERROR_PARAMETERS, "A session for this call is already in progress"),
    errors.DRAINING: _NO_CONSUMER,
    errors.OVERLOADED: _NO_CONSUMER,
    errors.CALL_STREAMLESS: _NO_STREAM,
    errors.CALL_STALLED: _STALLED,
    errors.CALL_ATTEMPTS: _SERVICE,
    **dict.fromkeys(
        (
            errors.SIGNAL_NO_OBJECT,
            errors.SIGNAL_FIELD_MISSING,
            errors.SIGNAL_FIELD_WRONG,
            errors.SIGNAL_MODEL,
        ),
        (ERROR_PARAMETERS, BAD_PARAMETER),
    ),
    **dict.fromkeys(
        (
            errors.CALL_SHORT,
            errors.HOOK_CLIENT_ERROR,
            errors.HOOK_CLOSE_LATE,
            errors.NO_PONG,
            errors.NOT_READING,
            errors.SESSION_LONG,
        ),
        _ENDED,
    ),
}
_FAMILIES: Final = {"VS17": _UNDECODABLE, "VS20": _UNDECODABLE}  # messages of a stream, and audio


class Event(NamedTuple):
    """One event for the client. `collected`: the voice of an approved registration, as a WAV file."""

    name: str
    payload: Payload
    collected: bytes | None

    @property
    def droppable(self) -> bool:
        """A slow reader can do without it: the next one says more."""
        return self.name == VAD_STATUS


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a client wants its events; the defaults are those of the vendor's full listing.

    collected_audio: which events have a second argument. payload: an object, or its JSON text.
    """

    collected_audio: CollectedAudio = "always"
    payload: PayloadForm = "object"

    def overridden(self, query: Mapping[str, str]) -> "Spelling":
        """As the query of the handshake has it: `?collected_audio=result&payload=text`; unknown words change nothing."""
        collected_audio: CollectedAudio = self.collected_audio
        for word in get_args(CollectedAudio):
            if query.get("collected_audio") == word:
                collected_audio = word
        payload: PayloadForm = self.payload
        for form in get_args(PayloadForm):
            if query.get("payload") == form:
                payload = form
        return Spelling(collected_audio, payload)

    def arguments(self, event: Event) -> Sequence[Value]:
        """What follows the name of the event."""
        payload: Value = event.payload if self.payload == "object" else json.dumps(event.payload, ensure_ascii=False)
        second = self.collected_audio == "always" or (self.collected_audio == "result" and event.collected is not None)
        return (payload, event.collected) if second else (payload,)


def read_initialize(arguments: Sequence[Value], kind: Kind, offer: Offer) -> Inquiry:
    """What `initialize` asks for in a namespace of this kind. ParameterError for all that it cannot ask."""
    whole = Fields(arguments[0] if arguments else None)
    metadata = whole.within("metadata")
    audio = read_audio_settings(metadata)
    call_id = read_call_id(metadata)
    return read_request(whole.within(f"{kind}_request"), kind, call_id, audio, offer)


def told_event(told: Told, kind: Kind) -> Event:
    """The event that tells it to a client of this kind; scores rounded to 2 decimals."""
    match told:
        case Progress.CONSUMER_READY:
            return _event(CONSUMER_READY, {"content": "Audio consumer for provided audio protocol is ready"})
        case VoiceStatus():
            status = {"audio_seconds": round(told.voice_s, 2), "vad_percentage": told.percent}
            return _event(VAD_STATUS, {"content": "Voice activity detection percentage", **status})
        case Judged():
            return _judged(told, kind)
        case CallFailed():
            name, sentence = failure(told)
            return _event(name, {"content": sentence, **({"field": told.field} if told.field else {})})
        case _:
            assert_never(told)


def failure(failed: CallFailed) -> tuple[str, str]:
    """Event and fixed sentence of a session that has no result; a field to blame makes any fault one of parameters."""
    if failed.field:
        return ERROR_PARAMETERS, BAD_PARAMETER
    return _FAILURES.get(failed.fault) or _FAMILIES.get(failed.fault.code[:4], _SERVICE)


def _judged(judged: Judged, kind: Kind) -> Event:
    scores: Payload = {}
    if kind == "verify":
        if judged.similarity is None:
            raise MisuseError("a verification without a similarity")
        scores = {"similarity": round(judged.similarity, 2), "score": round(judged.similarity, 2)}
    service = "Registration" if kind == "register" else "Verification"
    common: Payload = {
        **scores,
        "authenticity": round(judged.authenticity, 2),
        "voice_audio_collected": round(judged.voice_s, 2),
        "content": f"{service}: {'approved' if judged.approved else 'rejected'}",
    }
    if not judged.genuine:
        return _event(FAIL_SPOOF, common)
    if not judged.same_speaker:
        return _event(FAIL_SCORE, common)
    if kind == "verify":
        return _event(SUCCESS, common)
    return _event(SUCCESS, {**common, "credential": judged.credential}, judged.voice_wav)


def _event(name: str, payload: Payload, collected: bytes | None = None) -> Event:
    return Event(name, {"event": name, **payload}, collected)
