"""The parameters of a das-Peak session as clients spell them, over Socket.IO and REST alike (daspeak.md section 3.1).

A number may be spelled as a string; null counts as absent; unknown fields are ignored; of a key given twice the last counts.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Self, TypeAlias, TypeVar

from voicestream.errors import SIGNAL_FIELD_MISSING, SIGNAL_FIELD_WRONG, SIGNAL_MODEL, SIGNAL_NO_OBJECT, TEMPLATE_MODEL, Fault, PeerError
from voicestream.protocols.socketio_attachment import Value
from voicestream.sessions.call import CallFailed, Inquiry
from voicestream.sessions.vocabulary import CallEncoding, Template

T = TypeVar("T")
Kind: TypeAlias = Literal["register", "verify"]
Consumer: TypeAlias = Literal["twilio", "audiohook"]

CALL_ID_CHARACTERS: Final = 128
LONGEST_AUDIO_S: Final = 60.0
SHORTEST_AUDIO_S: Final = 0.001  # "more than nothing"; less would make percentages beyond what JSON readers take

_DECIMAL: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DECIMAL_CHARACTERS: Final = 32
_HASH: Final = re.compile(r"[0-9A-Fa-f]{64}")

_CONSUMERS: Final[dict[str, Consumer]] = {"audiohook": "audiohook", "twilio": "twilio"}
_CODECS: Final[dict[str, CallEncoding]] = {"mulaw": "mulaw", "alaw": "alaw", "pcm": "pcm16"}
_SAMPLE_FORMATS: Final[dict[CallEncoding, str]] = {"mulaw": "", "alaw": "", "pcm16": "s16le"}
_RATES_HZ: Final[dict[CallEncoding, tuple[int, ...]]] = {"mulaw": (8000,), "alaw": (8000,), "pcm16": (8000, 16000)}


class ParameterError(PeerError):
    """A parameter is refused. `field`: the one to blame, by the name its sender gave it (`metadata.call_id`); "" for the whole."""

    def __init__(self, field: str, fault: Fault = SIGNAL_FIELD_WRONG, detail: str = "") -> None:
        super().__init__(fault, detail)
        self.field = field

    @property
    def told(self) -> CallFailed:
        """What the asker is told."""
        return CallFailed(self.fault, self.field)


@dataclass(frozen=True, slots=True)
class Offer:
    """What one client may ask of this server, and what it gets where it does not say."""

    models: Mapping[bytes, float]  # SHA-256 of a model's weights -> its similarity threshold; the first is the default
    open_credential: Callable[[str], Template]  # PeerError VS30xx for all but a credential of this client's
    audio_s: float = 5.0
    authenticity_threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """How the audio of a call will come: mono, at 8000 Hz, or 16000 Hz with pcm16."""

    consumer: Consumer
    encoding: CallEncoding
    rate_hz: int

    @property
    def sample_format(self) -> str:
        return _SAMPLE_FORMATS[self.encoding]

    @property
    def codec(self) -> str:
        return next(name for name, encoding in _CODECS.items() if encoding == self.encoding)


class Fields:
    """A JSON object, read field by field; every method raises ParameterError for what it cannot read."""

    __slots__ = ("_fields", "_prefix")

    def __init__(self, fields: Value, prefix: str = "") -> None:
        """`prefix` stands before the names in errors."""
        if not isinstance(fields, Mapping):
            raise ParameterError(prefix.rstrip("."), SIGNAL_NO_OBJECT)
        self._fields = fields
        self._prefix = prefix

    def __contains__(self, name: str) -> bool:
        return self._fields.get(name) is not None

    def within(self, name: str) -> Self:
        """The required object `name`."""
        return type(self)(self._given(name), f"{self._prefix}{name}.")

    def text(self, name: str) -> str:
        """The required string `name`."""
        value = self._given(name)
        if not isinstance(value, str):
            raise self.wrong(name)
        return value

    def word(self, name: str, words: Mapping[str, T]) -> T:
        """What the required string `name` means."""
        value = self.text(name)
        if value not in words:
            raise self.wrong(name)
        return words[value]

    def number(self, name: str, default: float, least: float, most: float) -> float:
        """The number `name`, from `least` to `most`."""
        value = self._fields.get(name)
        number = default if value is None else _number(value)
        if not least <= number <= most:  # so that NaN fails too
            raise self.wrong(name)
        return number

    def wrong(self, name: str, fault: Fault = SIGNAL_FIELD_WRONG, detail: str = "") -> ParameterError:
        """The error that blames the field `name`."""
        return ParameterError(f"{self._prefix}{name}", fault, detail)

    def _given(self, name: str) -> Value:
        value = self._fields.get(name)
        if value is None:
            raise self.wrong(name, SIGNAL_FIELD_MISSING)
        return value


def read_audio_settings(fields: Fields) -> AudioSettings:
    """How the audio will come, of the fields of `metadata`."""
    consumer = fields.word("audio_protocol", _CONSUMERS)
    fields.word("audio_format", {"raw": "raw"})
    encoding = fields.word("audio_codec", _CODECS)
    if "sample_format" in fields:
        fields.word("sample_format", dict.fromkeys([_SAMPLE_FORMATS[encoding]]))
    rates_hz = _RATES_HZ[encoding]
    rate_hz = fields.number("sample_rate", rates_hz[0], rates_hz[0], rates_hz[-1])
    if rate_hz not in rates_hz:
        raise fields.wrong("sample_rate")
    fields.number("channels", 1, 1, 1)
    return AudioSettings(consumer, encoding, int(rate_hz))


def read_call_id(fields: Fields) -> str:
    """What joins a session and its audio: 1 to 128 printable characters."""
    call_id = fields.text("call_id")
    if not (1 <= len(call_id) <= CALL_ID_CHARACTERS and call_id.isprintable()):
        raise fields.wrong("call_id")
    return call_id


def read_request(fields: Fields, kind: Kind, call_id: str, audio: AudioSettings, offer: Offer) -> Inquiry:
    """What is asked about a call, of the fields of `register_request` or `verify_request`."""
    wanted_s = fields.number("audio_total_duration", offer.audio_s, SHORTEST_AUDIO_S, LONGEST_AUDIO_S)
    authenticity_threshold = fields.number("authenticity_threshold", offer.authenticity_threshold, 0, 1)
    model_hash = _model_hash(fields, offer)
    template = None
    similarity_threshold = offer.models[model_hash]
    if kind == "verify":
        alias = "similarity_threshold" not in fields and "score_threshold" in fields
        similarity_threshold = fields.number("score_threshold" if alias else "similarity_threshold", similarity_threshold, 0, 1)
        template = _credential(fields, model_hash, offer)
    return Inquiry(
        call_id, audio.consumer, audio.encoding, audio.rate_hz, wanted_s, model_hash, authenticity_threshold, template, similarity_threshold
    )


def _model_hash(fields: Fields, offer: Offer) -> bytes:
    if "model_hash" not in fields:
        return next(iter(offer.models))
    text = fields.text("model_hash")
    model_hash = bytes.fromhex(text) if _HASH.fullmatch(text) else b""
    if model_hash not in offer.models:
        raise fields.wrong("model_hash", SIGNAL_MODEL)
    return model_hash


def _credential(fields: Fields, model_hash: bytes, offer: Offer) -> Template:
    try:
        template = offer.open_credential(fields.text("credential"))
    except ParameterError:
        raise
    except PeerError as error:
        raise fields.wrong("credential", error.fault, error.detail) from error
    if template.model_hash != model_hash:
        raise fields.wrong("credential", TEMPLATE_MODEL)
    return template


def _number(value: Value) -> float:
    """A finite number, or NaN for all that is none: truth values, other words, and what no double can hold."""
    if isinstance(value, str) and len(value) <= _DECIMAL_CHARACTERS and _DECIMAL.fullmatch(value):
        return float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:  # an integer of hundreds of digits
            return math.nan
    return math.nan
