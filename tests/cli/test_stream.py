"""The client's side of a conversation, against servers that behave and servers that do not."""

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest, serve_websocket

from voicestream import errors
from voicestream.cli.http import endpoint_url
from voicestream.cli.stream import converse, paced
from voicestream.errors import Fault, PeerError

Handler = Callable[[WebSocketRequest], Awaitable[None]]


async def good(request: WebSocketRequest) -> None:
    websocket = await request.accept()
    try:
        while True:
            message = await websocket.get_message()
            await websocket.send_message("200" if isinstance(message, str) else f"{len(message)}")
    except ConnectionClosed:
        pass


async def refuse_second_parameter(request: WebSocketRequest) -> None:
    websocket = await request.accept()
    for answer in ("200", "500"):
        await websocket.get_message()
        await websocket.send_message(answer)
    await _until_gone(websocket)


async def close_in_the_middle(request: WebSocketRequest) -> None:
    websocket = await request.accept()
    for _ in range(2):
        await websocket.get_message()
        await websocket.send_message("200")
    await websocket.get_message()
    await websocket.aclose(1013, "busy")


async def not_here(request: WebSocketRequest) -> None:
    await request.reject(404)


async def _until_gone(websocket: WebSocketConnection) -> None:
    try:
        while True:
            await websocket.get_message()
    except ConnectionClosed:
        pass


async def talk(handler: Handler, messages: list[bytes]) -> list[tuple[str, bytes]]:
    heard: list[tuple[str, bytes]] = []
    refusals: list[PeerError] = []
    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, handler, "127.0.0.1", 0, None)
        try:
            url = f"http://127.0.0.1:{server.port}"
            await converse(url, "/path", ["a", "b"], paced(messages, None), lambda answer, message: heard.append((answer, message)))
        except PeerError as error:
            refusals.append(error)
        nursery.cancel_scope.cancel()
    if refusals:
        raise refusals[0]
    return heard


async def test_each_answer_meets_its_message() -> None:
    messages = [bytes(count) for count in range(200)]  # more than may be unanswered at a time
    assert await talk(good, messages) == [(str(len(message)), message) for message in messages]


async def test_nothing_to_send_is_a_conversation_too() -> None:
    assert await talk(good, []) == []


@pytest.mark.parametrize(
    "handler, fault, detail",
    [
        (refuse_second_parameter, errors.UNEXPECTED_ANSWER, "parameter 2 of 2 was refused"),
        (close_in_the_middle, errors.UNEXPECTED_ANSWER, "closed with 1013"),
        (not_here, errors.UNEXPECTED_ANSWER, "HTTP 404"),
    ],
)
async def test_a_refusal_is_told_with_its_number(handler: Handler, fault: Fault, detail: str) -> None:
    with pytest.raises(PeerError) as caught:
        await talk(handler, [b"x"] * 500)
    assert caught.value.fault is fault
    assert detail in caught.value.detail


async def test_no_server_at_all() -> None:
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    port = listener.socket.getsockname()[1]
    await listener.aclose()
    with pytest.raises(PeerError) as caught:
        await converse(f"ws://127.0.0.1:{port}", "/path", [], paced([], None), lambda _answer, _message: None)
    assert caught.value.fault is errors.UNREACHABLE


async def test_a_realtime_stream_takes_the_time_of_its_audio(autojump_clock: MockClock) -> None:
    start = trio.current_time()
    times = [trio.current_time() - start async for _ in paced([b""] * 4, 0.1)]
    assert times == pytest.approx([0.0, 0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    "url, expected",
    [
        ("http://host:1", "ws://host:1/path"),
        ("https://host", "wss://host/path"),
        ("ws://host/prefix/", "ws://host/prefix/path"),
        ("host:1", "ws://host:1/path"),
        ("http://[::1]:80?x=1", "ws://[::1]:80/path"),
    ],
)
def test_any_spelling_of_a_server_is_understood(url: str, expected: str) -> None:
    assert endpoint_url(url, "/path", "ws") == expected
