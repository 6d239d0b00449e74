"""What the JSON of a Twilio media stream holds, read strictly but for what look-alikes leave out (twilio.md section 4).

A number may be spelled as a string and a string as a number; null counts as absent; unknown fields and events are skipped.
"""

from typing import TypeAlias

import msgspec

from voicestream.errors import CALL_BASE64, CALL_FORMAT, CALL_LARGE, CALL_MESSAGE, PeerError
from voicestream.sessions.vocabulary import Call, CallEncoding

TEXT_BYTES = 65_536
CALL_ID_CHARACTERS = 128

Spelled: TypeAlias = str | int | float | None

_ENCODINGS: dict[str, CallEncoding] = {
    "audio/x-mulaw": "mulaw", "audio/mulaw": "mulaw", "audio/x-alaw": "alaw", "audio/alaw": "alaw", "audio/l16": "pcm16",
}  # fmt: skip
_RATES_HZ: dict[CallEncoding | None, tuple[int, ...]] = {"mulaw": (8000,), "alaw": (8000,), "pcm16": (8000, 16000), None: (8000, 16000)}


class _Shape(msgspec.Struct, rename="camel", gc=False):
    pass


class Media(_Shape):
    """One piece of audio of any size; `payload` comes decoded."""

    payload: bytes
    track: str | None = None
    chunk: Spelled = None
    timestamp: Spelled = None

    @property
    def is_caller(self) -> bool:
        return self.track is None or self.track in ("inbound", "inbound_track")


class MediaFormat(_Shape):
    encoding: str | None = None
    sample_rate: Spelled = None
    channels: Spelled = None


class CustomParameters(msgspec.Struct):  # the names are the integrator's, not camel case
    apikey: Spelled = None
    call_id: Spelled = None


class Start(_Shape):
    call_sid: str | int
    stream_sid: Spelled = None
    account_sid: Spelled = None
    tracks: list[str] | None = None
    custom_parameters: CustomParameters | None = None
    media_format: MediaFormat | None = None


class Message(_Shape):
    """Any message; of `start` and `media` only the one that `event` names is looked at."""

    event: str
    sequence_number: Spelled = None
    stream_sid: Spelled = None
    start: Start | None = None
    media: Media | None = None


class _Event(msgspec.Struct):
    event: str


class _Text(msgspec.Struct):
    payload: str


class _Bytes(msgspec.Struct):
    payload: bytes


class _TextMedia(msgspec.Struct):
    media: _Text


class _BytesMedia(msgspec.Struct):
    media: _Bytes


_message = msgspec.json.Decoder(Message)
_event = msgspec.json.Decoder(_Event)
_text_media = msgspec.json.Decoder(_TextMedia)
_bytes_media = msgspec.json.Decoder(_BytesMedia)


def read_message(text: str) -> Message:
    """`text` as a Message. PeerError VS1701 (not JSON, a wrong type), VS1702 (base64), VS1705 (over 64 KiB)."""
    if len(text) > TEXT_BYTES or (not text.isascii() and len(text.encode(errors="replace")) > TEXT_BYTES):
        raise PeerError(CALL_LARGE)
    try:
        message = _message.decode(text)
    except msgspec.ValidationError:
        return _unusual(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:  # RecursionError: nesting, measurements.md section 4
        raise PeerError(CALL_MESSAGE) from error
    if (message.event == "media" and message.media is None) or (message.event == "start" and message.start is None):
        raise PeerError(CALL_MESSAGE)
    return message


def _unusual(text: str) -> Message:
    """A message of another shape: fine if its event means nothing to us, else told apart by what is wrong."""
    try:
        event = _event.decode(text).event
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise PeerError(CALL_MESSAGE) from error
    if event not in ("start", "media", "stop"):
        return Message(event)
    raise PeerError(CALL_BASE64 if event == "media" and _fits(_text_media, text) and not _fits(_bytes_media, text) else CALL_MESSAGE)


def _fits(decoder: msgspec.json.Decoder[_TextMedia] | msgspec.json.Decoder[_BytesMedia], text: str) -> bool:
    try:
        decoder.decode(text)
    except msgspec.DecodeError:
        return False
    return True


def read_start(start: Start) -> Call:
    """The call that `start` announces. PeerError VS1701 (no usable call_id), VS1709 (a format that calls do not have)."""
    custom = start.custom_parameters or CustomParameters()
    call_id = str(start.call_sid if custom.call_id is None else custom.call_id)
    if not (1 <= len(call_id) <= CALL_ID_CHARACTERS and call_id.isprintable()):
        raise PeerError(CALL_MESSAGE)
    media = start.media_format or MediaFormat()
    encoding = None
    if media.encoding is not None:
        encoding = _ENCODINGS.get(media.encoding.lower())
        if encoding is None:
            raise PeerError(CALL_FORMAT)
    rate_hz = whole(media.sample_rate)
    if (media.sample_rate is not None and rate_hz not in _RATES_HZ[encoding]) or (
        media.channels is not None and whole(media.channels) != 1
    ):
        raise PeerError(CALL_FORMAT)
    return Call(call_id, rate_hz, encoding, _text(start.account_sid), _text(custom.apikey))


def whole(value: Spelled) -> int | None:
    """A whole number of at most 15 digits, however it is spelled; None for anything else."""
    match value:
        case int():
            return value
        case str() if value.isascii() and value.isdigit() and len(value) <= 15:
            return int(value)
        case float() if value.is_integer():
            return int(value)
    return None


def _text(value: Spelled) -> str:
    return "" if value is None else str(value)
