"""The client's side of a stream, against servers that behave and servers that do not, over streams of memory and no real time."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream, wrap_server_stream

from tests.cli.assessment.elsa_server import read_wav
from tests.cli.assessment.golden import FREE
from voicestream.cli.assessment.conversation import Conversation, Speech
from voicestream.cli.assessment.talk import FreeTalk, News
from voicestream.cli.stream import paced
from voicestream.errors import PeerError

RATE_HZ = 16_000
PACKETS = [bytes([number]) * 16_000 for number in range(6)]  # half a second each
BEGIN = {"status": "processing", "stream_id": "s"}
FINISHED = {"status": "processing", "message": "Finished receiving audio"}

Server = Callable[[WebSocketConnection], Awaitable[None]]


class Stage:
    """Runs a conversation against `server` and keeps what the client sent."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.sent: list[bytes] = []
        self.hang_up = trio.Event()
        self.warnings: list[str] = []

    async def converse(self, packets: AsyncGenerator[bytes]) -> dict[str, Any]:
        ours, theirs = memory_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._serve, theirs)
            websocket = await wrap_client_stream(nursery, ours, "h", "/")
            talk = FreeTalk()
            conversation = Conversation(websocket, talk, Speech(packets, RATE_HZ, self.hang_up, self.sent.append), self._told)
            await conversation.run()
            nursery.cancel_scope.cancel()
        return conversation.outcome()

    def _told(self, _answer: str, news: News) -> None:
        self.warnings += [news.warning] if news.warning else []

    async def _serve(self, stream: trio.abc.Stream) -> None:
        async with trio.open_nursery() as nursery:
            request = await wrap_server_stream(nursery, stream)
            websocket = await request.accept()
            with suppress(ConnectionClosed):
                await self._server(websocket)


async def tell(websocket: WebSocketConnection, message: dict[str, Any]) -> None:
    await websocket.send_message(json.dumps(message))


async def hear(websocket: WebSocketConnection) -> Any:
    message = await websocket.get_message()
    return json.loads(message) if isinstance(message, str) else read_wav(message)


async def test_audio_waits_for_the_stream_id_and_ends_with_end_stream(autojump_clock: MockClock) -> None:
    heard = []

    async def server(websocket: WebSocketConnection) -> None:
        heard.append(await hear(websocket))
        await tell(websocket, {"status": "accepted"})
        with trio.move_on_after(5) as waiting:
            heard.append(await hear(websocket))
        assert waiting.cancelled_caught  # nothing before the stream id
        await tell(websocket, BEGIN)
        while heard[-1] != {"type": "ELSA:end_stream"}:
            heard.append(await hear(websocket))
        await tell(websocket, FINISHED)
        await tell(websocket, {"status": "success", **FREE})

    stage = Stage(server)
    result = await stage.converse(paced(PACKETS, None))
    assert result["speakers"] == FREE["speakers"]
    assert heard[1:-1] == [(RATE_HZ, packet) for packet in PACKETS]
    assert stage.sent == PACKETS


async def test_a_server_that_has_heard_enough_is_sent_no_more(autojump_clock: MockClock) -> None:
    late = []

    async def server(websocket: WebSocketConnection) -> None:
        await hear(websocket)
        await tell(websocket, BEGIN)
        await hear(websocket)
        await tell(websocket, FINISHED)
        with trio.move_on_after(10):
            while True:
                late.append(await hear(websocket))
        await tell(websocket, {"status": "success", **FREE})

    stage = Stage(server)
    await stage.converse(paced(PACKETS, 0.5))
    assert stage.sent == PACKETS[:1]
    assert late == []


async def test_hanging_up_ends_the_speech_and_not_the_assessment(autojump_clock: MockClock) -> None:
    async def server(websocket: WebSocketConnection) -> None:
        await hear(websocket)
        await tell(websocket, BEGIN)
        assert [await hear(websocket) for _ in range(2)] == [(RATE_HZ, packet) for packet in PACKETS[:2]]
        stage.hang_up.set()
        assert await hear(websocket) == {"type": "ELSA:end_stream"}
        await tell(websocket, {"status": "success", **FREE})

    stage = Stage(server)
    await stage.converse(paced(PACKETS, 0.5))
    assert stage.sent == PACKETS[:2]


async def test_hanging_up_before_the_beginning_sends_nothing(autojump_clock: MockClock) -> None:
    async def server(websocket: WebSocketConnection) -> None:
        await hear(websocket)
        await tell(websocket, BEGIN)
        assert await hear(websocket) == {"type": "ELSA:end_stream"}
        await tell(websocket, {"status": "failed", "reason": "no_audio"})

    stage = Stage(server)
    stage.hang_up.set()
    with pytest.raises(PeerError, match="no_audio"):
        await stage.converse(paced(PACKETS, 0.5))
    assert stage.sent == []


async def no_beginning(websocket: WebSocketConnection) -> None:
    await trio.sleep_forever()


async def no_result(websocket: WebSocketConnection) -> None:
    await hear(websocket)
    await tell(websocket, BEGIN)
    await trio.sleep_forever()


async def no_reading(websocket: WebSocketConnection) -> None:
    await hear(websocket)
    await tell(websocket, BEGIN)
    await tell(websocket, FINISHED)
    await trio.sleep_forever()


async def refusal(websocket: WebSocketConnection) -> None:
    await hear(websocket)
    await tell(websocket, {"status": "failed", "reason": "invalid_config"})
    await websocket.aclose(1000)


async def goodbye(websocket: WebSocketConnection) -> None:
    await hear(websocket)
    await tell(websocket, BEGIN)
    await websocket.aclose(1013)


async def nonsense(websocket: WebSocketConnection) -> None:
    await websocket.send_message(b"\xff\xfe")


@pytest.mark.parametrize(
    "server, why, at_s",
    [
        (no_beginning, "no result in time", 30.0),
        (no_result, "no result in time", 2.5 + 150.0),  # the last of six packets goes out at 2.5 s
        (no_reading, "no result in time", 150.0),
        (refusal, "no assessment, invalid_config", 0.0),
        (goodbye, "the connection was closed with 1013 before the result", 0.0),
        (nonsense, "no JSON object", 0.0),
    ],
)
async def test_no_result_comes_to_an_end(server: Server, why: str, at_s: float, autojump_clock: MockClock) -> None:
    start_s = trio.current_time()
    with pytest.raises(PeerError) as caught:
        await Stage(server).converse(paced(PACKETS, 0.5))
    assert caught.value.fault.code == "VS1022"
    assert why in caught.value.detail
    assert trio.current_time() - start_s == pytest.approx(at_s)
