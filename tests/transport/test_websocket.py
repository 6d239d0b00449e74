"""One WebSocket over a fake network: what is sent when, and how it ends, at exact virtual times."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.transport.fake import FakePipe, Speaker, close_codes, hear, open_websocket, received
from tests.transport.wire import BINARY, CLOSE, PING, PONG, TEXT, closing, masked
from voicestream.transport.websocket import Disconnected, Ending, Timing

# ---- receiving ------------------------------------------------------------------------------------


async def test_early_bytes_come_first() -> None:
    pipe = FakePipe()
    pipe.peer_sends(masked(TEXT, b"second"))
    async with open_websocket(pipe, early=masked(TEXT, b"first")) as (websocket, _):
        assert [await received(websocket), await received(websocket)] == [["first"], ["second"]]


async def test_a_frame_may_begin_in_the_early_bytes() -> None:
    pipe, stream = FakePipe(), masked(TEXT, b"whole")
    pipe.peer_sends(stream[3:])
    async with open_websocket(pipe, early=stream[:3]) as (websocket, _):
        assert [await received(websocket), await received(websocket)] == [[], ["whole"]]


async def test_the_last_message_and_the_close_in_one_segment() -> None:
    pipe, source = FakePipe(), Speaker()
    pipe.peer_sends(masked(BINARY, b"last") + closing(1000))
    async with open_websocket(pipe, source) as (websocket, _):
        assert await received(websocket) == [b"last"]
        source.waiting.append("answer")
        with pytest.raises(Disconnected):
            await received(websocket)
        await websocket.finish()
    assert pipe.frames() == [(TEXT, b"answer"), (CLOSE, b"\x03\xe8")]
    assert websocket.ending == Ending(1000, "peer")


async def test_cancelled_while_it_waits_nothing_is_lost(autojump_clock: MockClock) -> None:
    pipe, stream = FakePipe(), masked(TEXT, b"hello")
    async with open_websocket(pipe) as (websocket, _):
        pipe.peer_sends(stream[:4])
        assert await received(websocket) == []
        with trio.move_on_after(1):
            await received(websocket)
        pipe.peer_sends(stream[4:])
        assert await received(websocket) == ["hello"]


# ---- pings ----------------------------------------------------------------------------------------


async def test_a_silent_peer_is_pinged_at_20_s_and_closed_at_40(autojump_clock: MockClock) -> None:
    pipe = FakePipe()
    async with open_websocket(pipe) as (websocket, nursery):
        nursery.start_soon(hear, websocket)
        await trio.sleep(19.99)
        websocket.tick(trio.current_time())
        websocket.flush()
        assert pipe.frames() == []
        await trio.sleep(0.02)
        assert pipe.frames() == [(PING, b"")]
        await trio.sleep(19.98)
        assert websocket.ending is None
        await trio.sleep(0.02)
        assert websocket.ending == Ending(1011, "server", "no pong")
        await websocket.finish()
    assert close_codes(pipe) == [1011]
    assert pipe.closed_at == pytest.approx(45.01)  # it had 5 s to answer the close


async def test_a_pong_buys_time(autojump_clock: MockClock) -> None:
    pipe = FakePipe()
    async with open_websocket(pipe) as (websocket, nursery):
        nursery.start_soon(hear, websocket)
        await trio.sleep(25)
        pipe.peer_sends(masked(PONG))
        await trio.sleep(34.9)  # 59.9
        assert (len(pipe.frames()), websocket.ending) == (1, None)
        await trio.sleep(0.2)  # heard nothing since 25
        assert pipe.frames() == [(PING, b"")] * 2
        nursery.cancel_scope.cancel()


async def test_a_peer_that_talks_is_not_pinged(autojump_clock: MockClock) -> None:
    pipe = FakePipe()
    async with open_websocket(pipe) as (websocket, nursery):
        nursery.start_soon(hear, websocket)
        for _ in range(100):
            pipe.peer_sends(masked(BINARY, b"audio"))
            await trio.sleep(5)
        assert (pipe.frames(), websocket.ending) == ([], None)
        nursery.cancel_scope.cancel()


async def test_pings_are_answered_before_messages() -> None:
    pipe, source = FakePipe(), Speaker("answer")
    async with open_websocket(pipe, source) as (websocket, _):
        pipe.peer_sends(masked(PING, b"1") + masked(PING, b"2"))
        await received(websocket)
        websocket.flush()
    assert pipe.frames() == [(PONG, b"1"), (PONG, b"2"), (TEXT, b"answer")]


async def test_a_flood_of_pings_ends_with_1008(autojump_clock: MockClock) -> None:
    pipe = FakePipe()
    async with open_websocket(pipe) as (websocket, nursery):
        nursery.start_soon(hear, websocket)
        for _ in range(3):  # as many as are allowed in each interval
            pipe.peer_sends(masked(PING) * 512)
            await trio.sleep(20.5)
        assert (pipe.frames(), websocket.ending) == ([(PONG, b"")] * 1536, None)
        pipe.peer_sends(masked(PING) * 512)
        pipe.peer_sends(masked(PING))
        await wait_all_tasks_blocked()
        assert websocket.ending == Ending(1008, "server", "too many control frames")
        await websocket.finish()
    assert close_codes(pipe) == [1008]


async def test_pongs_nobody_asked_for_cost_no_task_and_no_answer() -> None:
    pipe = FakePipe()
    async with open_websocket(pipe) as (websocket, nursery):
        for _ in range(10):
            pipe.peer_sends(masked(PONG, b"x") * 5_000)
            await received(websocket)
            websocket.flush()
        assert (pipe.sent, nursery.child_tasks, websocket.ending) == (b"", frozenset(), None)


# ---- sending --------------------------------------------------------------------------------------


async def test_a_peer_that_reads_gets_all_at_once_and_without_a_task() -> None:
    pipe = FakePipe()
    async with open_websocket(pipe, Speaker("a", b"b", "ü" * 100)) as (websocket, nursery):
        websocket.flush()
        assert nursery.child_tasks == frozenset()
    assert pipe.frames() == [(TEXT, b"a"), (BINARY, b"b"), (TEXT, ("ü" * 100).encode())]


async def test_more_than_an_outbox_for_a_peer_that_reads_is_sent_in_one_flush() -> None:
    pipe, source = FakePipe(), Speaker(*[b"x" * 1000] * 1000)
    async with open_websocket(pipe, source) as (websocket, _):
        websocket.flush()
    assert len(pipe.frames()) == 1000


async def test_the_source_is_asked_only_when_the_outbox_is_empty(autojump_clock: MockClock) -> None:
    pipe, source = FakePipe(room=100), Speaker(*[b"x" * 1000] * 1000)
    async with open_websocket(pipe, source, timing=Timing(outbox_bytes=5000)) as (websocket, nursery):
        for _ in range(50):
            websocket.flush()
            await trio.sleep(0.1)
        assert (source.asked, len(source.waiting), len(nursery.child_tasks)) == ([5000], 995, 1)
        pipe.peer_reads(4920)  # 5 frames of 1004 bytes: all but nothing
        await wait_all_tasks_blocked()
        assert len(source.waiting) == 990
        pipe.peer_reads()
    assert len(pipe.frames()) == 1000


async def test_a_peer_that_does_not_read_is_given_up_after_10_s(autojump_clock: MockClock) -> None:
    pipe, source = FakePipe(room=10), Speaker(*["x" * 1000] * 1000)
    async with open_websocket(pipe, source) as (websocket, nursery):
        nursery.start_soon(hear, websocket)
        await trio.sleep(3)
        websocket.flush()
        await trio.sleep(9.9)
        assert websocket.ending is None
        await trio.sleep(0.2)
        assert (websocket.ending, pipe.closed_at) == (Ending(1013, "server", "peer does not read"), 13)
        await websocket.finish()
    assert trio.current_time() == pytest.approx(13.1)  # nobody lingers for it


async def test_a_peer_that_reads_slowly_is_borne(autojump_clock: MockClock) -> None:
    pipe = FakePipe(room=0)
    async with open_websocket(pipe, Speaker("x" * 100)) as (websocket, _):
        websocket.flush()
        for _ in range(11):
            await trio.sleep(9)
            pipe.peer_reads(10)
        await wait_all_tasks_blocked()
    assert (pipe.frames(), websocket.ending) == ([(TEXT, b"x" * 100)], None)


async def test_a_break_while_the_writer_waits_ends_it() -> None:
    pipe = FakePipe(room=0)
    async with open_websocket(pipe, Speaker("x")) as (websocket, nursery):
        nursery.start_soon(hear, websocket)
        websocket.flush()
        await wait_all_tasks_blocked()
        pipe.peer_resets()
    assert websocket.ending == Ending(1006, "network", "connection lost")


async def test_a_break_at_a_write_ends_it() -> None:
    pipe = FakePipe()
    async with open_websocket(pipe, Speaker("x")) as (websocket, _):
        pipe.broken = True
        websocket.flush()
        with pytest.raises(Disconnected):
            await received(websocket)
        await websocket.finish()
    assert websocket.ending == Ending(1006, "network", "connection lost")
