"""How a WebSocket ends: who says what last, and how long it is waited for, at exact virtual times."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.transport.fake import FakePipe, Speaker, close_codes, hear, open_websocket, received
from tests.transport.wire import BINARY, CLOSE, CONTINUATION, PING, TEXT, closing, masked
from voicestream import errors
from voicestream.errors import Fault
from voicestream.transport.pipe import READ_BYTES
from voicestream.transport.websocket import Disconnected, Ending, Timing


async def test_finishing_says_what_waits_then_1000_then_waits_for_the_peer(autojump_clock: MockClock) -> None:
    pipe = FakePipe()
    async with open_websocket(pipe, Speaker("a", "b")) as (websocket, nursery):
        nursery.start_soon(websocket.finish)
        await trio.sleep(3)
        assert pipe.frames() == [(TEXT, b"a"), (TEXT, b"b"), (CLOSE, b"\x03\xe8")]
        pipe.peer_sends(masked(BINARY, b"crossing"))
        pipe.peer_sends(closing(1000))
    assert (pipe.closed_at, websocket.ending) == (3, Ending(1000, "server"))


async def test_a_peer_that_reads_a_little_now_and_then_has_60_s_at_the_end(autojump_clock: MockClock) -> None:
    pipe = FakePipe(room=0)
    async with open_websocket(pipe, Speaker(*["x" * 100] * 100)) as (websocket, nursery):
        nursery.start_soon(websocket.finish)
        for _ in range(20):
            await trio.sleep(4)
            pipe.peer_reads(10)
    assert (pipe.closed_at, websocket.ending) == (60, Ending(1013, "server", "peer does not read"))


async def test_the_close_frame_waits_for_more_answers_than_an_outbox_holds(autojump_clock: MockClock) -> None:
    pipe = FakePipe()
    async with open_websocket(pipe, Speaker(*["x" * 1000] * 30), timing=Timing(outbox_bytes=5000)) as (websocket, _):
        websocket.close(1001)
        await websocket.finish()
    assert [opcode for opcode, _ in pipe.frames()] == [TEXT] * 30 + [CLOSE]


async def test_a_peer_that_does_not_answer_our_close_has_5_s(autojump_clock: MockClock) -> None:
    pipe = FakePipe()
    async with open_websocket(pipe) as (websocket, _):
        websocket.close(1001, "server is going down")
        await websocket.finish()
    assert (pipe.closed_at, close_codes(pipe)) == (5, [1001])


async def test_a_peer_that_hangs_up_on_our_close_is_not_waited_for(autojump_clock: MockClock) -> None:
    for hang_up in (lambda pipe: pipe.peer_sends(b""), FakePipe.peer_resets):
        pipe = FakePipe()
        async with open_websocket(pipe) as (websocket, nursery):
            websocket.close(1001)
            nursery.start_soon(websocket.finish)
            await wait_all_tasks_blocked()
            hang_up(pipe)
        assert trio.current_time() == 0


async def test_finishing_waits_for_a_slow_reader(autojump_clock: MockClock) -> None:
    pipe = FakePipe(room=1)
    pipe.peer_sends(closing(3000))
    async with open_websocket(pipe, Speaker("answer")) as (websocket, nursery):
        await received(websocket)
        nursery.start_soon(websocket.finish)
        await trio.sleep(2)
        assert pipe.closed_at is None
        pipe.peer_reads()
    assert (pipe.frames(), pipe.closed_at) == ([(TEXT, b"answer"), (CLOSE, b"\x0b\xb8")], 2)


async def test_a_violation_is_told_after_the_answers_that_wait(autojump_clock: MockClock) -> None:
    pipe = FakePipe()
    async with open_websocket(pipe, Speaker("answer")) as (websocket, _):
        pipe.peer_sends(masked(TEXT, b"good") + masked(TEXT, b"bad", mask=False))
        assert await received(websocket) == ["good"]
        with pytest.raises(Disconnected):
            await received(websocket)
        await websocket.finish()
    assert pipe.frames() == [(TEXT, b"answer"), (CLOSE, b"\x03\xeaframe not masked")]
    assert websocket.ending == Ending(1002, "peer", "frame not masked")
    assert (pipe.eof_sent, pipe.closed_at) == (True, 5)


@pytest.mark.parametrize("how, reason", [(b"", "end of stream without a close frame"), (None, "connection lost")])
async def test_a_connection_that_ends_without_a_word_is_1006(how: bytes | None, reason: str, autojump_clock: MockClock) -> None:
    pipe = FakePipe()
    async with open_websocket(pipe, Speaker("nobody hears this")) as (websocket, _):
        pipe.peer_resets() if how is None else pipe.peer_sends(how)
        with pytest.raises(Disconnected):
            await received(websocket)
        websocket.flush()
        await websocket.finish()
    assert (websocket.ending, pipe.sent, trio.current_time()) == (Ending(1006, "network", reason), b"", 0)


async def test_both_sides_close_at_once() -> None:
    pipe = FakePipe()
    async with open_websocket(pipe) as (websocket, _):
        websocket.close(1001)
        websocket.flush()
        pipe.peer_sends(closing(3001))
        await websocket.finish()
    assert (close_codes(pipe), websocket.ending) == ([1001], Ending(1001, "server"))


async def test_closed_by_us_while_it_waits_the_peers_close_ends_the_wait() -> None:
    pipe = FakePipe()
    async with open_websocket(pipe) as (websocket, nursery):
        nursery.start_soon(hear, websocket)
        await wait_all_tasks_blocked()
        websocket.close(1001)
        websocket.flush()
        pipe.peer_sends(closing(1001))
        await wait_all_tasks_blocked()
        assert nursery.child_tasks == frozenset()
        await websocket.finish()
    assert (close_codes(pipe), websocket.ending) == ([1001], Ending(1001, "server"))


@pytest.mark.parametrize(
    "stream, fault",
    [
        (masked(TEXT, mask=False), errors.FRAME_BROKEN),
        (masked(TEXT, b"\xff"), errors.NOT_UTF8),
        (masked(TEXT, final=False) + masked(CONTINUATION, final=False) * 64, errors.TOO_MANY_PIECES),
        (masked(PING) * 513, errors.TOO_MANY_PIECES),
        (masked(TEXT, b"x" * 65537), errors.MESSAGE_LARGE),
        (closing(1000), None),
    ],
)
async def test_an_ending_names_its_fault(stream: bytes, fault: Fault | None) -> None:
    pipe = FakePipe()
    pipe.peer_sends(stream[:READ_BYTES])
    pipe.peer_sends(stream[READ_BYTES:])
    async with open_websocket(pipe) as (websocket, _):
        await hear(websocket)
    assert websocket.ending is not None
    assert websocket.ending.fault is fault


async def test_the_close_frame_is_sent_once_and_last() -> None:
    pipe, source = FakePipe(), Speaker("a")
    async with open_websocket(pipe, source) as (websocket, nursery):
        websocket.close(1001)
        websocket.flush()
        websocket.flush()
        nursery.start_soon(websocket.finish)
        await wait_all_tasks_blocked()
        source.waiting.append("too late")
        websocket.flush()
        pipe.peer_sends(closing(1001))
    assert pipe.frames() == [(TEXT, b"a"), (CLOSE, b"\x03\xe9")]


# ---- our own defects ------------------------------------------------------------------------------


def broken(room_bytes: int) -> list[str | bytes]:
    raise RuntimeError("a defect")


async def test_a_source_that_raises_ends_it_with_1011() -> None:
    pipe = FakePipe()
    async with open_websocket(pipe) as (websocket, _):
        websocket.attach(broken)
        websocket.flush()
        with pytest.raises(Disconnected):
            await received(websocket)
        pipe.peer_sends(closing(1011))
        await websocket.finish()
    assert (close_codes(pipe), str(websocket.defect)) == ([1011], "a defect")


async def test_a_source_that_raises_in_the_writer_task_ends_it_with_1011() -> None:
    pipe = FakePipe(room=0)
    async with open_websocket(pipe, Speaker("said")) as (websocket, _):
        websocket.flush()
        websocket.attach(broken)
        pipe.peer_reads()
        await wait_all_tasks_blocked()
        pipe.peer_sends(closing(1011))
        await websocket.finish()
    assert (pipe.frames()[0], close_codes(pipe), str(websocket.defect)) == ((TEXT, b"said"), [1011], "a defect")
