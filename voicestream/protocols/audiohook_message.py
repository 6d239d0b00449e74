"""What the JSON of AudioHook protocol version 2 holds, and the texts by which a client's mistakes are told (audiohook.md sections 2, 7)."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from voicestream.errors import (
    HOOK_AUDIO_FRAME,
    HOOK_AUDIO_STATE,
    HOOK_NO_MEDIA,
    HOOK_NOT_JSON,
    HOOK_NOT_MESSAGE,
    HOOK_PARAMETERS,
    HOOK_SEQ,
    HOOK_SERVERSEQ,
    HOOK_SESSION,
    HOOK_TEXT_LARGE,
    HOOK_UNSUPPORTED,
    Fault,
    PeerError,
)

TEXT_BYTES = 65_535
CONFIG_BYTES = 60_000
RATE_HZ = 8000
NIL = "00000000-0000-0000-0000-000000000000"

TEXTS: dict[Fault, str] = {
    HOOK_TEXT_LARGE: "Text message too large",
    HOOK_NOT_JSON: "Text message not valid JSON",
    HOOK_NOT_MESSAGE: "Message not a well-formed client message",
    HOOK_SEQ: "Invalid seq value (not monotonically increasing)",
    HOOK_SERVERSEQ: "Invalid serverseq value",
    HOOK_SESSION: "Session identifier mismatch",
    HOOK_PARAMETERS: "Invalid Message: Invalid/missing parameters",
    HOOK_UNSUPPORTED: "Invalid Message: unsupported client message",
    HOOK_AUDIO_STATE: "Received audio in state ",  # and its name
    HOOK_NO_MEDIA: "Unexpected binary message: No media selected",
    HOOK_AUDIO_FRAME: "Binary data not a valid audio frame",
}

_SEQ_MAX = 1 << 53
_HEX = "[0-9a-fA-F]"
UUID = rf"\A(?:{NIL}|{_HEX}{{8}}-{_HEX}{{4}}-[1-5]{_HEX}{{3}}-[89abAB]{_HEX}{{3}}-{_HEX}{{12}})\Z"
Uuid: TypeAlias = Annotated[str, Meta(pattern=UUID, max_length=36)]
Duration: TypeAlias = Annotated[str, Meta(pattern=r"\APT(?:[0-9]*\.)?[0-9]+S\Z", max_length=32)]
Language: TypeAlias = Annotated[str, Meta(pattern=r"\A[a-z]{2,3}-[A-Za-z]{2,3}\Z")]


class Envelope(Struct):
    version: Literal["2"]
    id: Uuid
    type: str
    seq: Annotated[int, Meta(ge=1, le=_SEQ_MAX)]
    serverseq: Annotated[int, Meta(ge=0, le=_SEQ_MAX)]
    position: Duration
    parameters: Raw


class Participant(Struct):
    id: Uuid
    ani: str
    ani_name: str = msgspec.field(name="aniName")
    dnis: str


class Media(Struct):
    type: str
    format: str
    channels: list[str]
    rate: int


class CustomConfig(Struct):
    call_id: str | int | None = None


class Open(Struct, rename="camel"):
    organization_id: Uuid
    conversation_id: Uuid
    participant: Participant
    media: list[Raw]
    language: Language | UnsetType = UNSET
    supported_languages: bool = False
    custom_config: Raw | UnsetType = UNSET

    @property
    def is_probe(self) -> bool:
        """Sent when an integration is saved: answered like a call, but it is none."""
        return self.conversation_id == NIL and self.participant.id == NIL


class Nothing(Struct):
    pass


class Ping(Struct):
    rtt: Duration | UnsetType = UNSET


class Update(Struct):
    language: Language


class Discarded(Struct):
    """Of `discarded` and `resumed`: audio from `start` on that was not sent."""

    start: Duration
    discarded: Duration

    @property
    def samples(self) -> int:
        """At most those of a day."""
        return round(min(float(self.discarded[2:-1]), 86_400.0) * RATE_HZ)


class ClientError(Struct):
    code: Literal[400, 405, 408, 409, 413, 415, 429, 500, 503]
    message: str


class CloseReason(Struct):
    reason: Literal["end", "error", "disconnect", "reconnect"]


Parameters: TypeAlias = Open | Nothing | Ping | Update | Discarded | ClientError | CloseReason

_DECODERS: dict[str, msgspec.json.Decoder[Parameters]] = {
    "open": msgspec.json.Decoder(Open),
    "ping": msgspec.json.Decoder(Ping),
    "update": msgspec.json.Decoder(Update),
    "discarded": msgspec.json.Decoder(Discarded),
    "paused": msgspec.json.Decoder(Nothing),
    "resumed": msgspec.json.Decoder(Discarded),
    "error": msgspec.json.Decoder(ClientError),
    "close": msgspec.json.Decoder(CloseReason),
    **{name: msgspec.json.Decoder(Nothing) for name in ("dtmf", "playback_started", "playback_completed")},
}
_envelope = msgspec.json.Decoder(Envelope)
_media = msgspec.json.Decoder(Media)
_config = msgspec.json.Decoder(CustomConfig)
T = TypeVar("T")


def read_envelope(text: str) -> Envelope:
    """`text` as an Envelope. PeerError VS1721 (too large), VS1722 (not JSON), VS1723 (of another form)."""
    if len(text) > TEXT_BYTES or (not text.isascii() and len(text.encode(errors="replace")) > TEXT_BYTES):
        raise PeerError(HOOK_TEXT_LARGE)
    try:
        envelope = _envelope.decode(text)
    except msgspec.ValidationError as error:
        raise PeerError(HOOK_NOT_MESSAGE) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:  # RecursionError: nesting, measurements.md section 4
        raise PeerError(HOOK_NOT_JSON) from error
    if not bytes(envelope.parameters).startswith(b"{"):
        raise PeerError(HOOK_NOT_MESSAGE)
    return envelope


def read_parameters(envelope: Envelope) -> Parameters:
    """The parameters as its type has them. PeerError VS1727 (of another form), VS1728 (an unknown type)."""
    decoder = _DECODERS.get(envelope.type)
    if decoder is None:
        raise PeerError(HOOK_UNSUPPORTED)
    return _decoded(decoder, envelope.parameters)


@dataclass(frozen=True, slots=True)
class Offer:
    """One item of `open`'s media: what it says, and as it was written."""

    media: Media
    raw: Raw


def read_offers(opening: Open) -> list[Offer]:
    """The media that `opening` offers. PeerError VS1727."""
    return [Offer(_decoded(_media, raw), raw) for raw in opening.media]


def read_call_id(opening: Open) -> str:
    """conversationId, or customConfig.call_id in its place. PeerError VS1727."""
    config = opening.custom_config
    if config is UNSET:
        return opening.conversation_id
    if len(bytes(config)) > CONFIG_BYTES:
        raise PeerError(HOOK_PARAMETERS)
    call_id = _decoded(_config, config).call_id
    if call_id is None:
        return opening.conversation_id
    if not (1 <= len(str(call_id)) <= 128 and str(call_id).isprintable()):
        raise PeerError(HOOK_PARAMETERS)
    return str(call_id)


def _decoded(decoder: msgspec.json.Decoder[T], raw: Raw) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise PeerError(HOOK_PARAMETERS) from error
