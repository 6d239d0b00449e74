"""Audio files of any common container, as blocks of float32 mono.

libsndfile reads WAV, AIFF, AU, CAF and FLAC; FFmpeg (through PyAV) reads the rest and whatever libsndfile
declines. FFmpeg's demuxer is chosen here from the first bytes, never by its own probing: its playlist
demuxers open other files and addresses. Nothing is allocated from what a header promises: memory follows
the samples that are there, block by block.
"""

import io
from collections.abc import Callable, Iterator
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.errors import (
    AUDIO_LONG,
    MANY_CHANNELS,
    NO_AUDIO,
    NOT_FINITE,
    RATE_UNSUPPORTED,
    UNKNOWN_FORMAT,
    UNREADABLE_AUDIO,
    PeerError,
)

Samples: TypeAlias = NDArray[np.float32]

RATES_HZ: Final = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000})
MAX_DURATION_S: Final = 30 * 60.0
MAX_CHANNELS: Final = 8
_BLOCK_SAMPLES: Final = 1 << 16

# First bytes -> (libsndfile reads it, FFmpeg's name for it). An empty name: libsndfile or nobody.
_MAGIC: Final[tuple[tuple[int, bytes, bool, str], ...]] = (
    (0, b"RIFF", True, "wav"),
    (0, b"RIFX", True, ""),
    (0, b"RF64", True, "wav"),
    (0, b"FORM", True, "aiff"),
    (0, b".snd", True, "au"),
    (0, b"caff", True, "caf"),
    (0, b"fLaC", True, "flac"),
    (0, b"OggS", False, "ogg"),  # libsndfile 1.2.2 keeps the pre-skip of Opus and drops as much at the end
    (4, b"ftyp", False, "mov"),
    (0, b"\x1a\x45\xdf\xa3", False, "matroska"),
    (0, b"#!AMR", False, "amr"),
    (0, b"ID3", False, "mp3"),
)


def decode_file(data: bytes, max_s: float = MAX_DURATION_S) -> tuple[Samples, int]:
    """The whole recording: samples (n,) float32 mono in -1..1 and their rate in Hz.

    `PeerError` VS2001..VS2008 for what is unreadable, empty, longer than `max_s`, not finite or of an odd rate.
    """
    rate_hz, blocks = open_file(data, max_s)
    return np.concatenate(list(blocks)), rate_hz


def open_file(data: bytes, max_s: float = MAX_DURATION_S) -> tuple[int, Iterator[Samples]]:
    """Rate in Hz and an iterator over blocks (n,) float32 mono in -1..1; channels are averaged.

    The same errors as `decode_file`; those of later samples are raised by the iterator.
    """
    by_sndfile, ffmpeg_name = _sniff(data)
    rate_hz, raw = _open(data, by_sndfile, ffmpeg_name)
    if rate_hz not in RATES_HZ:
        raise PeerError(RATE_UNSUPPORTED, f"{rate_hz} Hz")
    return rate_hz, _checked(raw, int(max_s * rate_hz))


def sniff(data: bytes) -> str:
    """FFmpeg's name for the container that begins so; "" where it reads none of the kind. 12 bytes tell. PeerError VS2002."""
    return _sniff(data)[1]


def _sniff(data: bytes) -> tuple[bool, str]:
    for offset, magic, by_sndfile, ffmpeg_name in _MAGIC:
        if data.startswith(magic, offset):
            return by_sndfile, ffmpeg_name
    # An MPEG audio frame starts with eleven set bits; ADTS (AAC) sets twelve, then says "layer 0".
    if len(data) >= 2 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0:
        return False, "aac" if data[1] & 0xF6 == 0xF0 else "mp3"
    raise PeerError(UNKNOWN_FORMAT)


def _open(data: bytes, by_sndfile: bool, ffmpeg_name: str) -> tuple[int, Iterator[Samples]]:
    if by_sndfile:
        opened = _open_sndfile(data)
        if opened is not None:
            return opened
    if ffmpeg_name:
        return open_ffmpeg(io.BytesIO(data), ffmpeg_name)
    raise PeerError(UNREADABLE_AUDIO)


