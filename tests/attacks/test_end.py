"""The end of the server cannot be held up, and its memory not filled, by peers that mean it no good."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from benchmarks.attacks import Target
from benchmarks.attacks.peer import BINARY, connected, frame, streaming
from benchmarks.house import House, house
from benchmarks.measure import rss_bytes

WRITE_S = 2.0


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[House]:
    """A server of one's own, to be ended."""
    with house(tmp_path / "log", write_s=WRITE_S, connections_per_address=1000) as running:
        yield running


async def test_sigterm_ends_it_although_one_peer_does_not_read(doomed: House) -> None:
    target = Target(doomed.port, "")
    async with streaming(target, receive_bytes=4096) as deaf, streaming(target) as good, connected(target) as silent:
        with trio.move_on_after(1):  # until no buffer takes more
            await deaf.say(frame(BINARY, bytes(4800)) * 1500)
        doomed.process.send_signal(signal.SIGTERM)
        with trio.fail_after(WRITE_S + 15):
            assert await good.ending() == "close 1001"
            assert await silent.cut() == "cut"
            assert await trio.to_thread.run_sync(doomed.process.wait) == 0


async def test_a_hundred_peers_that_fill_every_buffer_cost_bounded_memory(doomed: House) -> None:
    """Each holds half a message of 1 MiB and gets no further; 64 KiB of head and answers come on top."""
    target = Target(doomed.port, "")
    before = rss_bytes(doomed.pid)

    async def fill(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with streaming(target) as peer:
            await peer.say(frame(BINARY, bytes(512 * 1024), claim=1 << 20))
            await peer.say(b"")
            task_status.started()
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        for _ in range(100):
            await nursery.start(fill)
        async with streaming(target) as last:  # once it is answered, all before it was read
            await last.say(frame(BINARY, bytes(640)))
            assert (await last.answers(1)).startswith("{")
        grown = rss_bytes(doomed.pid) - before
        nursery.cancel_scope.cancel()
    assert grown < 100 * (512 + 256) * 1024
