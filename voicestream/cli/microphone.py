"""The microphone as messages of PCM16."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import suppress

import trio

from voicestream import errors
from voicestream.cli.recording import MESSAGE_S
from voicestream.errors import PeerError

RATE_HZ = 16_000
_WAITING = 100  # messages kept while the network is slow; what comes on top is lost


async def microphone() -> AsyncGenerator[bytes]:
    """Sound from the default input, a message every MESSAGE_S at RATE_HZ, until the caller stops asking."""
    try:
        import sounddevice
    except (ImportError, OSError):  # OSError: PortAudio is missing
        raise PeerError(errors.NO_MICROPHONE) from None
    writing, reading = trio.open_memory_channel[bytes](_WAITING)
    token = trio.lowlevel.current_trio_token()

    def keep(message: bytes) -> None:
        with suppress(trio.WouldBlock, trio.ClosedResourceError, trio.BrokenResourceError):  # the sound card does not wait
            writing.send_nowait(message)

    def heard(data: object, _frames: int, _time: object, _status: object) -> None:
        token.run_sync_soon(keep, bytes(data))  # type: ignore[call-overload]  # a buffer of the sound card's thread

    try:
        stream = sounddevice.RawInputStream(
            samplerate=RATE_HZ, channels=1, dtype="int16", blocksize=round(RATE_HZ * MESSAGE_S["pcm16"]), callback=heard
        )
    except sounddevice.PortAudioError:
        raise PeerError(errors.NO_MICROPHONE) from None
    with stream, reading:
        async for message in reading:
            yield message
