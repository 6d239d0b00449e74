"""A registration or verification from the client's side: signalling over Socket.IO, and the call when the server is ready for it."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import assert_never

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from voicestream import errors
from voicestream.cli.daspeak_request import READY, Request, Told, read_event
from voicestream.cli.http import endpoint_url
from voicestream.cli.socketio_client import PATH, Event, Heard, Joined, Left, SocketClient
from voicestream.cli.terminal import printable
from voicestream.cli.websocket import open_websocket
from voicestream.errors import PeerError

_PATIENCE_S = 60.0  # for the consumer to be ready, and for the result once the call is over
_LAST_WORDS_S = 1.0  # an audio stream that broke off: signalling may know why; a result is there: the stream may end as it should
_COLLECTED_BYTES = 1 << 26


async def ask(
    url: str,
    authorization: str,
    request: Request,
    speak: Callable[[], Awaitable[object]] | None,
    told: Callable[[Told], None],
) -> Told:
    """The result. `told` is told every event; `speak` makes the call, None: somebody else does.

    PeerError VS1021 where no server answers, VS1022 with the server's reason where it gives no result.
    """
    async with open_websocket(
        endpoint_url(url, PATH, "ws"), {"Authorization": authorization}, what="signalling", message_bytes=_COLLECTED_BYTES
    ) as websocket:
        session = _Session(websocket, request, speak, told)
        await session.run()
    return session.outcome()


class _Session:
    def __init__(
        self,
        websocket: WebSocketConnection,
        request: Request,
        speak: Callable[[], Awaitable[object]] | None,
        told: Callable[[Told], None],
    ) -> None:
        self._websocket = websocket
        self._request = request
        self._make_call = speak
        self._told = told
        self._client = SocketClient(request.namespaces, trio.current_time())
        self._patience = trio.CancelScope(deadline=trio.current_time() + _PATIENCE_S)
        self._ready = trio.Event()
        self._result: Told | None = None
        self._failure: PeerError | None = None  # of signalling
        self._call_failure: PeerError | None = None

    def outcome(self) -> Told:
        """The result, or why there is none: signalling knows better than the call."""
        if self._result is not None:
            return self._result
        no_result = PeerError(errors.UNEXPECTED_ANSWER, f"no result within {_PATIENCE_S:.0f} s")
        raise self._failure or self._call_failure or no_result

    async def run(self) -> None:
        """Speak and listen until there is a result or a failure; then leave."""
        async with trio.open_nursery() as nursery:
            if self._make_call is not None:
                nursery.start_soon(self._speak, self._make_call)
            with self._patience:
                await self._listen()
            wait_s = _LAST_WORDS_S if self._result is not None and self._ready.is_set() else 0.0
            nursery.cancel_scope.deadline = trio.current_time() + wait_s

    async def _speak(self, make_call: Callable[[], Awaitable[object]]) -> None:
        """Make the call when the server is ready for it."""
        await self._ready.wait()
        wait_s = _PATIENCE_S
        try:
            await make_call()
        except PeerError as error:
            self._call_failure = error
            wait_s = _LAST_WORDS_S
        self._patience.deadline = trio.current_time() + wait_s

    async def _listen(self) -> None:
        try:
            while self._result is None and self._failure is None:
                await self._send()
                frame = None
                with trio.CancelScope(deadline=self._client.deadline):
                    frame = await self._websocket.get_message()
                now = trio.current_time()
                for event in self._client.tick(now) if frame is None else self._client.receive(frame, now):
                    self._take(event)
            self._client.leave()
            await self._send()
        except ConnectionClosed:
            self._fail("the signalling connection was lost")
        except PeerError as error:
            self._failure = error

    async def _send(self) -> None:
        for frame in self._client.drain():
            await self._websocket.send_message(frame)

    def _take(self, event: Event) -> None:
        match event:
            case Joined():
                self._client.emit("initialize", self._request.initialize())
            case Heard(name, arguments):
                self._hear(read_event(name, arguments))
            case Left(reason):
                self._fail(printable(reason) or "the server ended the session without a result")
            case _:
                assert_never(event)

    def _hear(self, told: Told) -> None:
        self._told(told)
        if told.event == READY:
            self._patience.deadline = math.inf  # a call takes its time
            self._ready.set()
        elif told.is_result:
            self._result = told
        elif told.is_error:
            field = told.text("field")
            self._fail(printable(f"{told.event}, {told.text('content')}" + (f" ({field})" if field else "")))

    def _fail(self, sentence: str) -> None:
        if self._result is None and self._failure is None:
            self._failure = PeerError(errors.UNEXPECTED_ANSWER, sentence)
