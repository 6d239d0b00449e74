"""The OpenAPI document of the HTTP API, cut down to the components that are switched on.

Version 3.0.3: the Swagger page we serve (4.15) does not draw 3.1. tests/http/test_openapi.py holds it
against the routes of the application and against its real answers.
"""

from datetime import UTC, datetime
from typing import Final, TypeAlias

from voicestream import __version__, errors
from voicestream.codecs.containers import RATES_HZ
from voicestream.server.config import Settings
from voicestream.server.http import daspeak_document, daspeak_rest_document, elsa_document, oauth_document
from voicestream.server.http.refusal import error_object
from voicestream.server.http.schema import SCHEMAS, examples

Json: TypeAlias = dict[str, object]

_ABOUT: Final = """\
The HTTP side of a self-hosted voice server. Nothing is stored: a voice template is an opaque text that you keep.

* `..._file`: multipart/form-data with the recording in part `audio_file` or `wav_file`: WAV, FLAC, AIFF, Ogg, Opus, MP3, M4A, WebM...;
  channels are averaged to mono.
* `..._samples`: application/octet-stream, PCM16 little-endian **mono** at `?sample_rate=`. Nothing declares channels:
  stereo sent as mono plays at half speed. A whole WAV file is recognised and read with its own rate.
* A refusal is JSON with a numbered code first in `message`; `/errors` lists the codes with cause and fix.
* The streaming API is described in `/asyncapi.json`."""


def document(settings: Settings, template: str, *, assessment: bool) -> Json:
    """OpenAPI 3.0.3 of the paths that exist under these settings; `template`: the text of one, for the examples.

    assessment: whether somebody recognises speech.
    """
    paths = {**_core(), **_operation(), **_pages()}
    if settings.component_verify:
        paths |= _voice(settings)
    if settings.component_liveness:
        paths |= _liveness()
    if settings.component_verify and settings.component_liveness:
        paths |= _checked(settings)
    if settings.component_media:
        paths |= _media()
    if settings.component_template_converter:
        paths |= _converter()
    if settings.component_daspeak:
        paths |= oauth_document.paths() | daspeak_document.paths() | daspeak_rest_document.paths()
    if assessment:
        paths |= elsa_document.paths()
    used = {path.split("/")[1] for path in paths}
    shown = examples(template) | daspeak_document.examples() | daspeak_rest_document.examples(template) | elsa_document.examples()
    components = {
        "schemas": SCHEMAS | daspeak_document.SCHEMAS | daspeak_rest_document.SCHEMAS | elsa_document.SCHEMAS,
        "examples": {name: {"value": value} for name, value in shown.items()},
        "securitySchemes": {
            "client": {"type": "http", "scheme": "basic", "description": "Client id and secret, as well as in the form."},
            **daspeak_document.SECURITY_SCHEME,
            **daspeak_rest_document.SECURITY_SCHEMES,
            **elsa_document.SECURITY_SCHEME,
        },
    }
    return {
        "openapi": "3.0.3",
        "info": {"title": "voicestream", "version": __version__, "description": _ABOUT, "license": {"name": "Apache-2.0"}},
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items() if name in {"operation", "page"} | used],
        "paths": paths,
        "components": components,
    }


_TAGS: Final = {
    "voice_template_factory": "Make, check and merge voice templates (component verify).",
    "voice_template_matcher": "Compare two voice templates (component verify).",
    "liveness_engine": "Is a voice a living one, or synthetic or replayed (component liveness).",
    "speech_summary_engine": "How much speech there is, and where (component media).",
    "snr_computer": "How clean a recording is (component media).",
    "voice_template_converter": "Templates of other models (component template_converter).",
    "verify_engine": "The names of the 2.x generation for the same paths.",
    "oauth2": "Access tokens for clients of the das-Peak services (component daspeak).",
    "dpsrest": "Voices of telephone calls registered and verified: signalling by polling (component daspeak).",
    "daspeak": "Credentials of voices, similarity and identification, as das-Peak's back end has them (component daspeak).",
    "api": "How somebody speaks English, as ELSA's clients ask it (component assessment).",
    "core": "What is running.",
    "operation": "For probes and Prometheus.",
    "page": "For people, and the documents themselves.",
}


