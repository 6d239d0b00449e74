"""Request bodies: read under a limit, a deadline and a common budget, and given on as a recording or as JSON."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec
import trio
from quart import request
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from voicestream.codecs.containers import RATES_HZ, open_file
from voicestream.dsp.pcm import to_int16
from voicestream.errors import (
    AUDIO_LONG,
    BAD_FORM,
    BAD_JSON,
    BODY_EMPTY,
    BODY_LARGE,
    BODY_SLOW,
    CONTENT_TYPE,
    ODD_BYTES,
    OVERLOADED,
    PART_MISSING,
    RATE_UNSUPPORTED,
    PeerError,
)
from voicestream.server.config import Settings
from voicestream.server.http.query import number

T = TypeVar("T")

PARTS: Final = ("audio_file", "wav_file")
_MAX_PARTS: Final = 32
_FORM_HEAD_BYTES: Final = 256 * 1024  # of one part; the part itself leaves the parser as it arrives
_SLICE_BYTES: Final = 64 * 1024
_BLOCK_BYTES: Final = 128 * 1024
_BUDGET_BODIES: Final = 8  # so many bodies of full size may be in memory at once; ordinary ones are a thousand times smaller


@dataclass(frozen=True, slots=True)
class Recording:
    """An upload, not decoded yet. rate_hz None: a file that knows its own."""

    data: bytes | bytearray
    rate_hz: int | None
    max_s: float

    def open(self) -> tuple[int, Iterator[bytes]]:
        """Rate in Hz, and PCM16 little-endian mono in blocks, never the whole. PeerError VS20xx, also while iterating."""
        if self.rate_hz is None:
            rate_hz, blocks = open_file(bytes(self.data), self.max_s)
            return rate_hz, (to_int16(block).astype("<i2", copy=False).tobytes() for block in blocks)
        if len(self.data) % 2:
            raise PeerError(ODD_BYTES, f"{len(self.data)} bytes")
        if len(self.data) > 2 * self.max_s * self.rate_hz:
            raise PeerError(AUDIO_LONG)
        view = memoryview(self.data)
        return self.rate_hz, (bytes(view[at : at + _BLOCK_BYTES]) for at in range(0, len(view), _BLOCK_BYTES))


Reader = Callable[[], AbstractAsyncContextManager[Recording]]


class Uploads:
    """Reads the body of the current request; bytes count against one budget until the answer is made."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._free = _BUDGET_BODIES * settings.audio_body_bytes

    @asynccontextmanager
    async def file(self) -> AsyncIterator[Recording]:
        """The audio file of a multipart form, in part `audio_file` or `wav_file`."""
        boundary = request.mimetype_params.get("boundary", "")
        if request.mimetype != "multipart/form-data":
            raise PeerError(CONTENT_TYPE)
        if not boundary or len(boundary) > 70 or not boundary.isascii():  # RFC 2046, section 5.1.1
            raise PeerError(BAD_FORM)
        form = _Form(boundary.encode())
        async with self._body(self._settings.audio_body_bytes, form.feed):
            data = form.finish()
            if not data:
                raise PeerError(BODY_EMPTY)
            yield Recording(data, None, self._settings.upload_audio_s)

    @asynccontextmanager
    async def samples(self) -> AsyncIterator[Recording]:
        """Raw PCM16 at `?sample_rate=`, or a whole WAV file, which clients post here too and which is read as such."""
        if request.mimetype not in ("", "application/octet-stream"):
            raise PeerError(CONTENT_TYPE)
        rate_hz = number("sample_rate")
        if rate_hz not in RATES_HZ:
            raise PeerError(RATE_UNSUPPORTED, f"{rate_hz} Hz")
        data = bytearray()
        async with self._body(self._settings.audio_body_bytes, data.extend):
            if not data:
                raise PeerError(BODY_EMPTY)
            is_wav = data.startswith(b"RIFF") and data.startswith(b"WAVE", 8)
            yield Recording(data, None if is_wav else rate_hz, self._settings.upload_audio_s)

    async def json(self, shape: type[T]) -> T:
        """The JSON body as `shape`; unknown fields are ignored."""
        if request.mimetype not in ("", "application/json"):
            raise PeerError(CONTENT_TYPE)
        data = bytearray()
        async with self._body(self._settings.json_body_bytes, data.extend):
            try:
                return msgspec.json.decode(data, type=shape)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise PeerError(BAD_JSON) from error

    @asynccontextmanager
    async def _body(self, limit_bytes: int, take: Callable[[bytes], None]) -> AsyncIterator[None]:
        taken = 0
        try:
            with trio.move_on_after(self._settings.body_s) as patience:
                async for chunk in request.body:
                    taken += len(chunk)
                    self._free -= len(chunk)
                    if taken > limit_bytes:
                        raise PeerError(BODY_LARGE)
                    if self._free < 0:
                        raise PeerError(OVERLOADED)
                    take(chunk)
            if patience.cancelled_caught:
                raise PeerError(BODY_SLOW)
            yield
        finally:
            self._free += taken


class _Form:
    """Keeps the one part we want out of a multipart body that arrives in chunks."""

    def __init__(self, boundary: bytes) -> None:
        self._decoder = MultipartDecoder(boundary, _FORM_HEAD_BYTES, max_parts=_MAX_PARTS)
        self._wanted: bytearray | None = None  # the part found, once its head was seen
        self._inside = False

    def feed(self, data: bytes) -> None:
        for begin in range(0, len(data), _SLICE_BYTES):
            self._pump(data[begin : begin + _SLICE_BYTES])

    def finish(self) -> bytearray:
        self._pump(None)
        if self._wanted is None:
            raise PeerError(PART_MISSING)
        return self._wanted

    def _pump(self, data: bytes | None) -> None:
        try:
            self._decoder.receive_data(data)
            while True:
                match self._decoder.next_event():
                    case NeedData() | Epilogue():
                        return
                    case File(name=name) | Field(name=name):
                        self._inside = self._wanted is None and name in PARTS
                        if self._inside:
                            self._wanted = bytearray()
                    case Data(data=piece):
                        if self._inside and self._wanted is not None:
                            self._wanted += piece
        except ValueError as error:  # what werkzeug's parser says to a form that is none
            raise PeerError(BAD_FORM) from error
