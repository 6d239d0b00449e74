"""One assessment over a WebSocket, from the client's side: packets of WAV while somebody speaks, then the result."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from voicestream import errors
from voicestream.cli.assessment.talk import END_STREAM, News, Talk
from voicestream.cli.http import endpoint_url
from voicestream.cli.websocket import open_websocket
from voicestream.codecs.wav import write_wav
from voicestream.errors import PeerError

_START_S: Final = 30.0  # for the server to take the stream on
_RESULT_S: Final = 150.0  # for the result once the speech is over; the official client gives up after as much in all
_RESULT_BYTES: Final = 1 << 26


@dataclass(frozen=True, slots=True)
class Speech:
    """What is said. packets: PCM16 mono at `rate_hz`, until `hang_up` is set; `sent` is told each one that has gone out."""

    packets: AsyncGenerator[bytes]
    rate_hz: int
    hang_up: trio.Event
    sent: Callable[[bytes], None]


async def converse(url: str, authorization: str, talk: Talk, speech: Speech, told: Callable[[str, News], None]) -> dict[str, Any]:
    """The result. `told` is called with each answer and what it means.

    PeerError VS1021 where no server answers, VS1022 with the server's reason where it gives no result.
    """
    headers = {"Authorization": authorization} if authorization else {}
    async with open_websocket(endpoint_url(url, talk.path, "ws"), headers, message_bytes=_RESULT_BYTES) as websocket:
        conversation = Conversation(websocket, talk, speech, told)
        await conversation.run()
    return conversation.outcome()


class Conversation:
    """One assessment on a WebSocket that is open."""

    def __init__(self, websocket: WebSocketConnection, talk: Talk, speech: Speech, told: Callable[[str, News], None]) -> None:
        self._websocket = websocket
        self._talk = talk
        self._speech = speech
        self._told = told
        self._begin = trio.Event()
        self._over = False  # no more is said
        self._enough = False  # because the server said so
        self._waiting = trio.CancelScope()  # for the next packet
        self._patience = trio.CancelScope(deadline=trio.current_time() + _START_S)
        self._result: dict[str, Any] | None = None
        self._failure: PeerError | None = None

    def outcome(self) -> dict[str, Any]:
        """The result, or why there is none."""
        if self._result is not None:
            return self._result
        raise self._failure or PeerError(errors.UNEXPECTED_ANSWER, "no result in time")

    async def run(self) -> None:
        """Speak and listen until there is a result or a failure."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._speak)
            nursery.start_soon(self._heed_hang_up)
            with self._patience:
                await self._listen()
            nursery.cancel_scope.cancel()

    async def _listen(self) -> None:
        try:
            await self._websocket.send_message(self._talk.opening())
            while self._result is None:
                answer = str(await self._websocket.get_message())
                news = self._talk.hear(answer)
                self._told(answer, news)
                self._take(news)
        except ConnectionClosed as closed:
            code = "" if closed.reason is None else f" with {closed.reason.code}"
            self._fail(PeerError(errors.UNEXPECTED_ANSWER, f"the connection was closed{code} before the result"))
        except PeerError as error:
            self._fail(error)

    def _take(self, news: News) -> None:
        if news.begin:
            if not self._over:
                self._patience.deadline = math.inf  # speech takes its time
            self._begin.set()
        if news.enough:
            self._enough = True
            self._stop()
        self._result = news.result

    async def _heed_hang_up(self) -> None:
        await self._speech.hang_up.wait()
        self._stop()

    def _stop(self) -> None:
        self._over = True
        self._waiting.cancel()
        self._await_result()

    def _await_result(self) -> None:
        self._patience.deadline = min(self._patience.deadline, trio.current_time() + _RESULT_S)

    async def _speak(self) -> None:
        await self._begin.wait()
        try:
            async with aclosing(self._speech.packets) as packets:
                while (packet := await self._packet(packets)) is not None:
                    await self._websocket.send_message(write_wav(packet, self._speech.rate_hz))
                    self._speech.sent(packet)
            if not self._enough:
                await self._websocket.send_message(END_STREAM)
            self._await_result()
        except ConnectionClosed:
            pass  # whoever listens knows why
        except PeerError as error:  # the packets' own: no microphone
            self._fail(error)
            self._patience.cancel()

    async def _packet(self, packets: AsyncGenerator[bytes]) -> bytes | None:
        """The next one; None where there is none, or no more is to be said."""
        if not self._over:
            with trio.CancelScope() as self._waiting:  # not around the sending: a message begun is a message sent
                return await anext(packets, None)
        return None

    def _fail(self, failure: PeerError) -> None:
        if self._failure is None:
            self._failure = failure
