"""Raw Opus packets to PCM16 and back, through libopus (RFC 6716) and ctypes.

The `av` wheel carries a libopus; the system's is taken where there is none. Through ctypes a 20 ms packet
costs 12 us at the stream's own rate; PyAV's own decoder costs 24 us and puts out 48 kHz whatever is asked.
"""

import ctypes
import ctypes.util
import importlib.util
import weakref
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.errors import OPUS_LONG, OPUS_PACKET, MisuseError, PeerError

Pcm: TypeAlias = NDArray[np.int16]
Create: TypeAlias = Callable[..., int | None]  # a C function: state pointer, or null
Destroy: TypeAlias = Callable[[ctypes.c_void_p], None]

RATES_HZ = (8000, 12000, 16000, 24000, 48000)
PACKET_MAX_BYTES = 2 + 47 * 2 + 48 * 1275  # RFC 6716 section 3.2.5 with 48 frames of 2.5 ms, without padding
_PACKET_MAX_MS = 120
_MONO = 1
_APPLICATION_VOIP = 2048
_SET_BITRATE = 4002
_SET_COMPLEXITY = 4010


class OpusDecoder:
    """Decodes the packets of one stream at `rate_hz` to mono; stereo packets are mixed down.

    Raises MisuseError for a rate Opus has not, or when the machine has no libopus.
    """

    __slots__ = ("__weakref__", "_decode", "_pcm", "_pcm_samples", "_state")

    def __init__(self, rate_hz: int) -> None:
        library = _library()
        self._state = _made(library.opus_decoder_create, library.opus_decoder_destroy, self, rate_hz, _MONO)
        self._decode = library.opus_decode
        self._pcm_samples = rate_hz * _PACKET_MAX_MS // 1000
        self._pcm = (ctypes.c_int16 * self._pcm_samples)()

    def decode(self, packet: bytes) -> Pcm:
        """Decode one packet (2.5 to 120 ms): samples (n,) int16.

        Raises PeerError when it is not a packet; the stream may go on with the next one.
        """
        if len(packet) > PACKET_MAX_BYTES:
            raise PeerError(OPUS_LONG)
        if not packet:
            raise PeerError(OPUS_PACKET)
        count: int = self._decode(self._state, packet, len(packet), self._pcm, self._pcm_samples, 0)
        if count < 0:
            raise PeerError(OPUS_PACKET)
        return np.frombuffer(ctypes.string_at(self._pcm, 2 * count), np.int16)


class OpusEncoder:
    """Encodes mono speech at `rate_hz` into one packet per call; for clients and tests.

    Raises MisuseError for a rate Opus has not, or when the machine has no libopus.
    """

    __slots__ = ("__weakref__", "_encode", "_packet", "_state")

    def __init__(self, rate_hz: int, bitrate_bps: int = 24_000, complexity: int = 5) -> None:
        library = _library()
        self._state = _made(library.opus_encoder_create, library.opus_encoder_destroy, self, rate_hz, _MONO, _APPLICATION_VOIP)
        library.opus_encoder_ctl(self._state, _SET_BITRATE, ctypes.c_int32(bitrate_bps))
        library.opus_encoder_ctl(self._state, _SET_COMPLEXITY, ctypes.c_int32(complexity))
        self._encode = library.opus_encode
        self._packet = (ctypes.c_ubyte * 4000)()

    def encode(self, samples: Pcm) -> bytes:
        """Encode samples (n,) int16 of 2.5, 5, 10, 20, 40, 60, 80, 100 or 120 ms; MisuseError for any other length."""
        pcm = np.ascontiguousarray(samples, dtype=np.int16)
        size: int = self._encode(self._state, pcm.tobytes(), len(pcm), self._packet, len(self._packet))
        if size < 0:
            raise MisuseError(f"an Opus packet cannot hold {len(pcm)} samples")
        return ctypes.string_at(self._packet, size)


def _made(create: Create, destroy: Destroy, owner: object, *arguments: int) -> ctypes.c_void_p:
    """Create a libopus state that is freed together with `owner`."""
    error = ctypes.c_int()
    state = create(*arguments, ctypes.byref(error))
    if error.value != 0 or not state:
        raise MisuseError(f"libopus refuses {arguments[0]} Hz (error {error.value})")
    pointer = ctypes.c_void_p(state)
    weakref.finalize(owner, destroy, pointer)
    return pointer


@cache
def _library() -> ctypes.CDLL:
    for path in _candidates():
        try:
            library = ctypes.CDLL(path)
        except OSError:  # of another machine or libc: try the next
            continue
        _declare(library)
        return library
    raise MisuseError("no libopus: install the av package or the system's libopus0")


def _candidates() -> Iterator[str]:
    """Paths of libopus: beside PyAV under a hashed name (looked up without importing it), then the system's."""
    av = importlib.util.find_spec("av")
    if av is not None and av.origin is not None:
        package = Path(av.origin).parent
        for folder in (package.parent / "av.libs", package / ".dylibs"):  # Linux and Windows wheels, macOS wheels
            yield from sorted(str(path) for path in folder.glob("libopus*"))
    system = ctypes.util.find_library("opus")  # starts processes, so asked last
    if system is not None:
        yield system


def _declare(library: ctypes.CDLL) -> None:
    pointer, integer, octets = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    library.opus_decoder_create.argtypes = [ctypes.c_int32, integer, pointer]
    library.opus_decoder_create.restype = pointer
    library.opus_decoder_destroy.argtypes = [pointer]
    library.opus_decoder_destroy.restype = None
    library.opus_decode.argtypes = [pointer, octets, ctypes.c_int32, pointer, integer, integer]
    library.opus_decode.restype = integer
    library.opus_encoder_create.argtypes = [ctypes.c_int32, integer, integer, pointer]
    library.opus_encoder_create.restype = pointer
    library.opus_encoder_destroy.argtypes = [pointer]
    library.opus_encoder_destroy.restype = None
    library.opus_encoder_ctl.argtypes = [pointer, integer]  # the rest is variadic
    library.opus_encoder_ctl.restype = integer
    library.opus_encode.argtypes = [pointer, octets, integer, pointer, ctypes.c_int32]
    library.opus_encode.restype = integer
