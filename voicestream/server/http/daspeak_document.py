"""The paths of das-Peak's back end in the OpenAPI document. Their refusals have a shape of their own, which its clients parse."""

from typing import Final, TypeAlias

from voicestream import errors
from voicestream.errors import Fault, PeerError
from voicestream.protocols import daspeak_backend as dialect
from voicestream.protocols.daspeak_exception import refusal
from voicestream.server.http.daspeak import PREFIX

Json: TypeAlias = dict[str, object]

TAG: Final = "daspeak"
SECURITY_SCHEME: Final[Json] = {
    "apikey": {"type": "apiKey", "in": "header", "name": "apikey", "description": "As `voicestream keys add` told it."}
}
_ERRORS: Final[dict[str, tuple[str, Fault]]] = {
    "400": ("A field, the recording or a credential is missing or wrong", errors.WAV_SPEECH),
    "401": ("No API key, or one that is not good", errors.API_KEY_REFUSED),
    "404": ("No model has this hash", errors.MODEL_HASH_UNKNOWN),
    "408": ("The body took too long", errors.BODY_SLOW),
    "413": ("The body or the list is too long", errors.BODY_LARGE),
    "415": ("Not a form, or not a WAV file", errors.NO_WAV),
    "429": ("Too many comparisons with this voice were rejected: try again after Retry-After seconds", errors.CALL_ATTEMPTS),
    "503": ("Busy: try again after Retry-After seconds", errors.OVERLOADED),
}

_TEXT: Final[Json] = {"type": "string"}
_HASH: Final[Json] = {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256 of the weights of a model."}
_CREDENTIAL: Final[Json] = {"type": "string", "description": "Opaque base64, sealed for the tenant of the API key. Keep it: we do not."}
_PROBABILITY: Final[Json] = {"type": "number", "minimum": 0, "maximum": 1}
_SECONDS: Final[Json] = {"type": "number", "minimum": 0, "description": "seconds"}
_SCORE: Final[Json] = {**_PROBABILITY, "description": "Calibrated probability of one speaker, at even odds."}

# ---- fields of the forms

_FILE: Final[Json] = {
    "type": "string",
    "format": "binary",
    "description": "WAV: PCM_16, ULAW or ALAW, 8 or 16 kHz, up to 2 channels, under 30 s.",
}
_CHANNEL: Final[Json] = {
    "type": "integer",
    "minimum": 1,
    "maximum": 2,
    "default": 1,
    "description": "Which channel to hear, counted from 1.",
}
_CALIBRATION: Final[Json] = {"type": "string", "default": dialect.DEFAULT_CALIBRATION, "description": "A name of `models/calibration`."}
_CANDIDATES: Final[Json] = {
    "type": "string",
    "description": 'JSON text: `[{"id":"a","credential":"..."}]`, all of one model; no more than the setting `daspeak_candidates`.',
}


def paths() -> Json:
    """All of them, for whoever shows an API key."""
    hear: Json = {"channel": _CHANNEL, "calibration": _CALIBRATION}
    evaluate: Json = {"audio_to_evaluate": _FILE}
    reference: Json = {"credential_reference": _CREDENTIAL}
    both: Json = {"audio_reference": _FILE, **evaluate}
    channels: Json = {"channel_reference": _CHANNEL, "channel_to_evaluate": _CHANNEL, "calibration": _CALIBRATION}
    candidate: Json = {"credential_to_evaluate": _CREDENTIAL}
    list_of: Json = {"credential_list": _CANDIDATES}
    posts: dict[str, tuple[str, Json, Json, str]] = {
        "/models/metadata": ("Which model has this hash", {"hash": _HASH}, {}, "DaspeakMetadata"),
        "/models/calibration": ("Which calibrations a model has", {"hash": _HASH}, {}, "DaspeakCalibrations"),
        "/models/metadata/from-credential": ("Which model made a credential", {"credential": _CREDENTIAL}, {}, "DaspeakMetadata"),
        "/models/{model_hash}/credential/wav": ("Make a credential of a recording", {"audio": _FILE}, hear, "DaspeakCredential"),
        "/similarity/credential2wav": ("Compare a credential with a recording", reference | evaluate, hear, "DaspeakAudioScore"),
        "/similarity/wav2wav": ("Compare two recordings, with the server's own model", both, channels, "DaspeakAudiosScore"),
        "/similarity/credential2credential": (
            "Compare two credentials", reference | candidate, {"calibration": _CALIBRATION}, "DaspeakCredentialScore",
        ),
        "/identification/wav2credentials": (
            "Find whose credential fits a recording best", evaluate | list_of, hear, "DaspeakAudioIdentity",
        ),
        "/identification/credential2credentials": (
            "Find whose credential fits a credential best", candidate | list_of, {"calibration": _CALIBRATION}, "DaspeakCredentialIdentity",
        ),
    }  # fmt: skip
    told: Json = {
        f"{PREFIX}/alive": _get("Answers while the process lives", "DaspeakAlive"),
        f"{PREFIX}/models": _get("Hashes of the models on offer; the last one is the server's own", "DaspeakModels"),
    }
    return told | {PREFIX + path: _post(*row, path_hash="{model_hash}" in path) for path, row in posts.items()}


def _get(summary: str, answer: str) -> Json:
    return {"get": _operation(summary, answer, ["401"])}


def _post(summary: str, wanted: Json, optional: Json, answer: str, *, path_hash: bool) -> Json:
    form: Json = {"type": "object", "properties": wanted | optional, "required": [*wanted]}
    media = "multipart/form-data" if _FILE in wanted.values() else "application/x-www-form-urlencoded"
    operation = _operation(summary, answer, [*_ERRORS])
    if path_hash:
        operation["parameters"] = [{"name": "model_hash", "in": "path", "required": True, "schema": _HASH}]
    return {"post": {**operation, "requestBody": {"required": True, "content": {media: {"schema": form}}}}}


def _operation(summary: str, answer: str, statuses: list[str]) -> Json:
    done = {"description": "Done", "content": _json(answer)}
    return {
        "tags": [TAG],
        "summary": summary,
        "security": [{"apikey": []}],
        "responses": {"200": done, **{status: _error(status) for status in statuses}},
    }


def _json(schema: str) -> Json:
    return {
        "application/json": {
            "schema": {"$ref": f"#/components/schemas/{schema}"},
            "examples": {"example": {"$ref": f"#/components/examples/{schema}"}},
        }
    }


def _error(status: str) -> Json:
    description, fault = _ERRORS[status]
    schema = "DaspeakUnauthorised" if status == "401" else "DaspeakError"
    told = refusal(PeerError(fault)).body
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": told}},
    }


