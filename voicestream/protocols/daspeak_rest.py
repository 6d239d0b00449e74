"""das-Peak signalling over REST, `/dpsrest/v1`: request bodies as settings and inquiries, sessions as objects to be polled.

    audio_settings body ─► Fields ─► read_audio_settings ─► AudioSettings ─► settings_object
    session body ─► settings_id, read_session ─► Inquiry ─► (session) ─► Told ─► progress ─► session_object
                                PeerError ─► refusal: status, JSON, headers

No state, no I/O, no clock. Source: daspeak.md section 4.
"""

import re
from email.utils import formatdate
from typing import Final, Literal, TypeAlias, get_args

from voicestream import errors
from voicestream.errors import Fault, PeerError
from voicestream.protocols import daspeak
from voicestream.protocols.daspeak import told_event
from voicestream.protocols.daspeak_parameter import (
    AudioSettings,
    Fields,
    Kind,
    Offer,
    ParameterError,
    read_audio_settings,
    read_call_id,
    read_request,
)
from voicestream.protocols.http_refusal import HttpRefusal, key_refusal
from voicestream.sessions.call import CallFailed, Inquiry, Told

Json: TypeAlias = dict[str, object]
Status: TypeAlias = Literal["created", "consumer_ready", "in_progress", "success", "fail_spoof", "fail_score", "error"]

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
RETRY_S: Final = 5

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BY_EVENT: Final[dict[str, Status]] = {
    daspeak.CONSUMER_READY: "consumer_ready",
    daspeak.VAD_STATUS: "in_progress",
    daspeak.SUCCESS: "success",
    daspeak.FAIL_SPOOF: "fail_spoof",
    daspeak.FAIL_SCORE: "fail_score",
}  # else it is an error
_KEYS: Final[dict[Kind, tuple[str, ...]]] = {
    "register": ("audio_seconds", "vad_percentage", "authenticity", "credential", "voice_audio_collected", "content"),
    "verify": ("audio_seconds", "vad_percentage", "authenticity", "similarity", "score", "voice_audio_collected", "content"),
}
# Fault -> HTTP status, event and sentence of its own.
_REFUSALS: Final[dict[Fault, tuple[int, str, str]]] = {
    errors.REST_UNKNOWN_ID: (404, daspeak.ERROR_PARAMETERS, "Nothing has this id"),
    errors.BODY_SLOW: (408, daspeak.ERROR_PARAMETERS, "The request body did not arrive in time"),
    errors.BODY_LARGE: (413, daspeak.ERROR_PARAMETERS, "The request body is too large"),
    errors.CONTENT_TYPE: (415, daspeak.ERROR_PARAMETERS, "The request body must be application/json"),
    errors.REST_MANY_SESSIONS: (429, daspeak.ERROR_CONSUMER, "Too many sessions of this client are in progress"),
    errors.CALL_ATTEMPTS: (429, daspeak.ERROR_SERVICE, "Too many verifications of this voice were rejected"),
    errors.DATABASE_UNUSABLE: (503, daspeak.ERROR_SERVICE, "The session could not be stored"),
    errors.DATABASE_DAMAGED: (503, daspeak.ERROR_SERVICE, "The session could not be stored"),
}
_OF_EVENTS: Final = {daspeak.ERROR_PARAMETERS: 400, daspeak.ERROR_CONSUMER: 503}  # else 500


def read_settings(body: object) -> AudioSettings:
    """The audio settings in a request body. ParameterError."""
    return read_audio_settings(_fields(body))


def settings_id(body: object) -> str:
    """The id of the audio settings that a session is to have. ParameterError."""
    return known_id(_fields(body).text("audio_settings_id"), "audio_settings_id")


def read_session(body: object, kind: Kind, audio: AudioSettings, offer: Offer) -> Inquiry:
    """What the body of `register_session` or `verify_session` asks. ParameterError."""
    fields = _fields(body)
    return read_request(fields, kind, read_call_id(fields), audio, offer)


def known_id(text: str, field: str = "id") -> str:
    """`text` as an id that we may have given. ParameterError VS1912 when it cannot be one."""
    if not _UUID.fullmatch(text):
        raise ParameterError(field, errors.REST_UNKNOWN_ID)
    return text.lower()


def settings_object(id: str, created_at: float, audio: AudioSettings) -> Json:
    """Audio settings as the client gave them; `created_at` in Unix seconds."""
    return {
        "id": id,
        "created_at": formatdate(created_at, usegmt=True),
        "audio_protocol": audio.consumer,
        "audio_format": "raw",
        "audio_codec": audio.codec,
        "sample_format": audio.sample_format,
        "sample_rate": audio.rate_hz,
        "channels": 1,
    }


def begun(kind: Kind) -> Json:
    """What there is to say about a session that was just created."""
    return {"status": "created", **dict.fromkeys(_KEYS[kind])}


def progress(before: Json, told: Told, kind: Kind) -> Json:
    """What there is to say after `told`; what was said before and is not said anew stays."""
    name, payload, _ = told_event(told, kind)
    return {**before, "status": _BY_EVENT.get(name, "error"), **{key: payload[key] for key in _KEYS[kind] if key in payload}}


def session_object(id: str, created_at: float, said: Json) -> Json:
    """A session as its client sees it; `created_at` in Unix seconds."""
    return {"id": id, "created_at": formatdate(created_at, usegmt=True), **said}


def refusal(error: PeerError) -> HttpRefusal:
    """The answer to a request that is refused."""
    if (of_key := key_refusal(error.fault)) is not None:
        return of_key
    field = error.field if isinstance(error, ParameterError) else ""
    if error.fault in _REFUSALS:
        status, name, sentence = _REFUSALS[error.fault]
    else:
        name, sentence = daspeak.failure(CallFailed(error.fault, field))
        status = 409 if error.fault is errors.CALL_BUSY else _OF_EVENTS.get(name, 500)
    body: Json = {"error": name, "content": sentence, **({"field": field} if field else {})}
    return HttpRefusal(status, body, {"Retry-After": str(RETRY_S)} if status in (429, 503) else {})


def _fields(body: object) -> Fields:
    return Fields(body)  # type: ignore[arg-type]  # JSON, of whatever type: Fields looks
