"""The AsyncAPI 3.0 document of the WebSocket endpoints, made from the tables the dialects themselves run by."""

from typing import Final, TypeAlias

from voicestream import __version__
from voicestream.protocols.idvoice import ENDPOINTS, Endpoint, Parameter
from voicestream.server.config import Settings
from voicestream.server.http import elsa_async_document
from voicestream.server.http.schema import SCHEMAS

Json: TypeAlias = dict[str, object]

_ABOUT: Final = """\
IDVoice's paths: text parameters first, one per message and in this order, each answered `200` (accepted) or `500` (refused: send
the same parameter again; the reason, numbered, is in the server's log). Then binary messages of audio, each answered by exactly
one text message, in order. Parameters and audio may be sent without waiting for answers. There is no end message: close when done.

Audio is PCM16 little-endian mono at the declared rate, in messages of any byte count; on the `_opus` paths each message is one raw
Opus packet (no Ogg, no length in front). Nothing declares channels: stereo sent as mono plays at half speed."""

_SECONDS: Final = r"^[0-9]{1,4}(\.[0-9]{1,6})?$"
_WHOLE: Final = "^[0-9]{1,9}$"


def _parameters(template: str) -> Json:
    """The text messages, by name: title, grammar and an example that is accepted."""
    told = {
        Parameter.MIN_SPEECH: ("Speech, in ms, before an end is looked for", _WHOLE, "300"),
        Parameter.MAX_SILENCE: ("Silence, in ms, that ends an utterance", _WHOLE, "500"),
        Parameter.RATE: ("Sample rate, in Hz: 8000 to 96000; Opus: 8000, 12000, 16000, 24000 or 48000", _WHOLE, "16000"),
        Parameter.TEMPLATE: ("Voice template, as the template factory gave it", "^.+$", template),
        Parameter.CONTEXT: ("Audio context, in seconds: what is remembered; without a window it is that too, up to 3 s", _SECONDS, "10"),
        Parameter.WINDOW: ("Window, in seconds, at most the context; may be left out", _SECONDS, "3"),
    }
    return {
        parameter.value: {
            "name": parameter.value,
            "title": title,
            "contentType": "text/plain",
            "payload": {"type": "string", "pattern": pattern, "examples": [example]},
        }
        for parameter, (title, pattern, example) in told.items()
    }


def document(settings: Settings, template: str, *, assessment: bool) -> Json:
    """AsyncAPI 3.0 of the paths that exist under these settings; `template`: the text of one, for the example.

    assessment: whether somebody recognises speech.
    """
    offered = {"media": settings.component_media, "verify": settings.component_verify}
    endpoints = {path.strip("/"): endpoint for path, endpoint in ENDPOINTS.items() if offered[endpoint.component]}
    channels: Json = {name: _channel(name, endpoint) for name, endpoint in endpoints.items()}
    operations, messages = _operations(endpoints), {**_parameters(template), **_MESSAGES}
    if assessment:
        channels |= elsa_async_document.channels()
        operations |= elsa_async_document.operations()
        messages |= elsa_async_document.MESSAGES
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "voicestream", "version": __version__, "description": _ABOUT, "license": {"name": "Apache-2.0"}},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": {**SCHEMAS, **_RESULTS}},
    }


def _channel(name: str, endpoint: Endpoint) -> Json:
    told = [*(parameter.value for parameter in endpoint.parameters), _audio(endpoint), "accepted", _result(endpoint)]
    order = ", ".join(parameter.value for parameter in endpoint.parameters)
    optional = f"; the last {endpoint.optional} may be left out" if endpoint.optional else ""
    return {
        "address": f"/{name}",
        "title": _TITLES[_result(endpoint)],
        "description": f"Parameters in this order: {order}{optional}.",
        "messages": {message: {"$ref": f"#/components/messages/{message}"} for message in told},
    }


