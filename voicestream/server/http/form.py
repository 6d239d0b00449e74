"""The two kinds of form that HTTP has, taken apart: multipart as it arrives, URL-encoded when it is whole."""

from collections.abc import Container
from typing import Final
from urllib.parse import unquote_to_bytes

from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from voicestream.errors import BAD_FORM, PeerError

_MAX_PARTS: Final = 32
_HEAD_BYTES: Final = 256 * 1024  # of one part; the part itself leaves the parser as it arrives
_SLICE_BYTES: Final = 64 * 1024
_BOUNDARY_CHARACTERS: Final = 70  # RFC 2046, section 5.1.1


class Multipart:
    """Parts of a multipart body that arrives in chunks: `parts` are names and contents in their order. PeerError VS1409."""

    def __init__(self, boundary: str, wanted: Container[str] | None = None) -> None:
        """wanted: names of parts to keep; None: all."""
        if not boundary or len(boundary) > _BOUNDARY_CHARACTERS or not boundary.isascii():
            raise PeerError(BAD_FORM)
        self.parts: list[tuple[str, bytearray]] = []
        self._decoder = MultipartDecoder(boundary.encode(), _HEAD_BYTES, max_parts=_MAX_PARTS)
        self._wanted = wanted
        self._inside = False  # a part that is kept

    def feed(self, data: bytes) -> None:
        for begin in range(0, len(data), _SLICE_BYTES):
            self._pump(data[begin : begin + _SLICE_BYTES])

    def finish(self) -> None:
        """The body is over: a form that is not is refused."""
        self._pump(None)

    def _pump(self, data: bytes | None) -> None:
        try:
            self._decoder.receive_data(data)
            while True:
                match self._decoder.next_event():
                    case NeedData() | Epilogue():
                        return
                    case File(name=name) | Field(name=name):
                        self._inside = self._wanted is None or name in self._wanted
                        if self._inside:
                            self.parts.append((name, bytearray()))
                    case Data(data=piece):
                        if self._inside:
                            self.parts[-1][1].extend(piece)
        except ValueError as error:  # what werkzeug's parser says to a form that is none
            raise PeerError(BAD_FORM) from error


def urlencoded(body: bytearray) -> list[tuple[str, bytearray]]:
    """Names and values of an application/x-www-form-urlencoded body, as the URL standard reads one. PeerError VS1409."""
    if body.count(b"&") >= _MAX_PARTS:
        raise PeerError(BAD_FORM)
    pairs = (pair.partition(b"=") for pair in bytes(body).split(b"&") if pair)
    return [(_unescaped(name).decode("utf-8", "replace"), bytearray(_unescaped(value))) for name, _, value in pairs]


def _unescaped(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))
