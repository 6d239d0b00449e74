"""REST signalling in the OpenAPI document: its paths, schemas and examples. Its refusals have a shape of their own."""

from typing import Final, TypeAlias

from voicestream import errors
from voicestream.errors import PeerError
from voicestream.protocols.daspeak_parameter import CALL_ID_CHARACTERS, LONGEST_AUDIO_S, SHORTEST_AUDIO_S, Kind, ParameterError
from voicestream.protocols.daspeak_rest import STATUSES, begun, progress, refusal, session_object
from voicestream.server.http.daspeak_rest import KINDS, PREFIX
from voicestream.sessions.call import Judged, VoiceStatus

Json: TypeAlias = dict[str, object]

TAG: Final = "dpsrest"
SECURITY_SCHEMES: Final[Json] = {
    "apikey": {"type": "apiKey", "in": "header", "name": "apikey", "description": "As `voicestream keys add` made it; also as x-api-key."}
}

_TEXT: Final[Json] = {"type": "string"}
_ID: Final[Json] = {"type": "string", "format": "uuid"}
_DATE: Final[Json] = {**_TEXT, "description": "RFC 1123, such as Wed, 17 May 2023 09:25:24 GMT"}
_SHARE: Final[Json] = {"type": "number", "minimum": 0, "maximum": 1}
_KNOWN_LATER: Final = {"nullable": True, "description": "null until it is known"}
_SECONDS: Final[Json] = {"type": "number", "minimum": 0}

_AUDIO: Final[Json] = {
    "audio_protocol": {**_TEXT, "enum": ["twilio", "audiohook"], "description": "twilio also for other platforms"},
    "audio_format": {**_TEXT, "enum": ["raw"]},
    "audio_codec": {**_TEXT, "enum": ["mulaw", "alaw", "pcm"]},
    "sample_format": {**_TEXT, "enum": ["", "s16le"], "description": "s16le with pcm, else empty"},
    "sample_rate": {"type": "integer", "enum": [8000, 16000], "description": "16000 with pcm only"},
    "channels": {"type": "integer", "enum": [1]},
}
_REQUEST: Final[Json] = {
    "audio_settings_id": _ID,
    "call_id": {**_TEXT, "minLength": 1, "maxLength": CALL_ID_CHARACTERS, "description": "The same as the audio stream's."},
    "audio_total_duration": {
        "type": "number",
        "minimum": SHORTEST_AUDIO_S,
        "maximum": LONGEST_AUDIO_S,
        "description": "Seconds of net speech to gather.",
    },
    "authenticity_threshold": {**_SHARE, "description": "Below it the voice is taken for a spoof."},
    "model_hash": {**_TEXT, "pattern": "^[0-9A-Fa-f]{64}$", "description": "Of GET /daspeak/v1/models; absent: this server's default."},
}
_VERIFY: Final[Json] = {
    "credential": {**_TEXT, "description": "What a registration gave."},
    "similarity_threshold": {**_SHARE, "description": "Below it the speaker is another."},
    "score_threshold": {**_SHARE, "description": "Another name of it."},
}
_SHOWN: Final[Json] = {
    "audio_seconds": _SECONDS,
    "vad_percentage": {"type": "integer", "minimum": 0, "description": "Of audio_total_duration; ends at 100 or a little more."},
    **dict.fromkeys(("authenticity", "similarity", "score"), _SHARE),
    "voice_audio_collected": _SECONDS,
    "credential": _TEXT,
    "content": _TEXT,
}


def _object(properties: Json, required: list[str]) -> Json:
    return {"type": "object", "properties": properties, "required": required}


def _session(kind: Kind) -> Json:
    shown: Json = {
        "id": _ID,
        "created_at": _DATE,
        "status": {**_TEXT, "enum": [status for status in STATUSES if (kind, status) != ("register", "fail_score")]},
    }
    for key in begun(kind):
        if key != "status":
            schema = _SHOWN[key]
            assert isinstance(schema, dict)
            shown[key] = {**_KNOWN_LATER, **schema}
    return {**_object(shown, list(shown)), "additionalProperties": False}


SCHEMAS: Final[Json] = {
    "Alive": {**_object({"status": {**_TEXT, "enum": ["ok"]}}, ["status"]), "additionalProperties": False},
    "AudioSettingsForm": _object(_AUDIO, ["audio_protocol", "audio_format", "audio_codec"]),
    "AudioSettings": {
        **_object({"id": _ID, "created_at": _DATE, **_AUDIO}, ["id", "created_at", *_AUDIO]),
        "additionalProperties": False,
        "description": "Settings that were created before have the id they had then.",
    },
    "RegisterForm": _object(_REQUEST, ["audio_settings_id", "call_id"]),
    "VerifyForm": _object({**_REQUEST, **_VERIFY}, ["audio_settings_id", "call_id", "credential"]),
    "RegisterSession": _session("register"),
    "VerifySession": _session("verify"),
    "DasPeakError": _object(
        {
            "error": {**_TEXT, "enum": ["error-parameters", "error-consumer-not-ready", "error-das-Peak"]},
            "content": _TEXT,
            "field": {**_TEXT, "description": "The one to blame, if there is one."},
        },
        ["error", "content"],
    ),
    "Unauthorised": {**_object({"message": _TEXT}, ["message"]), "additionalProperties": False},
}

