"""ELSA's WebSocket dialects in the AsyncAPI document: what is heard, what is said, and in which words."""

from typing import Final, TypeAlias

from voicestream.protocols import elsa, elsa_scripted
from voicestream.protocols.elsa_message import END, PLANS, START

Json: TypeAlias = dict[str, object]

_TEXT: Final[Json] = {"type": "string"}
_PLAN: Final[Json] = {**_TEXT, "enum": list(PLANS)}
_FLAG: Final[Json] = {"oneOf": [{"type": "boolean"}, {**_TEXT, "enum": ["true", "false", "True", "False"]}]}
_REASONS: Final = sorted({*elsa.REASONS.values(), "server_error"})
_FREE, _SCRIPTED = "elsa_free", "elsa_scripted"
_ADDRESSES: Final = {_FREE: elsa.PATH, _SCRIPTED: elsa_scripted.PATH, "elsa_connect": elsa_scripted.ALIAS}
_HEARD: Final = {_FREE: ["elsa_config", "elsa_packet", "elsa_end"], _SCRIPTED: ["elsa_start", "elsa_packet", "elsa_end"]}
_TITLES: Final = {_FREE: "Tell how somebody speaks freely", _SCRIPTED: "Tell how somebody reads a given sentence"}


def _object(required: Json, optional: Json | None = None) -> Json:
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def _status(status: str, fields: Json) -> Json:
    return _object({"status": {**_TEXT, "enum": [status]}, **fields})


def _typed(kind: str, fields: Json | None = None) -> Json:
    return _object({"type": {**_TEXT, "enum": [kind]}, **(fields or {})})


_PAYLOADS: Final[dict[str, tuple[Json, object]]] = {
    "elsa_config": (
        _object(
            {"api_plan": _PLAN},
            {"return_json": _FLAG, "verbose": _FLAG, "auto_endpoint": _FLAG, "force_grammar_vocab": _FLAG,
             "endpoint_silence": {"type": "number", "minimum": 1, "maximum": 30, "description": "seconds"}},
        ),
        {"api_plan": "standard", "return_json": True},
    ),
    "elsa_start": (
        _typed(START, {"data": _object({"stream_info": _object({"api_plan": _PLAN, "sentence": {
            "oneOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 8}]}})})}),
        {"type": START, "data": {"stream_info": {"api_plan": "standard", "sentence": "pizza party"}}},
    ),
    "elsa_end": (_typed(END), {"type": END}),
    "elsa_opened": (_status("processing", {"stream_id": _TEXT}), {"status": "processing", "stream_id": "s-5b1f"}),
    "elsa_finished": (_status("processing", {"message": _TEXT}), {"status": "processing", "message": elsa.FINISHED}),
    "elsa_accepted": (_status("accepted", {"stream_id": _TEXT}), {"status": "accepted", "stream_id": "s-5b1f"}),
    "elsa_paused": (_status("paused", {"stream_id": _TEXT}), {"status": "paused", "stream_id": "s-5b1f"}),
    "elsa_bad_quality": (
        _status("bad_quality", {"reason": {**_TEXT, "enum": sorted(elsa.QUALITY.values())}}),
        {"status": "bad_quality", "reason": "clipped"},
    ),
    "elsa_success": (
        _status("success", {"result_link": _TEXT, "audio_link": _TEXT}),
        {"status": "success", "result_link": "https://voice.example/api/v1/results/vQx2", "audio_link": "", "partial_error": "too_short"},
    ),
    "elsa_failed": (_status("failed", {"reason": {**_TEXT, "enum": _REASONS}}), {"status": "failed", "reason": "no_audio"}),
    "elsa_connected": (_typed("ELSA:wsConnect"), {"type": "ELSA:wsConnect"}),
    "elsa_started": (
        _typed("ELSA:start_stream_result", {"data": _object({"stream_id": _TEXT})}),
        {"type": "ELSA:start_stream_result", "data": {"stream_id": "s-5b1f"}},
    ),
    "elsa_ack": (
        _typed("ELSA:audioACK", {"data": _object({"packet": {"type": "integer", "minimum": 0}})}),
        {"type": "ELSA:audioACK", "data": {"packet": 0}},
    ),
    "elsa_warning": (_typed("ELSA:warning", {"message": _TEXT}), {"type": "ELSA:warning", "message": "The recording is noisy."}),
    "elsa_stopped": (_typed("ELSA:stopped_listening"), {"type": "ELSA:stopped_listening"}),
    "elsa_result": (
        _typed("ELSA:decoding_result", {"data": _object({"stream_finished": {"type": "boolean"}, "utterance": {"type": "array"}})}),
        {"type": "ELSA:decoding_result", "data": {"stream_finished": True, "utterance": []}},
    ),
    "elsa_ready": (_typed("ELSA:ready"), {"type": "ELSA:ready"}),
    "elsa_error": (_typed("ELSA:error", {"message": _TEXT}), {"type": "ELSA:error", "message": "message out of order"}),
}  # fmt: skip
_SAID: Final = {
    _FREE: ["elsa_accepted", "elsa_opened", "elsa_finished", "elsa_paused", "elsa_bad_quality", "elsa_success", "elsa_failed"],
    _SCRIPTED: [
        "elsa_connected", "elsa_started", "elsa_ack", "elsa_warning", "elsa_stopped", "elsa_result", "elsa_ready", "elsa_error",
    ],
}  # fmt: skip

MESSAGES: Final[Json] = {
    "elsa_packet": {
        "name": "elsa_packet",
        "title": "A WAV file, a piece of one, or a piece of an MP3, M4A, FLAC, Ogg or WebM file",
        "contentType": "application/octet-stream",
        "payload": {"type": "string", "format": "binary"},
    },
    **{
        name: {"name": name, "title": name.removeprefix("elsa_"), "payload": payload, "examples": [{"payload": example}]}
        for name, (payload, example) in _PAYLOADS.items()
    },
}


def channels() -> Json:
    """The three paths; a token comes in the header Authorization, or from browsers as the subprotocol `elsa.TOKEN`."""
    return {
        name: {
            "address": address,
            "title": _TITLES[_kind(name)],
            "description": "Authorization: ELSA KEY; browsers offer the subprotocol elsa.KEY.",
            "messages": {message: {"$ref": f"#/components/messages/{message}"} for message in _HEARD[_kind(name)] + _SAID[_kind(name)]},
        }
        for name, address in _ADDRESSES.items()
    }


def operations() -> Json:
    """What the server receives on each channel, and what it may reply."""
    return {
        f"{name}_receive": {
            "action": "receive",
            "summary": _TITLES[_kind(name)],
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [{"$ref": f"#/channels/{name}/messages/{message}"} for message in _HEARD[_kind(name)]],
            "reply": {
                "channel": {"$ref": f"#/channels/{name}"},
                "messages": [{"$ref": f"#/channels/{name}/messages/{message}"} for message in _SAID[_kind(name)]],
            },
        }
        for name in _ADDRESSES
    }


def _kind(name: str) -> str:
    return _FREE if name == _FREE else _SCRIPTED
