"""A call's audio on its way to a server: a caller spells it, this sends it and listens meanwhile.

A caller is sans-I/O, like the server's dialects, and its two kinds are Twilio's and Genesys' sides of their protocols.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import trio
from trio_websocket import CloseReason, ConnectionClosed, WebSocketConnection

from voicestream import errors
from voicestream.cli.terminal import printable
from voicestream.cli.websocket import open_websocket
from voicestream.errors import PeerError

_MESSAGE_BYTES = 1 << 20
_ABNORMAL = 1006  # RFC 6455 7.4.1: no Close frame came


@dataclass(frozen=True, slots=True)
class Ending:
    """How an audio stream ended. enough: the server ended it, having the voice it wanted; failure: a sentence, or "".

    unheard_s: what was said while the server had paused the stream.
    """

    enough: bool = False
    failure: str = ""
    unheard_s: float = 0.0


Said: TypeAlias = Callable[[bytes, bool], None]  # is told each piece of audio, and whether the server heard it


class Caller(Protocol):
    """One side of a telephone protocol, from `is_open` (audio may be fed) to `ending`."""

    deadline: float  # when tick() wants to be called
    ending: Ending | None

    @property
    def is_open(self) -> bool: ...

    @property
    def is_paused(self) -> bool: ...  # what is said now, nobody hears

    def feed(self, mulaw: bytes) -> None: ...

    def hang_up(self, now: float) -> None: ...

    def receive(self, message: str | bytes, now: float) -> None: ...

    def tick(self, now: float) -> None: ...

    def lost(self, reason: CloseReason | None) -> None: ...

    def drain(self) -> Sequence[str | bytes]: ...


def closed_with(close: CloseReason | None) -> str:
    """A sentence about how the server closed the audio connection; None: without a word."""
    if close is None or close.code == _ABNORMAL:
        return "the audio connection was lost"
    return f"the audio connection was closed with {close.code}" + (f", {printable(close.reason)}" if close.reason else "")


@dataclass(frozen=True, slots=True)
class Line:
    """Where a call goes: `url` of the consumer, with the headers that let it in, made when they are sent: signatures age."""

    url: str
    make_headers: Callable[[], Mapping[str, str]]
    make_caller: Callable[[float], Caller]  # is given the time


async def call(line: Line, audio: AsyncGenerator[bytes], hang_up: trio.Event, said: Said) -> Ending:
    """Stream mu-law pieces until they end, `hang_up` is set or the server has enough.

    PeerError VS1021 where no server answers, VS1022 with its reason where it refuses the stream.
    """
    async with open_websocket(line.url, line.make_headers(), what="the audio connection", message_bytes=_MESSAGE_BYTES) as websocket:
        caller = line.make_caller(trio.current_time())
        await _converse(websocket, caller, audio, hang_up, said)
    assert caller.ending is not None
    if caller.ending.failure:
        raise PeerError(errors.UNEXPECTED_ANSWER, caller.ending.failure)
    return caller.ending


async def _converse(websocket: WebSocketConnection, caller: Caller, audio: AsyncGenerator[bytes], hang_up: trio.Event, said: Said) -> None:
    opened = trio.Event()
    turn = trio.Lock()  # messages leave in the order in which they were drained
    patience = trio.CancelScope()
    refusals: list[PeerError] = []  # kept, not raised: a nursery would wrap them

    async def flush() -> None:
        patience.deadline = caller.deadline
        async with turn:
            for message in caller.drain():
                await websocket.send_message(message)

    async def speak() -> None:
        try:
            async with aclosing(audio):
                await opened.wait()
                async for piece in audio:
                    if hang_up.is_set() or caller.ending is not None:
                        break
                    caller.feed(piece)
                    said(piece, not caller.is_paused)
                    await flush()
            caller.hang_up(trio.current_time())
            await flush()
        except ConnectionClosed:
            pass  # whoever listens learns why
        except PeerError as error:  # the audio's own: no microphone
            refusals.append(error)
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(speak)
        while caller.ending is None:
            try:
                await flush()
                if caller.is_open:
                    opened.set()
                message = None
                with trio.CancelScope(deadline=caller.deadline) as patience:
                    message = await websocket.get_message()
            except ConnectionClosed as closed:
                caller.lost(closed.reason)
                break
            if message is None:
                caller.tick(trio.current_time())
            else:
                caller.receive(message, trio.current_time())
        nursery.cancel_scope.cancel()
    if refusals:
        raise refusals[0]
