"""Threads for heavy work: how many at once, how long the wait, and who is told."""

import os
import sys
import threading

import pytest
import trio
import trio.testing

from tests.http.fake import Watch
from voicestream.errors import ODD_BYTES, OVERLOADED, PeerError
from voicestream.server.job_runner import JobRunner


async def test_work_runs_on_another_thread_and_its_value_comes_back() -> None:
    assert await JobRunner(1, 2.0, Watch()).run(threading.get_ident, "m") != threading.get_ident()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
async def test_work_has_less_of_the_processor_than_who_waits_for_it() -> None:
    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    ours = nice()
    assert await JobRunner(1, 2.0, Watch()).run(nice, "m") == min(19, ours + 5)
    assert nice() == ours


async def test_what_work_raises_is_raised() -> None:
    def refuse() -> None:
        raise PeerError(ODD_BYTES)

    with pytest.raises(PeerError) as refused:
        await JobRunner(1, 2.0, Watch()).run(refuse, "m")
    assert refused.value.fault is ODD_BYTES


async def test_waiting_too_long_is_overload_and_the_other_model_is_free() -> None:
    watch = Watch()
    runner = JobRunner(1, 0.01, watch)
    release = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(runner.run, lambda: trio.from_thread.run(release.wait), "busy")
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(PeerError) as refused:
            await runner.run(lambda: None, "busy")
        assert refused.value.fault is OVERLOADED
        assert await runner.run(lambda: 7, "idle") == 7
        release.set()
    assert watch.waiting == 0
    assert await runner.run(lambda: 8, "busy") == 8


async def test_a_cancelled_caller_keeps_its_thread_until_the_work_ends() -> None:
    runner = JobRunner(1, 0.01, Watch())
    release = threading.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(runner.run, release.wait, "m")
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True), pytest.raises(PeerError):
            await runner.run(lambda: None, "m")
        release.set()
    assert await runner.run(lambda: 9, "m") == 9
