"""One conversation with an IDVoice endpoint, from the client's side."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from voicestream import errors
from voicestream.cli.http import endpoint_url
from voicestream.cli.websocket import open_websocket
from voicestream.errors import PeerError

_AHEAD = 64  # unanswered messages: enough to hide the network, few enough to keep the display honest


async def paced(messages: Iterable[bytes], message_s: float | None) -> AsyncGenerator[bytes]:
    """The messages one every `message_s` seconds, as a microphone makes them; None: without waiting."""
    start = trio.current_time()
    for count, message in enumerate(messages):
        if message_s is not None:
            await trio.sleep_until(start + count * message_s)
        yield message


async def converse(
    url: str, path: str, parameters: Sequence[str], messages: AsyncGenerator[bytes], hear: Callable[[str, bytes], None]
) -> None:
    """Send parameters and then messages; `hear(answer, message)` is called with the answer to each message.

    Raises PeerError VS1021 where no server answers, VS1022 where it refuses or breaks the protocol.
    """
    try:
        async with open_websocket(endpoint_url(url, path, "ws"), what=path, message_bytes=1 << 30) as websocket:
            for number, parameter in enumerate(parameters, 1):
                await websocket.send_message(parameter)
                if await websocket.get_message() != "200":
                    raise PeerError(errors.UNEXPECTED_ANSWER, f"parameter {number} of {len(parameters)} was refused")
            await _stream(websocket, messages, hear)
    except ConnectionClosed as closed:
        raise PeerError(errors.UNEXPECTED_ANSWER, _why(closed)) from closed


async def _stream(websocket: WebSocketConnection, messages: AsyncGenerator[bytes], hear: Callable[[str, bytes], None]) -> None:
    sent, unanswered = trio.open_memory_channel[bytes](_AHEAD)
    refusals: list[PeerError] = []  # kept, not raised: a nursery would wrap them

    async def send() -> None:
        async with sent, aclosing(messages):
            try:
                async for message in messages:
                    await sent.send(message)
                    await websocket.send_message(message)
            except ConnectionClosed as closed:
                refusals.append(PeerError(errors.UNEXPECTED_ANSWER, _why(closed)))
            except PeerError as error:  # the messages' own: no microphone
                refusals.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        async for message in unanswered:
            try:
                answer = await websocket.get_message()
            except ConnectionClosed as closed:
                refusals.append(PeerError(errors.UNEXPECTED_ANSWER, _why(closed)))
                break
            hear(str(answer), message)
        nursery.cancel_scope.cancel()
    if refusals:
        raise refusals[0]


def _why(closed: ConnectionClosed) -> str:
    reason = closed.reason
    return "the connection was lost" if reason is None else f"closed with {reason.code} {reason.name}"