def _voice(settings: Settings) -> Json:
    made = _json("VoiceTemplate") | _PLAIN_TEMPLATE
    paths: Json = {}
    for tag in ("voice_template_factory", "verify_engine"):
        paths |= _audio_pair(
            tag,
            f"/{tag}/create_voice_template_from_file",
            f"/{tag}/create_voice_template_from_samples",
            f"Make a voice template from at least {settings.min_speech_s:g} s of net speech",
            made,
            [_CHANNEL, _configuration(settings), _BARE],
            "400 408 413 415 422 503",
        )
    paths |= _audio_pair(
        "voice_template_factory",
        "/voice_template_factory/check_quality_from_file",
        "/voice_template_factory/check_quality_from_samples",
        "Say whether a recording is good enough to make a template from",
        _json("Quality"),
        [],
    )
    paths["/voice_template_factory/merge_voice_templates"] = _post(
        "voice_template_factory", "Merge templates of one speaker into one", _body("Templates"), made, [_BARE], "400 408 413 415"
    )
    for tag, path in (
        ("voice_template_matcher", "/voice_template_matcher/match_voice_templates"),
        ("verify_engine", "/verify_engine/verify"),
    ):
        paths[path] = _post(tag, "Compare two voice templates", _body("Pair"), _json("Match"), [], "400 408 413 415")
    return paths


def _liveness() -> Json:
    return _audio_pair(
        "liveness_engine",
        "/liveness_engine/check_liveness_file",
        "/liveness_engine/check_liveness_samples",
        "Say whether the voice of a recording is a living one",
        _json("Liveness"),
        [],
    )


def _checked(settings: Settings) -> Json:
    return {
        "/voice_template_factory/create_voice_template_checked_from_file": _post(
            "voice_template_factory",
            "Make a voice template of a good recording of a living voice only",
            _FILE_BODY,
            _json("CheckedTemplate"),
            [_CHANNEL, _configuration(settings)],
            "400 408 413 415 422 503",
        )
    }


def _media() -> Json:
    return _audio_pair(
        "speech_summary_engine",
        "/speech_summary_engine/get_speech_summary_from_file",
        "/speech_summary_engine/get_speech_summary_from_samples",
        "Tell speech from background, in frames of 30 ms",
        _json("Summary"),
        [],
    ) | _audio_pair(
        "snr_computer",
        "/snr_computer/compute_with_file",
        "/snr_computer/compute_with_samples",
        "Estimate the signal-to-noise ratio in dB",
        _json("Snr"),
        [],
    )


def _converter() -> Json:
    return {
        "/voice_template_converter/convert_voice_template": _post(
            "voice_template_converter",
            "Convert a template to the default configuration",
            _body("VoiceTemplate"),
            _json("VoiceTemplate") | _PLAIN_TEMPLATE,
            [_BARE],
            "400 408 413 415",
        )
    }


def _core() -> Json:
    return {
        "/core/get_build_info": _get("core", "Version and components", _json("BuildInfo")),
        "/core/get_expiration_date": _get("core", "A date far away: there is no licence to expire", _json("Date")),
    }


def _operation() -> Json:
    health = _json("Health")
    plain: Json = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "/healthz": _get("operation", "Answers while the process lives", health),
        "/startupz": _get("operation", "503 until models are loaded and the port is open", health, unready=True),
        "/readyz": _get("operation", "503 while starting or draining", health, unready=True),
        "/metrics": _get("operation", "Prometheus text exposition format", plain),
    }


def _pages() -> Json:
    html: Json = {"text/html": {"schema": {"type": "string"}}}
    any_object: Json = {"application/json": {"schema": {"type": "object"}}}
    return {
        "/": _get("page", "Landing page", html),
        "/errors": _get("page", "Every error code with cause and fix", html),
        "/swagger-ui.html": _get("page", "This document, to try in the browser", html),
        "/openapi.json": _get("page", "This document", any_object),
        "/asyncapi.json": _get("page", "The WebSocket API as an AsyncAPI document", any_object),
    }


# ---- pieces

