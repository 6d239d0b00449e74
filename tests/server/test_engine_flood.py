"""A flood of packets that cost a careless server a task each (CVE-2026-48802 of python-engineio): ours stays as it was."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.server.engine_house import ear, engine_house
from tests.transport.wire import TEXT, masked, opening

PIECE = 1000
EMPTY = b"4"  # a message that is no Socket.IO packet


@pytest.mark.parametrize("packet", [b"3", b"6", b"40/nope,", EMPTY])
async def test_ten_thousand_of_them_make_no_task(packet: bytes, autojump_clock: MockClock) -> None:
    await flood(packet, 10_000)


@pytest.mark.slow
async def test_a_hundred_thousand_pongs_make_no_task(autojump_clock: MockClock) -> None:
    await flood(b"3", 100_000)


async def flood(packet: bytes, count: int) -> None:
    """Many of the same from a client that never reads; at no time more tasks live than before."""
    async with engine_house(ear) as house:
        stream = await house.dial()
        await stream.send_all(opening(f"{house.server.path}/?EIO=4&transport=websocket"))
        await wait_all_tasks_blocked()
        tasks = trio.lowlevel.current_statistics().tasks_living
        for _ in range(count // PIECE):
            try:
                await stream.send_all(masked(TEXT, packet) * PIECE)
            except trio.BrokenResourceError:
                break
            await wait_all_tasks_blocked()
            assert trio.lowlevel.current_statistics().tasks_living <= tasks
        assert house.active("websocket") == (packet != EMPTY)  # the others are borne
        await stream.aclose()
        assert house.book.escapes == []
