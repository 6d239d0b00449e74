"""Schemas of the OpenAPI document, and an example for each that the running server would take or give."""

from typing import Final, TypeAlias

from voicestream import __version__
from voicestream.errors import CLIENT_REFUSED
from voicestream.protocols.oauth2 import metadata

Json: TypeAlias = dict[str, object]

_TEXT: Final[Json] = {"type": "string"}
_FLAG: Final[Json] = {"type": "boolean"}
_COUNT: Final[Json] = {"type": "integer", "minimum": 0}
_SECONDS: Final[Json] = {"type": "number", "minimum": 0, "description": "seconds"}


def _object(**properties: object) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


_QUALITY_VALUES: Final = _object(
    SNR={"type": "number", "description": "dB"}, SpeechLength={"type": "number", "minimum": 0, "description": "net speech in ms"}
)

_UNIX: Final[Json] = {**_COUNT, "description": "Unix seconds"}
_CLIENT: Final[Json] = {
    "client_id": {**_TEXT, "description": "Here or in the Authorization header."},
    "client_secret": {**_TEXT, "description": "Here or in the Authorization header."},
}
_SCOPE: Final[Json] = {**_TEXT, "description": "Of `register verify`, separated by blanks; absent: all that the client has."}

SCHEMAS: Final[Json] = {
    "VoiceTemplate": {
        "type": "string",
        "description": "Opaque standard base64. Taken back with or without quotes and outer white space.",
        "minLength": 1,
    },
    "Templates": _object(voice_templates={"type": "array", "items": _ref("VoiceTemplate"), "minItems": 1}),
    "Pair": _object(template1=_ref("VoiceTemplate"), template2=_ref("VoiceTemplate")),
    "Match": _object(
        probability={
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "Calibrated probability of one speaker: decide on this, not on the score.",
        },
        score={"type": "number", "minimum": -1.000001, "maximum": 1.000001, "description": "Cosine similarity."},
    ),
    "Quality": _object(
        threshold_values=_QUALITY_VALUES,
        obtained_values=_QUALITY_VALUES,
        quality_short_description={
            "type": "string",
            "enum": ["OK", "TOO_NOISY", "TOO_SMALL_SPEECH_TOTAL_LENGTH", "TOO_SMALL_SPEECH_RELATIVE_LENGTH", "MULTIPLE_SPEAKERS_DETECTED"],
        },
    ),
    "Liveness": {
        "type": "object",
        "properties": {
            "score": {"type": "number", "description": "Log odds of a living voice."},
            "probability": {"type": "number", "minimum": 0, "maximum": 1, "description": "Calibrated probability of a living voice."},
            "validation_status_code": {"type": "string", "enum": ["OK", "TOO_SMALL_SPEECH_LENGTH"]},
        },
        "required": ["validation_status_code"],
        "additionalProperties": False,
        "description": "Without a score where there is too little speech.",
    },
    "CheckedTemplate": _object(
        voice_template={**_TEXT, "nullable": True, "description": "null when a check fails"},
        quality_check_result=_ref("Quality"),
        liveness_result=_ref("Liveness"),
    ),
    "Interval": _object(
        end_sample={**_COUNT, "description": "exclusive, at the rate of the recording"},
        end_time={**_COUNT, "description": "ms, truncated"},
        sample_rate=_COUNT,
        start_sample=_COUNT,
        start_time=_COUNT,
    ),
    "Event": _object(is_voice=_FLAG, audio_interval=_ref("Interval")),
    "Vad": {
        "type": "object",
        "properties": {
            "frame_length_ms": {"type": "number", "enum": [30.0]},
            "frames": {"type": "array", "items": _FLAG, "description": "one per 30 ms: is it speech"},
            "frames_offset": {**_COUNT, "description": "only when frames at the start are not listed: how many"},
        },
        "required": ["frame_length_ms", "frames"],
        "additionalProperties": False,
    },
    "Summary": _object(
        background_length=_SECONDS,
        speech_signal_length=_SECONDS,
        total_length={**_SECONDS, "description": "seconds, with the last incomplete frame"},
        vad_result=_ref("Vad"),
        speech_events={"type": "array", "items": _ref("Event"), "description": "Runs of equal frames."},
    ),
    "Snr": {"type": "number", "description": "dB"},
    "BuildInfo": _object(
        version=_TEXT,
        components={"type": "array", "items": {"type": "string", "enum": ["verify", "media", "liveness", "template_converter"]}},
        git_info=_TEXT,
        license_info=_TEXT,
        license_expiration_date=_ref("Date"),
    ),
    "Date": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
    "Health": _object(started=_FLAG, live=_FLAG, ready=_FLAG),
    "TokenForm": {
        "type": "object",
        "properties": {"grant_type": {**_TEXT, "enum": ["client_credentials"]}, **_CLIENT, "scope": _SCOPE},
        "required": ["grant_type"],
    },
    "Token": {
        "type": "object",
        "properties": {
            "access_token": {**_TEXT, "description": "Opaque to clients."},
            "token_type": {**_TEXT, "enum": ["Bearer"]},
            "expires_in": {**_COUNT, "description": "seconds"},
            "scope": {**_SCOPE, "description": "Only when the request had one."},
        },
        "required": ["access_token", "token_type", "expires_in"],
        "additionalProperties": False,
    },
    "TokenQueryForm": {
        "type": "object",
        "properties": {"token": _TEXT, "token_type_hint": {**_TEXT, "description": "Changes nothing."}, **_CLIENT},
        "required": ["token"],
    },
    "Nothing": {"type": "object", "maxProperties": 0},
    "Introspection": {
        "type": "object",
        "properties": {
            "active": _FLAG,
            **dict.fromkeys(("token_type", "iss", "sub", "aud", "client_id", "tenant", "scope", "jti"), _TEXT),
            **dict.fromkeys(("iat", "nbf", "exp"), _UNIX),
        },
        "required": ["active"],
        "additionalProperties": False,
        "description": "Only `active` for a token that is not good, or not this tenant's.",
    },
    "OAuthMetadata": {
        "type": "object",
        "properties": {
            "issuer": {**_TEXT, "description": "The setting `public_url`."},
            **dict.fromkeys(("token_endpoint", "revocation_endpoint", "introspection_endpoint"), _TEXT),
        },
        "required": ["issuer", "token_endpoint", "response_types_supported"],
    },
    "OAuthError": _object(error=_TEXT, error_description={"type": "string", "pattern": "^VS[0-9]{4} "}),
    "Error": _object(
        timestamp={"type": "string", "format": "date-time"},
        status={"type": "integer"},
        error=_TEXT,
        message={"type": "string", "pattern": "^VS[0-9]{4} ", "description": "A numbered code, see /errors, and a sentence."},
        path=_TEXT,
    ),
}