_PART: Final[Json] = {"type": "string", "format": "binary"}
_FORM: Final[Json] = {
    "type": "object",
    "properties": {"audio_file": _PART, "wav_file": {**_PART, "description": "Another name for audio_file."}},
    "anyOf": [{"required": ["audio_file"]}, {"required": ["wav_file"]}],
}
_FILE_BODY: Final[Json] = {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}
_SAMPLES_BODY: Final[Json] = {"required": True, "content": {"application/octet-stream": {"schema": _PART}}}
_CHANNEL: Final[Json] = {
    "name": "channel_type",
    "in": "query",
    "description": "Where the audio comes from. Our models need no hint; checked and otherwise ignored. Empty means absent.",
    "schema": {"type": "string", "enum": ["MIC", "TEL", "MIXED", ""]},
    "allowEmptyValue": True,
}
_BARE: Final[Json] = {
    "name": "bare",
    "in": "query",
    "description": "`true`: the template as plain text without quotes, as an Accept header that prefers text/plain gives it too.",
    "schema": {"type": "boolean"},
}
_RATE: Final[Json] = {
    "name": "sample_rate",
    "in": "query",
    "required": True,
    "description": "Samples per second.",
    "schema": {"type": "integer", "enum": sorted(RATES_HZ)},
    "example": 16000,
}


def _configuration(settings: Settings) -> Json:
    names = sorted({settings.model, *settings.configurations})
    return {
        "name": "configuration",
        "in": "query",
        "description": f"The model to use, of {', '.join(names)}. Absent or empty: {settings.model}.",
        "schema": {"type": "string", "enum": [*names, ""]},
        "allowEmptyValue": True,
    }


def _audio_pair(
    tag: str, file_path: str, samples_path: str, summary: str, answer: Json, parameters: list[Json], refusals: str = "400 408 413 415 503"
) -> Json:
    return {
        file_path: _post(tag, f"{summary} (file)", _FILE_BODY, answer, parameters, refusals),
        samples_path: _post(tag, f"{summary} (samples)", _SAMPLES_BODY, answer, [_RATE, *parameters], refusals),
    }


def _post(tag: str, summary: str, body: Json, answer: Json, parameters: list[Json], refusals: str) -> Json:
    return {
        "post": {
            "tags": [tag],
            "summary": summary,
            "parameters": parameters,
            "requestBody": body,
            "responses": {"200": {"description": "Done", "content": answer}, **{status: _error(status) for status in refusals.split()}},
        }
    }


def _get(tag: str, summary: str, answer: Json, *, unready: bool = False) -> Json:
    responses: Json = {"200": {"description": "Done", "content": answer}}
    if unready:
        responses["503"] = {"description": "Not now", "content": answer}
    return {"get": {"tags": [tag], "summary": summary, "responses": responses}}


def _body(schema: str) -> Json:
    return {"required": True, "content": _json(schema)}


def _json(schema: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}, "examples": {"example": _example(schema)}}}


def _example(schema: str) -> Json:
    return {"$ref": f"#/components/examples/{schema}"}


_PLAIN_TEMPLATE: Final[Json] = {"text/plain": {"schema": {"type": "string"}, "examples": {"example": _example("VoiceTemplate")}}}

_ERRORS: Final = {  # status -> what it means, and one of the faults that are told with it
    "400": ("A parameter, the body, the audio or a template is missing or wrong", errors.PARAMETER_WRONG),
    "408": ("The body took too long", errors.BODY_SLOW),
    "413": ("The body or the recording is too large", errors.BODY_LARGE),
    "415": ("Content type or audio format not supported", errors.CONTENT_TYPE),
    "422": ("The recording holds too little speech, or is not good enough", errors.LITTLE_SPEECH),
    "503": ("Busy: try again after Retry-After seconds", errors.OVERLOADED),
}
_EXAMPLE_TIME: Final = datetime(2026, 11, 21, 10, 15, 30, 123_000, UTC)


def _error(status: str) -> Json:
    description, fault = _ERRORS[status]
    told = error_object(fault, "", "/voice_template_factory/create_voice_template_from_samples", _EXAMPLE_TIME)
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}, "example": told}},
    }
