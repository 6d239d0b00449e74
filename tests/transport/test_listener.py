"""Greeting, telling apart, guarding: over memory streams at exact virtual times."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MemoryReceiveStream, MemorySendStream, MockClock, lockstep_stream_pair, memory_stream_pair, wait_all_tasks_blocked

from tests.transport.fake import Book, echo
from tests.transport.wire import BINARY, CLOSE, TEXT, close_code, closing, masked, opening, split
from voicestream.errors import CALL_REFUSED
from voicestream.transport.head import Refusal, Upgrade
from voicestream.transport.listener import Admission, Handler, HttpHandler, Listener, Route, anyone
from voicestream.transport.pipe import StreamPipe
from voicestream.transport.websocket import Timing, WebSocket

End = trio.StapledStream[MemorySendStream, MemoryReceiveStream]
REQUEST = b"GET /page HTTP/1.1\r\nHost: voice.example\r\n\r\n"


async def fails(websocket: WebSocket) -> None:
    raise RuntimeError("a defect")


async def fails_twice(websocket: WebSocket) -> None:
    raise ExceptionGroup("defects", [RuntimeError("one"), ValueError("two")])


async def page(stream: trio.abc.Stream, data: bytes) -> None:
    await stream.send_all(b"page for " + data)


async def broken_page(stream: trio.abc.Stream, data: bytes) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fails, stream)


ANYBODY = Admission()
TALK = Route("/talk", anyone(echo))


class House:
    """A listener and the connections to it."""

    def __init__(self, admission: Admission = ANYBODY, http: HttpHandler = page, talk: Route = TALK) -> None:
        self.book = Book()
        self.listener = Listener(
            [talk, Route("/fails", anyone(fails)), Route("/fails-twice", anyone(fails_twice))], http, self.book, admission
        )

    async def serve(self, end: trio.abc.HalfCloseableStream, address: str = "192.0.2.1") -> None:
        await self.listener.serve(end, StreamPipe(end), address)

    @asynccontextmanager
    async def visit(self, *data: bytes, address: str = "192.0.2.1") -> AsyncIterator[End]:
        """A peer that sends `data` at once; it hangs up at the end, and then must be forgotten."""
        ours, theirs = memory_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.serve, ours, address)
            await wait_all_tasks_blocked()
            for piece in data:
                await theirs.send_all(piece)
            yield theirs
            await theirs.aclose()

    def is_empty(self) -> bool:
        return not (self.listener._count or self.listener._addresses or self.book.open)


async def read_to_end(end: End) -> bytes:
    received = bytearray()
    while data := await end.receive_some():
        received += data
    return bytes(received)


async def status_of(house: House, *data: bytes) -> bytes:
    async with house.visit(*data) as end:
        answer = await read_to_end(end)
    return answer.partition(b"\r\n")[0]


# ---- telling apart --------------------------------------------------------------------------------


async def test_a_websocket_whose_first_frames_come_with_the_opening(autojump_clock: MockClock) -> None:
    house = House()
    async with house.visit(opening() + masked(TEXT, b"early") + closing(1000)) as end:
        head, _, frames = (await read_to_end(end)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert split(frames) == [(TEXT, b"early"), (CLOSE, b"\x03\xe8")]
    assert (house.book.endings, house.is_empty()) == ([(1000, "peer")], True)


@pytest.mark.parametrize("path", ["/talk", "/talk/", "/talk?x=/fails"])
async def test_a_route_is_found_by_its_path_alone(path: str, autojump_clock: MockClock) -> None:
    assert await status_of(House(), opening(path) + closing(1000)) == b"HTTP/1.1 101 Switching Protocols"


async def test_other_requests_go_to_http_with_their_first_bytes() -> None:
    house = House()
    async with house.visit(REQUEST[:10], REQUEST[10:] + b"more") as end:
        assert await read_to_end(end) == b"page for " + REQUEST + b"more"
    assert house.is_empty()


async def test_refusals_before_the_upgrade(autojump_clock: MockClock) -> None:
    house = House(Admission(origins=frozenset({"https://voice.example"})))
    assert await status_of(house, opening("/elsewhere")) == b"HTTP/1.1 404 Not Found"
    assert await status_of(house, REQUEST.replace(b"/page", b"/talk")) == b"HTTP/1.1 426 Upgrade Required"
    assert await status_of(house, opening("/talk", "Origin: https://evil.example")) == b"HTTP/1.1 403 Forbidden"
    assert await status_of(house, b"\x00\r\n\r\n") == b"HTTP/1.1 400 Bad Request"
    assert await status_of(house, opening("/talk", "X: " + "y" * 9000)) == b"HTTP/1.1 431 Request Header Fields Too Large"
    house.listener.draining = True
    assert await status_of(house, opening()) == b"HTTP/1.1 503 Service Unavailable"
    assert [refusal.status for refusal in house.book.refusals] == [404, 426, 403, 400, 431, 503]
    assert house.is_empty()


@pytest.mark.parametrize("headers", [["Origin: https://voice.example"], []])
async def test_the_right_origin_and_none_at_all_are_welcome(headers: list[str], autojump_clock: MockClock) -> None:
    house = House(Admission(origins=frozenset({"https://voice.example"})))
    assert await status_of(house, opening("/talk", *headers) + closing(1000)) == b"HTTP/1.1 101 Switching Protocols"


async def test_a_refusal_is_read_before_the_connection_goes(autojump_clock: MockClock) -> None:
    house = House()
    async with house.visit(opening("/elsewhere") + b"x" * 100_000) as end:
        assert (await read_to_end(end)).startswith(b"HTTP/1.1 404 ")
    assert trio.current_time() == 0  # a peer that closes is not waited for


# ---- deadlines ------------------------------------------------------------------------------------


@pytest.mark.parametrize("data, answer", [(b"", b""), (b"GET / HT", b"HTTP/1.1 408 Request Timeout")])
async def test_a_head_has_5_s(data: bytes, answer: bytes, autojump_clock: MockClock) -> None:
    house = House()
    async with house.visit(data) as end:
        received = await read_to_end(end)
        assert trio.current_time() == pytest.approx(5)
    assert (received.partition(b"\r\n")[0], house.is_empty()) == (answer, True)


async def test_a_head_that_trickles_has_5_s_in_all(autojump_clock: MockClock) -> None:
    house = House()
    async with house.visit() as end:
        for byte in opening()[:40]:
            await end.send_all(bytes((byte,)))
            await trio.sleep(0.2)
            if house.book.refusals:
                break
        assert trio.current_time() == pytest.approx(5, abs=0.21)
        assert (await read_to_end(end)).startswith(b"HTTP/1.1 408 ")


async def test_who_hangs_up_before_a_whole_head_is_forgotten_without_a_word() -> None:
    house = House()
    async with house.visit(b"GET /") as end:
        await end.send_eof()
        assert await read_to_end(end) == b""
    assert (house.is_empty(), house.book.refusals, house.book.escapes) == (True, [], [])


async def test_a_peer_that_does_not_read_our_101_is_given_up(autojump_clock: MockClock) -> None:
    house = House()
    ours, theirs = lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.serve, ours)
        await theirs.send_all(opening())
    assert (trio.current_time(), house.is_empty(), house.book.escapes) == (10, True, [])


async def test_a_peer_that_does_not_read_its_refusal_is_given_up(autojump_clock: MockClock) -> None:
    house = House()
    ours, theirs = lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.serve, ours)
        await theirs.send_all(opening("/elsewhere"))
    assert (trio.current_time(), house.is_empty(), house.book.escapes) == (1, True, [])


# ---- limits ---------------------------------------------------------------------------------------


async def refused_at_once(house: House, address: str) -> bytes:
    async with house.visit(address=address) as end:
        return await read_to_end(end)


async def test_too_many_connections_are_refused_before_they_say_anything(autojump_clock: MockClock) -> None:
    house = House(Admission(connections=2))
    async with house.visit(address="192.0.2.1") as first, house.visit(address="192.0.2.2"):
        answer = await refused_at_once(house, "192.0.2.3")
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n")
        await first.aclose()
        await wait_all_tasks_blocked()
        async with house.visit(opening() + closing(1000), address="192.0.2.3") as end:
            assert (await read_to_end(end)).startswith(b"HTTP/1.1 101 ")
    assert house.is_empty()


async def test_too_many_from_one_address_do_not_keep_others_out(autojump_clock: MockClock) -> None:
    house = House(Admission(connections=4, per_address=2))
    async with trio.open_nursery() as nursery:
        ends = []
        for _ in range(20):  # of one address, all with half a head
            ours, theirs = memory_stream_pair()
            nursery.start_soon(house.serve, ours, "192.0.2.66")
            await theirs.send_all(b"GET /")
            ends.append(theirs)
        await wait_all_tasks_blocked()
        assert [refusal.status for refusal in house.book.refusals] == [429] * 18
        async with house.visit(opening() + closing(1000), address="192.0.2.3") as end:
            assert (await read_to_end(end)).startswith(b"HTTP/1.1 101 ")
        nursery.cancel_scope.cancel()
    assert house.is_empty()


# ---- the guard ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path, kind", [("/fails", RuntimeError), ("/fails-twice", ExceptionGroup)])
async def test_a_handler_that_raises_ends_its_connection_with_1011(path: str, kind: type, autojump_clock: MockClock) -> None:
    house = House()
    async with house.visit(opening(path) + closing(1011)) as end:
        frames = split((await read_to_end(end)).partition(b"\r\n\r\n")[2])
    assert [(opcode, close_code(payload)) for opcode, payload in frames] == [(CLOSE, 1011)]
    assert [type(error) for error in house.book.escapes] == [kind]
    assert (house.book.endings, house.is_empty()) == ([(1011, "server")], True)


async def test_a_source_that_raises_is_a_defect_that_is_told(autojump_clock: MockClock) -> None:
    def broken(room_bytes: int) -> list[str | bytes]:
        raise RuntimeError("a defect")

    async def attaches(websocket: WebSocket) -> None:
        websocket.attach(broken)

    house = House(talk=Route("/talk", anyone(attaches)))
    async with house.visit(opening() + closing(1011)) as end:
        frames = split((await read_to_end(end)).partition(b"\r\n\r\n")[2])
    assert [(opcode, close_code(payload)) for opcode, payload in frames] == [(CLOSE, 1011)]
    assert [str(error) for error in house.book.escapes] == ["a defect"]


async def test_what_escapes_from_http_ends_its_connection_alone() -> None:
    house = House(http=broken_page)
    async with house.visit(REQUEST) as end:
        assert await read_to_end(end) == b""
    assert ([type(error) for error in house.book.escapes], house.is_empty()) == ([ExceptionGroup], True)


async def test_a_connection_that_breaks_is_no_defect(autojump_clock: MockClock) -> None:
    house = House()
    for data in (b"GET", REQUEST, opening(), opening("/elsewhere")):
        ours, theirs = memory_stream_pair()
        async with trio.open_nursery() as nursery:
            await theirs.send_all(data)
            await theirs.aclose()
            nursery.start_soon(house.serve, ours)
    assert (house.book.escapes, house.is_empty()) == ([], True)


# ---- cancellation ---------------------------------------------------------------------------------


class CancelAt(trio.abc.Instrument):
    """Cancels `scope` when any task has been scheduled `steps` times."""

    def __init__(self, scope: trio.CancelScope, steps: int) -> None:
        self.scope, self.steps = scope, steps

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.steps -= 1
        if self.steps == 0:
            self.scope.cancel()


async def a_whole_connection(house: House) -> None:
    async with house.visit(opening(), masked(BINARY, b"1") + masked(BINARY, b"2")) as end:
        await end.receive_some()
        await end.send_all(masked(TEXT, b"3"))
        await trio.sleep(1)
        await end.send_all(closing(1000))
        await read_to_end(end)


async def test_cancelled_at_any_step_nothing_is_left(autojump_clock: MockClock) -> None:
    steps, finished = 0, False
    while not finished:
        steps += 1
        house = House()
        tasks = trio.lowlevel.current_statistics().tasks_living
        with trio.CancelScope() as scope:
            instrument = CancelAt(scope, steps)
            trio.lowlevel.add_instrument(instrument)
            try:
                await a_whole_connection(house)
            finally:
                trio.lowlevel.remove_instrument(instrument)
        finished = not scope.cancelled_caught and instrument.steps > 0
        assert house.is_empty(), steps
        assert (trio.lowlevel.current_statistics().tasks_living, house.book.escapes) == (tasks, []), steps
    assert steps > 15


# ---- a live conversation --------------------------------------------------------------------------


async def test_a_conversation_that_nobody_ends_is_closed_when_the_peer_goes(autojump_clock: MockClock) -> None:
    house = House()
    async with house.visit(opening(), masked(TEXT, b"hello")) as end:
        await wait_all_tasks_blocked()
        await end.send_eof()
        await wait_all_tasks_blocked()
        assert (house.book.endings, house.is_empty()) == ([(1006, "network")], True)


async def test_each_route_has_its_own_timing(autojump_clock: MockClock) -> None:
    async def closes(websocket: WebSocket) -> None:
        websocket.close(1001)

    house = House(talk=Route("/talk", anyone(closes), timing=Timing(close_s=2)))
    async with house.visit(opening()) as end:
        await read_to_end(end)
        assert trio.current_time() == 2


async def test_a_route_may_choose_its_handler_by_the_head() -> None:
    async def by_key(upgrade: Upgrade, address: str) -> Handler | Refusal:
        return echo if (upgrade.fields["x-api-key"], address) == ("sesame", "192.0.2.1") else fails

    house = House(talk=Route("/talk", by_key))
    async with house.visit(opening("/talk", "X-Api-Key: sesame") + masked(TEXT, b"hi") + closing(1000)) as end:
        frames = split((await read_to_end(end)).partition(b"\r\n\r\n")[2])
    assert frames[0] == (TEXT, b"hi")


async def test_a_route_may_refuse_a_head_in_its_own_words() -> None:
    async def refuses(upgrade: Upgrade, address: str) -> Handler | Refusal:
        return Refusal(401, CALL_REFUSED, body={"message": "Invalid authentication credentials"})

    house = House(talk=Route("/talk", refuses))
    async with house.visit(opening()) as end:
        answer = await read_to_end(end)
    assert answer.startswith(b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n")
    assert answer.endswith(b'{"message": "Invalid authentication credentials"}')
    assert [refusal.fault for refusal in house.book.refusals] == [CALL_REFUSED]


async def test_a_path_may_serve_plain_requests_too() -> None:
    house = House(talk=Route("/page", anyone(echo), also_http=True))
    async with house.visit(REQUEST) as end:
        assert await read_to_end(end) == b"page for " + REQUEST
