"""ELSA's HTTP twins in the OpenAPI document. Their refusals have a shape of their own, which its clients know."""

from typing import Final, TypeAlias

from voicestream import errors
from voicestream.errors import Fault
from voicestream.protocols.elsa_json import result_object, transcript_object
from voicestream.protocols.elsa_message import PLANS
from voicestream.protocols.elsa_refusal import refusal_object
from voicestream.server.assessment import AUDIOS, RESULTS
from voicestream.server.http.elsa import FREE, SCRIPTED, TRANSCRIPT
from voicestream.sessions.assessment_result import Assessment, Level, Melody, Pace, Phone, Scores, Utterance, Word

Json: TypeAlias = dict[str, object]

TAG: Final = "api"
SECURITY_SCHEME: Final[Json] = {
    "elsa": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`ELSA KEY`, as `voicestream keys add` told it."}
}
_ERRORS: Final[dict[str, tuple[str, Fault]]] = {
    "400": ("A field is missing or wrong, or nobody speaks", errors.ASSESSMENT_FIELD),
    "401": ("No token, or one that is not good", errors.ASSESSMENT_TOKEN),
    "403": ("The plan is not offered", errors.ASSESSMENT_PLAN),
    "404": ("Nothing is under this link any more", errors.ASSESSMENT_UNKNOWN),
    "408": ("The body took too long", errors.BODY_SLOW),
    "413": ("The body is too large", errors.BODY_LARGE),
    "415": ("Not a form, or no audio that can be read", errors.UNKNOWN_FORMAT),
    "429": ("Busy: try again after Retry-After seconds", errors.ASSESSMENT_BUSY),
    "500": ("The assessment failed", errors.WORKER_DIED),
    "503": ("There is nobody to assess it: try again after Retry-After seconds", errors.WORKER_MISSING),
    "504": ("The assessment took too long", errors.ASSESSMENT_LATE),
}
_TEXT: Final[Json] = {"type": "string"}
_FLAG: Final[Json] = {"type": "string", "enum": ["true", "false"]}
_AUDIO: Final[Json] = {
    "audio_file": {**_TEXT, "format": "binary", "description": "WAV, MP3, M4A, FLAC, Ogg or WebM; also as `audio`."},
    "audio_data": {**_TEXT, "description": "The same in base64."},
}
_PLAN: Final[Json] = {**_TEXT, "enum": list(PLANS), "description": "standard: up to 60 s are scored; premium: 150 s."}
_OBJECT: Final[Json] = {"type": "object"}


def _object(*required: str) -> Json:
    return {**_OBJECT, "required": list(required)}


_LINKS: Final = ("result_link", "audio_link")
SCHEMAS: Final[Json] = {
    "Assessment": {**_object("api_version", "total_time", "transcript", "recording_quality", "assessment_quality", "speakers")},
    "SentenceAssessment": {**_object("api_version", "success", "total_time", "utterance")},
    "Transcript": {**_object("utterances")},
    "ElsaError": {
        **_object("error"),
        "properties": {
            "error": {
                **_object("code", "message", "errors"),
                "properties": {"code": {"type": "integer"}, "message": _TEXT, "errors": {"type": "array", "items": _TEXT}},
            }
        },
    },
}


def examples() -> Json:
    """Schema name -> example."""
    phones = (
        Phone("M", 1.52, 1.60, 92.0, letters=(0, 1)),
        Phone("AA", 1.60, 1.68, 85.0, letters=(1, 2)),
        Phone("R", 1.68, 1.75, 32.0, said="L", letters=(2, 3)),
    )
    word = Word("market", 1.52, 2.04, 61.0, phones, 0.91, place=0)
    pace = Pace(118.4, 160.0, 420.0, 140.0, 190.0, 500.0)
    scores = Scores(74.2, 78.0, 73.1, 69.5)
    levels = dict.fromkeys(("overall", "pronunciation", "fluency"), Level("B2", "B1", "C1")) | {"intonation": Level("B1", "B1", "C1")}
    free = Assessment(24.6, 21.4, 28.0, "ok", (Utterance("market", (word,)),), scores, pace, Melody(2.8, 4.1), levels=levels)
    scripted = Assessment(2.6, 0.5, 28.0, "ok", free.utterances, scores, pace, free.melody, sentence="market", levels=levels)
    links = {"result_link": f"https://voice.example{RESULTS}/vQx2", "audio_link": f"https://voice.example{AUDIOS}/y3Fa"}
    return {
        "Assessment": {**links, **result_object(free)},
        "SentenceAssessment": {**links, **result_object(scripted, hints=True)},
        "Transcript": transcript_object(free),
        "ElsaError": refusal_object(errors.ASSESSMENT_FIELD, ["api_plan: must be standard or premium"]),
    }


def paths() -> Json:
    """The twins, for whoever shows a token, and what their links lead to, for whoever has the link."""
    plan: Json = {"api_plan": _PLAN}
    told: Json = {
        FREE: _post(
            "Assess free speech",
            {**plan, "return_json": _FLAG},
            {**_AUDIO, "force_grammar_vocab": {**_FLAG, "description": "These scores also of a short recording."}},
            "Assessment",
        ),
        TRANSCRIPT: _post("Say what was said", {"api_plan": {**_TEXT, "enum": [*PLANS, "asr"]}}, _AUDIO, "Transcript"),
    }
    hints: Json = {"return_feedback_hints": {**_FLAG, "description": "Say in words what to do about a sound."}}
    sentence: Json = {"sentence": {**_TEXT, "description": "What was to be said, or a JSON list of up to 8 sentences."}}
    for path in SCRIPTED:
        told[path] = _post("Assess a given sentence", sentence, {**plan, **_AUDIO, **hints}, "SentenceAssessment")
    told[f"{RESULTS}/{{link}}"] = _kept("result", {"application/json": {"schema": _OBJECT}})
    told[f"{AUDIOS}/{{link}}"] = _kept("recording", {"audio/wav": {"schema": {**_TEXT, "format": "binary"}}})
    return told


def _post(summary: str, wanted: Json, optional: Json, answer: str) -> Json:
    form = {"type": "object", "properties": {**wanted, **optional}, "required": list(wanted)}
    done = {"schema": {"$ref": f"#/components/schemas/{answer}"}, "examples": {"example": {"$ref": f"#/components/examples/{answer}"}}}
    return {
        "post": {
            "tags": [TAG],
            "summary": summary,
            "security": [{"elsa": []}],
            "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}},
            "responses": {
                "200": {"description": "Done", "content": {"application/json": done}},
                **{status: _error(status) for status in _ERRORS if status != "404"},
            },
        }
    }


def _kept(what: str, content: Json) -> Json:
    link = {"name": "link", "in": "path", "required": True, "schema": _TEXT, "example": "vQx2"}
    return {
        "get": {
            "tags": [TAG],
            "summary": f"A {what}, by its link",
            "parameters": [link],
            "responses": {"200": {"description": "Done", "content": content}, "404": _error("404")},
        },
        "delete": {
            "tags": [TAG],
            "summary": f"Forget a {what}",
            "security": [{"elsa": []}],
            "parameters": [link],
            "responses": {"204": {"description": "Forgotten"}, "401": _error("401"), "404": _error("404")},
        },
    }


def _error(status: str) -> Json:
    description, fault = _ERRORS[status]
    content = {"schema": {"$ref": "#/components/schemas/ElsaError"}, "example": refusal_object(fault)}
    return {"description": description, "content": {"application/json": content}}
