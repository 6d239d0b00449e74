"""A container that is decoded while it still grows: FFmpeg pulls on a thread of its own, which waits for the bytes to come.

    write ─► bytes so far ─► FFmpeg ─► samples so far ─► take
                 └ starved with 256 KiB read and nothing found: given up

FFmpeg cannot stop in the middle of a read and go on later, hence the thread. It lives no longer than the file: it ends with
finish(), close(), a decoding error, or enough samples.
"""

import io
import threading
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicestream.codecs.containers import open_ffmpeg
from voicestream.errors import NO_AUDIO, NOT_FINITE, UNREADABLE_AUDIO, PeerError

PROBE_BYTES: Final = 256 * 1024
_MOVIE_AT: Final = 8  # in an MP4 file: behind the size of the first box and its name

Piece = tuple[int, NDArray[np.float32]]  # the rate in Hz, samples (n,) float32 mono


class GrowingFile:
    """`name`: FFmpeg's for the container; no more than `max_s` of it is decoded."""

    def __init__(self, name: str, max_s: float) -> None:
        self._name = name
        self._max_s = max_s
        self._bytes = _Bytes()
        self._pieces: list[Piece] = []
        self._error: PeerError | None = None
        self._thread: threading.Thread | None = None

    def write(self, data: bytes, *, last: bool = False) -> None:
        """The file has grown by `data`; last: it is whole now."""
        self._bytes.write(data)
        if last:
            self._bytes.end()
        if self._thread is None:
            file = self._bytes if self._name == "mov" and _movie_is_last(data) else _Forward(self._bytes)
            self._thread = threading.Thread(target=self._decode, args=(file,), name="container", daemon=True)
            self._thread.start()

    def take(self) -> list[Piece]:
        """What was decoded since this was asked last; never waits. PeerError VS2001, VS2003, VS2005, VS2008."""
        if self._error is not None:
            raise self._error
        pieces, self._pieces = self._pieces, []
        return pieces

    def finish(self) -> list[Piece]:
        """The file is whole: wait for the rest of it. PeerError as take()."""
        self._bytes.end()
        if self._thread is not None:
            self._thread.join()
        return self.take()

    def close(self) -> None:
        """Nobody wants the rest."""
        self._bytes.abandon()

    def _decode(self, file: "_Bytes | _Forward") -> None:
        try:
            rate_hz, blocks = open_ffmpeg(file, self._name)
            self._bytes.found = True
            samples = 0
            for block in blocks:
                if not np.isfinite(block).all():
                    raise PeerError(NOT_FINITE)
                self._pieces.append((rate_hz, block))  # the one writer; take() swaps the list for another
                samples += len(block)
                if samples > self._max_s * rate_hz:
                    break
            if not samples:
                raise PeerError(NO_AUDIO)
        except PeerError as error:
            self._error = error
        except Exception as error:  # a decoder's own surprise must not end a thread with a traceback and nobody told
            self._error = PeerError(UNREADABLE_AUDIO)
            self._error.__cause__ = error
        finally:
            self._bytes.abandon()


class _Bytes:
    """Bytes that come from one thread and are read by another, as a file that can be read anywhere."""

    def __init__(self) -> None:
        self.found = False  # samples: the probing is over
        self._data = bytearray()
        self._at = 0
        self._ended = False
        self._abandoned = False
        self._news = threading.Condition()

    def write(self, data: bytes) -> None:
        with self._news:
            if not self._abandoned:
                self._data += data
                self._news.notify()

    def end(self) -> None:
        with self._news:
            self._ended = True
            self._news.notify()

    def abandon(self) -> None:
        with self._news:
            self._ended = self._abandoned = True
            self._data, self._at = bytearray(), 0
            self._news.notify()

    def read(self, size: int) -> bytes:
        """At least one byte, when it has come; b"" at the end."""
        with self._news:
            while self._at >= len(self._data) and not self._ended:
                if not self.found and len(self._data) >= PROBE_BYTES:
                    return b""
                self._news.wait()
            piece = bytes(self._data[self._at : self._at + size])
            self._at += len(piece)
            return piece

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with self._news:
            while whence == io.SEEK_END and not self._ended:
                self._news.wait()
            begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}.get(whence, 0)
            self._at = max(begin + offset, 0)
            return self._at

    def tell(self) -> int:
        return self._at


class _Forward:
    """The same as a stream: what was read is gone, which FFmpeg then does not ask for."""

    def __init__(self, data: _Bytes) -> None:
        self.read = data.read


def _movie_is_last(data: bytes) -> bool:
    """Whether an MP4 file has its index (moov) behind its samples, or where cannot be told: then it is read when it is whole."""
    size = int.from_bytes(data[:4], "big")
    return data[size + 4 : size + _MOVIE_AT] != b"moov"