_SETTINGS_ID: Final = "1ec9414c-232a-6b00-b3c8-9f6bdeced846"
_SESSION_ID: Final = "888806c3-3391-4d73-bb86-e5874e6ed5b4"
_CREATED_AT: Final = 1684315524.0
_FORM: Final[Json] = {
    "audio_settings_id": _SETTINGS_ID,
    "call_id": "CA0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c0e",
    "audio_total_duration": 5.0,
    "authenticity_threshold": 0.5,
}


def examples(template: str) -> Json:
    """Schema name -> example; `template`: the text of a credential."""
    audio = {"audio_protocol": "twilio", "audio_format": "raw", "audio_codec": "mulaw", "sample_format": "", "sample_rate": 8000}
    collected = VoiceStatus(40_960, 8000, 5.0)
    judged = Judged(0.97, collected.voice_s, True, credential=template, similarity=0.84)
    return {
        "Alive": {"status": "ok"},
        "AudioSettingsForm": {**audio, "channels": 1},
        "AudioSettings": {"id": _SETTINGS_ID, "created_at": "Wed, 17 May 2023 09:25:24 GMT", **audio, "channels": 1},
        "RegisterForm": _FORM,
        "VerifyForm": {**_FORM, "credential": template, "similarity_threshold": 0.6},
        **{
            f"{kind.title()}Session": session_object(
                _SESSION_ID, _CREATED_AT, progress(progress(begun(kind), collected, kind), judged, kind)
            )
            for kind in KINDS
        },
        "DasPeakError": refusal(ParameterError("call_id")).body,
        "Unauthorised": refusal(PeerError(errors.NO_API_KEY)).body,
    }


def paths() -> Json:
    """Settings, sessions of both kinds, and whether anybody is there."""
    told: Json = {
        f"{PREFIX}/alive": {"get": {"tags": [TAG], "summary": "Is anybody there", "responses": {"200": _answer("Alive")}}},
        **_resource("audio_settings", "AudioSettingsForm", "AudioSettings", "How the audio of later sessions will come", "400"),
    }
    for kind, summary in (("register", "Make a credential of the voice in a call"), ("verify", "Compare the voice in a call")):
        name = kind.title()
        told |= _resource(f"{kind}_session", f"{name}Form", f"{name}Session", summary, "400 404 409 429")
    return told


_ERRORS: Final[dict[str, tuple[str, PeerError]]] = {
    "400": ("A field is missing or wrong", ParameterError("call_id")),
    "401": ("No API key, or one that is not good", PeerError(errors.NO_API_KEY)),
    "404": ("Nothing of this client's has this id", ParameterError("id", errors.REST_UNKNOWN_ID)),
    "408": ("The body took too long", PeerError(errors.BODY_SLOW)),
    "409": ("A session for this call is in progress", PeerError(errors.CALL_BUSY)),
    "413": ("The body is too large", PeerError(errors.BODY_LARGE)),
    "415": ("The body is not JSON", PeerError(errors.CONTENT_TYPE)),
    "429": ("Too many sessions in progress: try again after Retry-After seconds", PeerError(errors.REST_MANY_SESSIONS)),
    "503": ("Busy or going down: try again after Retry-After seconds", PeerError(errors.OVERLOADED)),
}


def _resource(name: str, form: str, answer: str, summary: str, refusals: str) -> Json:
    path = f"{PREFIX}/{name}"
    post = {
        "tags": [TAG],
        "summary": summary,
        "security": [{"apikey": []}],
        "requestBody": {"required": True, "content": _content(form)},
        "responses": {"201": _answer(answer, "Created"), **_refused(f"{refusals} 401 408 413 415 503")},
    }
    get = {
        "tags": [TAG],
        "summary": f"{name.replace('_', ' ').capitalize()} by id",
        "security": [{"apikey": []}],
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": _ID, "example": _SESSION_ID}],
        "responses": {"200": _answer(answer), **_refused("401 404 503")},
    }
    return {path: {"post": post}, f"{path}/{{id}}": {"get": get}}


def _answer(schema: str, description: str = "Done") -> Json:
    return {"description": description, "content": _content(schema)}


def _content(schema: str) -> Json:
    shown = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "examples": {"example": {"$ref": f"#/components/examples/{schema}"}}}
    return {"application/json": shown}


def _refused(statuses: str) -> Json:
    told: Json = {}
    for status in sorted(statuses.split()):
        description, error = _ERRORS[status]
        schema = "Unauthorised" if status == "401" else "DasPeakError"
        content = {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": refusal(error).body}
        told[status] = {"description": description, "content": {"application/json": content}}
    return told