_EXAMPLE_CLIENT: Final[Json] = {"client_id": "3f1c9a7e52d04b68ac10", "client_secret": "as-it-was-told-once"}


def examples(template: str) -> dict[str, object]:
    """Schema name -> example; `template`: the text of a template this server would take, so that each can be tried as it stands."""
    interval = {"end_sample": 1920, "end_time": 120, "sample_rate": 16000, "start_sample": 960, "start_time": 60}
    values = {"SNR": 21.5, "SpeechLength": 4230.0}
    return {
        "VoiceTemplate": template,
        "Templates": {"voice_templates": [template, template]},
        "Pair": {"template1": template, "template2": template},
        "Match": {"probability": 0.9750000238418579, "score": 0.6119999885559082},
        "Quality": {"threshold_values": {"SNR": 8.0, "SpeechLength": 1000.0}, "obtained_values": values, "quality_short_description": "OK"},
        "Liveness": {"score": 2.25, "probability": 0.9046505093574524, "validation_status_code": "OK"},
        "CheckedTemplate": {
            "voice_template": template,
            "quality_check_result": {
                "threshold_values": {"SNR": 8.0, "SpeechLength": 1000.0},
                "obtained_values": values,
                "quality_short_description": "OK",
            },
            "liveness_result": {"score": 2.25, "probability": 0.9046505093574524, "validation_status_code": "OK"},
        },
        "Summary": {
            "background_length": 0.05999999865889549,
            "speech_signal_length": 0.05999999865889549,
            "total_length": 0.125,
            "vad_result": {"frame_length_ms": 30.0, "frames": [False, False, True, True]},
            "speech_events": [
                {"is_voice": False, "audio_interval": {**interval, "start_sample": 0, "start_time": 0, "end_sample": 960, "end_time": 60}},
                {"is_voice": True, "audio_interval": interval},
            ],
        },
        "Snr": 21.5,
        "BuildInfo": {
            "version": __version__,
            "components": ["verify", "media", "liveness"],
            "git_info": f"voicestream {__version__}",
            "license_info": "Apache-2.0",
            "license_expiration_date": "2099-12-31",
        },
        "Date": "2099-12-31",
        "Health": {"started": True, "live": True, "ready": True},
        "TokenForm": {"grant_type": "client_credentials", **_EXAMPLE_CLIENT},
        "Token": {"access_token": "eyJ...", "token_type": "Bearer", "expires_in": 3600},
        "TokenQueryForm": {"token": "eyJ...", **_EXAMPLE_CLIENT},
        "Nothing": {},
        "Introspection": {
            "active": True,
            "token_type": "Bearer",
            "iss": "https://voice.example",
            "sub": _EXAMPLE_CLIENT["client_id"],
            "aud": "daspeak",
            "client_id": _EXAMPLE_CLIENT["client_id"],
            "tenant": _EXAMPLE_CLIENT["client_id"],
            "scope": "register verify",
            "iat": 1795255200,
            "nbf": 1795255200,
            "exp": 1795258800,
            "jti": "kzB1s2vN0mJ9eXq3T7dWcA",
        },
        "OAuthMetadata": metadata("https://voice.example", ("register", "verify")),
        "OAuthError": {"error": "invalid_client", "error_description": f"{CLIENT_REFUSED.code} {CLIENT_REFUSED.sentence}"},
        "Error": {
            "timestamp": "2026-11-21T10:15:30.123+00:00",
            "status": 422,
            "error": "Unprocessable Entity",
            "message": "VS3013 not enough speech: 0.42 s found, 1.00 s needed",
            "path": "/voice_template_factory/create_voice_template_from_samples",
        },
    }