def _operations(endpoints: dict[str, Endpoint]) -> Json:
    """What the server receives on each channel, and what it replies."""
    operations: Json = {}
    for name, endpoint in endpoints.items():
        heard = [parameter.value for parameter in endpoint.parameters]
        operations[f"{name}_parameter"] = _receive(name, heard, "accepted", "Take one parameter")
        operations[f"{name}_audio"] = _receive(name, [_audio(endpoint)], _result(endpoint), "Take audio, answer with the present result")
    return operations


def _receive(channel: str, heard: list[str], told: str, summary: str) -> Json:
    def ref(message: str) -> Json:
        return {"$ref": f"#/channels/{channel}/messages/{message}"}

    return {
        "action": "receive",
        "summary": summary,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [ref(message) for message in heard],
        "reply": {"channel": {"$ref": f"#/channels/{channel}"}, "messages": [ref(told)]},
    }


def _audio(endpoint: Endpoint) -> str:
    return "opus_packet" if endpoint.encoding == "opus" else "pcm16"


def _result(endpoint: Endpoint) -> str:
    if Parameter.TEMPLATE in endpoint.parameters:
        return "verification"
    return "endpoint" if Parameter.MIN_SPEECH in endpoint.parameters else "summary"


_TITLES: Final = {
    "endpoint": "Tell when an utterance has ended",
    "summary": "Tell how much speech there was so far",
    "verification": "Compare windows of the stream with a voice template",
}
_REFUSED: Final[Json] = {"type": "integer", "enum": [500], "description": "This message was refused and changed nothing."}
_LENGTH: Final[Json] = {"type": "number", "minimum": 0, "description": "seconds"}


def _schema(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: object) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


_RESULTS: Final[Json] = {
    "StreamEndpoint": {"oneOf": [{"type": "boolean", "description": "true: the utterance has ended"}, _REFUSED]},
    "StreamSummary": {
        "oneOf": [
            _object(
                current_background_length={**_LENGTH, "description": "seconds since the last speech"},
                speech_length=_LENGTH,
                current_speech_summary=_object(
                    background_length=_LENGTH, speech_signal_length=_LENGTH, total_length=_LENGTH, vad_result=_schema("Vad")
                ),
                speech_events={"type": "array", "items": _schema("Event")},
            ),
            _REFUSED,
        ]
    },
    "StreamVerification": {
        "oneOf": [
            {
                "type": "array",
                "items": _object(audio_interval=_schema("Interval"), verify_result=_schema("Match")),
                "description": "The windows this message completed, oldest first; often none.",
            },
            _REFUSED,
        ]
    },
}
_BINARY: Final = {"type": "string", "format": "binary"}
_MESSAGES: Final[Json] = {
    "pcm16": {"title": "PCM16 little-endian mono", "contentType": "application/octet-stream", "payload": _BINARY},
    "opus_packet": {"title": "One raw Opus packet", "contentType": "audio/opus", "payload": _BINARY},
    "accepted": {
        "title": "200: the parameter is accepted; 500: it is refused",
        "contentType": "text/plain",
        "payload": {"type": "string", "enum": ["200", "500"]},
    },
    "endpoint": {"payload": _schema("StreamEndpoint"), "examples": [{"payload": False}, {"payload": True}]},
    "summary": {
        "payload": _schema("StreamSummary"),
        "examples": [
            {
                "payload": {
                    "current_background_length": 0.0,
                    "speech_length": 0.05999999865889549,
                    "current_speech_summary": {
                        "background_length": 0.05999999865889549,
                        "speech_signal_length": 0.05999999865889549,
                        "total_length": 0.125,
                        "vad_result": {"frame_length_ms": 30.0, "frames": [False, False, True, True]},
                    },
                    "speech_events": [],
                }
            }
        ],
    },
    "verification": {
        "payload": _schema("StreamVerification"),
        "examples": [
            {
                "payload": [
                    {
                        "audio_interval": {
                            "end_sample": 48000,
                            "end_time": 3000,
                            "sample_rate": 16000,
                            "start_sample": 0,
                            "start_time": 0,
                        },
                        "verify_result": {"probability": 0.9750000238418579, "score": 0.6119999885559082},
                    }
                ]
            },
            {"payload": []},
        ],
    },
}
