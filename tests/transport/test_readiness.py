"""The attendant of all readers: edges are not lost, ends are remembered, a crowd waits for the tick and a single client does not."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import trio

from voicestream.transport.readiness import CROWD, TICK_S, TURN, Door, readiness


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, peer = socket.socketpair()
    with ours, peer:
        ours.setblocking(False)
        yield ours, peer


def once() -> bool:
    return False


async def passes(door: Door) -> bool:
    """Whether a wait at the door ends now, not later."""
    with trio.move_on_after(0.05) as patience:
        await door.wait(once)
    return not patience.cancelled_caught


async def test_bytes_open_the_door_of_a_waiting_reader(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, peer = pair
    door = readiness().door(ours.fileno())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(door.wait, once)
        await trio.testing.wait_all_tasks_blocked()
        peer.send(b"x")
    door.close()


async def test_bytes_that_were_there_before_the_door_are_told(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, peer = pair
    peer.send(b"x")
    door = readiness().door(ours.fileno())
    assert await passes(door)
    door.close()


async def test_bytes_that_came_while_nobody_waited_leave_the_door_ajar_once(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, peer = pair
    door = readiness().door(ours.fileno())
    peer.send(b"x")
    await trio.testing.wait_all_tasks_blocked(0.01)
    assert await passes(door)
    assert not await passes(door)  # an edge is told once
    door.close()


async def test_the_end_of_the_stream_is_told_every_time(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, peer = pair
    door = readiness().door(ours.fileno())
    peer.send(b"last words")
    peer.shutdown(socket.SHUT_WR)
    await trio.testing.wait_all_tasks_blocked(0.01)
    assert await passes(door)  # the words
    assert await passes(door)  # the end, which hid behind them
    door.close()


async def test_closing_wakes_the_reader(pair: tuple[socket.socket, socket.socket]) -> None:
    door = readiness().door(pair[0].fileno())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.testing.wait_all_tasks_blocked)
        nursery.start_soon(_close_later, door)
        with pytest.raises(trio.ClosedResourceError):
            await door.wait(once)


async def _close_later(door: Door) -> None:
    await trio.testing.wait_all_tasks_blocked()
    door.close()


async def test_a_cancelled_reader_is_not_woken(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, peer = pair
    door = readiness().door(ours.fileno())
    assert not await passes(door)  # cancelled in its wait
    peer.send(b"x")
    await trio.testing.wait_all_tasks_blocked(0.01)
    assert await passes(door)
    door.close()


async def fastest_wait_s(doors: int) -> float:
    """Of some bytes that come right after others, with so many doors open."""
    with ExitStack() as running:
        pairs = [socket.socketpair() for _ in range(doors)]
        for ours, peer in pairs:
            running.enter_context(ours)
            running.enter_context(peer)
        opened = [readiness().door(ours.fileno()) for ours, _ in pairs]
        waits_s = []
        for _ in range(20):
            began = trio.current_time()
            pairs[0][1].send(b"x")
            await opened[0].wait(once)
            waits_s.append(trio.current_time() - began)
        for door in opened:
            door.close()
    return min(waits_s[1:])


async def test_in_a_crowd_the_attendant_looks_once_per_tick() -> None:
    assert await fastest_wait_s(CROWD) > 0.8 * TICK_S


async def test_a_client_alone_is_served_at_once() -> None:
    assert await fastest_wait_s(1) < 0.8 * TICK_S


async def test_while_it_asks_for_more_it_is_called_and_its_task_sleeps(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, peer = pair
    door = readiness().door(ours.fileno())
    read: list[bytes] = []
    woken = trio.Event()

    def ready() -> bool:
        read.append(ours.recv(10))
        return read[-1] != b"stop"

    async def wait() -> None:
        await door.wait(ready)
        woken.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        for word in (b"one", b"two"):
            await trio.testing.wait_all_tasks_blocked(0.01)
            peer.send(word)
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert (read, woken.is_set()) == ([b"one", b"two"], False)
        peer.send(b"stop")
        await woken.wait()
    door.close()


async def test_what_it_raises_is_raised_where_it_waits(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, peer = pair
    door = readiness().door(ours.fileno())

    def ready() -> bool:
        raise ZeroDivisionError

    async def send_later() -> None:
        await trio.testing.wait_all_tasks_blocked()
        peer.send(b"x")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send_later)
        with pytest.raises(ZeroDivisionError):
            await door.wait(ready)
    door.close()


async def test_a_call_may_cancel_its_own_wait(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, peer = pair
    door = readiness().door(ours.fileno())
    scope = trio.CancelScope()

    def ready() -> bool:
        scope.cancel()
        return False

    async def send_later() -> None:
        await trio.testing.wait_all_tasks_blocked()
        peer.send(b"x")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send_later)
        with scope:
            await door.wait(ready)
    assert scope.cancelled_caught
    door.close()


async def test_cancelled_at_a_door_ajar_the_edge_is_kept(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, peer = pair
    door = readiness().door(ours.fileno())
    peer.send(b"x")
    await trio.testing.wait_all_tasks_blocked(0.01)
    with trio.CancelScope() as scope:
        scope.cancel()
        await door.wait(once)
    assert await passes(door)
    door.close()


async def test_a_crowd_that_speaks_at_once_is_served_in_turns() -> None:
    with ExitStack() as running:
        pairs = [socket.socketpair() for _ in range(3 * TURN)]
        for pair in pairs:
            for end in pair:
                running.enter_context(end)
        opened = [readiness().door(ours.fileno()) for ours, _ in pairs]
        async with trio.open_nursery() as nursery:
            for door in opened:
                nursery.start_soon(door.wait, once)
            await trio.testing.wait_all_tasks_blocked()
            for _, peer in pairs:
                peer.send(b"x")
        for door in opened:
            door.close()