# ---- answers


def _object(**properties: object) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _answered(**properties: object) -> Json:
    return _object(version=_TEXT, **properties)


def _heard(side: str) -> Json:
    living = {**_PROBABILITY, "description": "Calibrated probability of a living voice."}
    return {f"authenticity{side}": living, f"input_audio_duration{side}": _SECONDS, f"net_speech_duration{side}": _SECONDS}


_METADATA: Final = _object(hash=_HASH, description=_TEXT)
_MODEL: Final = _object(hash=_HASH, mode=_TEXT)
_LIKENESS: Final = _object(id=_TEXT, score=_SCORE)
_COMPARED: Final[Json] = {"score": _SCORE, "model": _MODEL, "calibration": _TEXT}
_IDENTIFIED: Final[Json] = {"result": _LIKENESS, "scores": {"type": "array", "items": _LIKENESS}, "calibration": _TEXT, "model": _MODEL}

SCHEMAS: Final[Json] = {
    "DaspeakAlive": _object(status=_TEXT),
    "DaspeakModels": _answered(models={"type": "array", "items": _HASH, "minItems": 1}),
    "DaspeakMetadata": _answered(metadata=_METADATA),
    "DaspeakCalibrations": _answered(calibrations={"type": "array", "items": _TEXT, "minItems": 2}),
    "DaspeakCredential": _answered(model=_MODEL, credential=_CREDENTIAL, **_heard("")),
    "DaspeakAudioScore": _answered(**_COMPARED, **_heard("_to_evaluate")),
    "DaspeakAudiosScore": _answered(**_COMPARED, **_heard("_reference"), **_heard("_to_evaluate")),
    "DaspeakCredentialScore": _answered(**_COMPARED),
    "DaspeakAudioIdentity": _answered(**_IDENTIFIED, **_heard("_to_evaluate")),
    "DaspeakCredentialIdentity": _answered(**_IDENTIFIED),
    "DaspeakError": _object(
        exception=_TEXT, error={**_TEXT, "description": "Clients parse its words."}, code={"type": "string", "pattern": "^VS[0-9]{4}$"}
    ),
    "DaspeakUnauthorised": _object(message=_TEXT),
}


def examples() -> dict[str, object]:
    """Schema name -> example, spelled as the answers are."""
    model_hash = bytes(range(32))
    name = dialect.DEFAULT_CALIBRATION
    heard = dialect.Heard(0.9812, 7.5, 5.13)
    ranking = [("alice", 0.0213), ("bob", 0.9934)]
    return {
        "DaspeakAlive": {"status": "ok"},
        "DaspeakModels": dialect.models([model_hash]),
        "DaspeakMetadata": dialect.metadata(model_hash, "mfcc 2"),
        "DaspeakCalibrations": dialect.calibrations([name, "microphone-channel"]),
        "DaspeakCredential": dialect.enrolled(model_hash, "VlN2dAEB...", heard),
        "DaspeakAudioScore": dialect.compared(0.9934, model_hash, name, heard),
        "DaspeakAudiosScore": dialect.compared(0.9934, model_hash, name, heard, heard),
        "DaspeakCredentialScore": dialect.compared_credentials(0.9934, model_hash, name),
        "DaspeakAudioIdentity": dialect.identified(ranking, 1, model_hash, name, heard),
        "DaspeakCredentialIdentity": dialect.identified(ranking, 1, model_hash, name),
        "DaspeakError": refusal(PeerError(errors.WAV_SPEECH)).body,
        "DaspeakUnauthorised": refusal(PeerError(errors.NO_API_KEY)).body,
    }
