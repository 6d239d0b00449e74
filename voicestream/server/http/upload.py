"""Request bodies: read under a limit, a deadline and a common budget, and given on as a recording or as JSON."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec
import trio
from quart import request

from voicestream.codecs.containers import RATES_HZ, open_file
from voicestream.dsp.pcm import to_int16
from voicestream.errors import (
    AUDIO_LONG,
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
from voicestream.server.http.form import Multipart, urlencoded
from voicestream.server.http.query import number

T = TypeVar("T")

PARTS: Final = ("audio_file", "wav_file")
_BLOCK_BYTES: Final = 128 * 1024
_SHORT_BYTES: Final = 64 * 1024  # of a URL-encoded form: taken apart in less time than a thread takes to start
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
        if request.mimetype != "multipart/form-data":
            raise PeerError(CONTENT_TYPE)
        form = Multipart(request.mimetype_params.get("boundary", ""), PARTS)
        async with self._body(self._settings.audio_body_bytes, form.feed):
            form.finish()
            if not form.parts:
                raise PeerError(PART_MISSING)
            _, data = form.parts[0]
            if not data:
                raise PeerError(BODY_EMPTY)
            yield Recording(data, None, self._settings.upload_audio_s)

    @asynccontextmanager
    async def form(self, text_bytes: int, form_bytes: int | None = None) -> AsyncIterator[list[tuple[str, bytearray]]]:
        """Names and values of a form: multipart, up to `form_bytes` or the limit of recordings; or, up to `text_bytes`, URL-encoded."""
        match request.mimetype:
            case "multipart/form-data":
                form = Multipart(request.mimetype_params.get("boundary", ""))
                limit_bytes = min(self._settings.audio_body_bytes, form_bytes or self._settings.audio_body_bytes)
                async with self._body(limit_bytes, form.feed):
                    form.finish()
                    yield form.parts
            case "application/x-www-form-urlencoded" | "":
                data = bytearray()
                async with self._body(text_bytes, data.extend):
                    yield await trio.to_thread.run_sync(urlencoded, data) if len(data) > _SHORT_BYTES else urlencoded(data)
            case _:
                raise PeerError(CONTENT_TYPE)

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