def _checked(blocks: Iterator[Samples], max_samples: int) -> Iterator[Samples]:
    total = 0
    for block in blocks:
        total += len(block)
        if total > max_samples:
            raise PeerError(AUDIO_LONG)
        if not np.isfinite(block).all():
            raise PeerError(NOT_FINITE)
        if len(block):
            yield np.clip(block, -1.0, 1.0, out=block)
    if total == 0:
        raise PeerError(NO_AUDIO)


class _Seekable(io.BytesIO):
    """Stays where it is when a damaged header sends libsndfile before the start; it would print a traceback otherwise."""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except ValueError:
            return self.tell()


def _open_sndfile(data: bytes) -> tuple[int, Iterator[Samples]] | None:
    """None: libsndfile does not know this encoding (MP3 in WAV, G.722 ...), FFmpeg may."""
    import soundfile  # 0.1 s and a shared library that a server without uploads never needs

    try:
        file = soundfile.SoundFile(_Seekable(data))
    except (soundfile.LibsndfileError, TypeError, ValueError):
        return None
    if file.channels > MAX_CHANNELS:
        raise PeerError(MANY_CHANNELS)

    def blocks() -> Iterator[Samples]:
        with file:
            while True:
                try:
                    block = file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)
                except (soundfile.LibsndfileError, ValueError, RuntimeError) as error:
                    raise PeerError(UNREADABLE_AUDIO) from error
                if not len(block):
                    return
                yield _mono(block.T)

    return file.samplerate, blocks()


class Readable(Protocol):
    """What FFmpeg reads from; where it has a `seek` as well, FFmpeg uses it."""

    def read(self, size: int, /) -> bytes: ...


def open_ffmpeg(file: Readable, name: str) -> tuple[int, Iterator[Samples]]:
    """As `open_file` before its checks, of the container that `sniff` calls `name`."""
    import av

    # PyAV reports bad input by these; a decoder's own EOF is caught apart, it ends the stream.
    refused = (av.FFmpegError, ValueError, RuntimeError, IndexError)
    try:
        container = av.open(file, "r", format=name, metadata_errors="ignore")
        if not container.streams.audio:
            container.close()
            raise PeerError(NO_AUDIO)
        stream = container.streams.audio[0]
        frames = container.decode(stream)
        # The first frame, not the header, knows the true rate (HE-AAC says half of it) and layout.
        first = next(frames)
        rate_hz, channels = first.sample_rate, len(first.layout.channels)
    except StopIteration as error:
        raise PeerError(NO_AUDIO) from error
    except refused as error:
        raise PeerError(UNREADABLE_AUDIO) from error
    if channels > MAX_CHANNELS:
        raise PeerError(MANY_CHANNELS)

    def blocks() -> Iterator[Samples]:
        frame = first
        with container:
            while True:
                if frame.sample_rate != rate_hz:  # chained files may change it; a recording does not
                    raise PeerError(UNREADABLE_AUDIO)
                yield _mono(_planes(frame.to_ndarray(), frame.format.is_planar, len(frame.layout.channels)))
                try:
                    frame = next(frames)
                except StopIteration:
                    return
                except refused as error:
                    raise PeerError(UNREADABLE_AUDIO) from error

    return rate_hz, blocks()


def _planes(array: NDArray[np.generic], planar: bool, channels: int) -> NDArray[np.generic]:
    return array if planar else array.reshape(-1, channels).T


_SCALE: Final[dict[str, Callable[[NDArray[np.generic]], Samples]]] = {
    "float32": lambda planes: planes.astype(np.float32),
    "float64": lambda planes: planes.astype(np.float32),
    "uint8": lambda planes: (planes.astype(np.float32) - 128.0) / 128.0,
    "int16": lambda planes: planes.astype(np.float32) / 32768.0,
    "int32": lambda planes: planes.astype(np.float32) / 2147483648.0,
}


def _mono(planes: NDArray[np.generic]) -> Samples:
    """planes (channels, n) of any sample format -> (n,) float32."""
    with np.errstate(over="ignore", invalid="ignore"):  # hostile floats: _checked refuses what comes out
        return np.asarray(_SCALE[planes.dtype.name](planes).mean(axis=0, dtype=np.float32))
