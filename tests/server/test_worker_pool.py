"""What a worker does wrong is told to the one whose work it was, and to nobody else; no process is left."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import wait_all_tasks_blocked

from voicestream.errors import LITTLE_SPEECH, WORKER_DEFECT, WORKER_DIED, WORKER_MISSING, WORKER_SLOW, Fault, PeerError
from voicestream.server.worker_pool import Work, WorkerPool

TOY = "tests.server.toy_worker:make"


@asynccontextmanager
async def pool(workers: int = 1, work_s: float = 20.0, factory: str = TOY, argument: bytes = b"<") -> AsyncIterator[WorkerPool]:
    made = WorkerPool(factory, argument, workers, work_s)
    async with trio.open_nursery() as nursery:
        await nursery.start(made.serve)
        yield made
        nursery.cancel_scope.cancel()


async def ask(made: WorkerPool, request: bytes) -> bytes:
    work = Work(request)
    made.submit(work)
    return await work.wait()


@contextmanager
def told(fault: Fault, detail: str = "") -> Iterator[None]:
    with pytest.raises(PeerError) as caught:
        yield
    assert (caught.value.fault, caught.value.detail) == (fault, detail or caught.value.detail)


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await trio.lowlevel.checkpoint()


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_an_answer_comes_back_with_what_the_factory_was_told() -> None:
    async with pool() as made:
        assert await ask(made, b"echo " + bytes(3_000_000)) == b"<" + bytes(3_000_000)


@pytest.mark.parametrize("word, cause", [(b"crash", "SIGSEGV"), (b"kill", "SIGKILL"), (b"lie", "SIGKILL")])
async def test_a_dead_worker_fails_its_own_work_and_is_replaced(word: bytes, cause: str) -> None:
    async with pool() as made:
        bad, good = Work(word), Work(b"echo x")
        made.submit(bad)
        made.submit(good)
        with told(WORKER_DIED, cause):
            await bad.wait()
        assert await good.wait() == b"<x"


@pytest.mark.parametrize("word", [b"hang", b"stop"])
async def test_a_worker_that_hangs_is_ended_and_replaced(word: bytes) -> None:
    async with pool(work_s=0.2) as made:
        pid = int(await ask(made, b"pid"))
        with told(WORKER_SLOW, "over 0.2 s"):
            await ask(made, word)
        assert await ask(made, b"echo x") == b"<x"
        assert not alive(pid)


async def test_a_worker_that_is_killed_while_it_has_nothing_to_do_costs_nobody_anything() -> None:
    async with pool() as made:
        pid = int(await ask(made, b"pid"))
        os.kill(pid, 9)
        assert await ask(made, b"echo x") == b"<x"
        assert int(await ask(made, b"pid")) != pid


async def test_the_others_go_on_while_one_dies() -> None:
    async with pool(workers=2) as made:
        works = [Work(b"kill" if number == 3 else b"echo %d" % number) for number in range(12)]
        for work in works:
            made.submit(work)
        found = []
        for work in works:
            try:
                found.append(await work.wait())
            except PeerError as error:
                found.append(error.fault.code.encode())
        assert found == [b"VS2161" if number == 3 else b"<%d" % number for number in range(12)]


async def test_what_a_worker_refuses_is_told_as_it_is_and_it_goes_on() -> None:
    async with pool() as made:
        pid = await ask(made, b"pid")
        with told(LITTLE_SPEECH, "0.4 s"):
            await ask(made, b"refuse")
        assert await ask(made, b"pid") == pid


async def test_a_defect_is_told_by_its_kind_and_place_and_never_by_its_message() -> None:
    async with pool() as made:
        with pytest.raises(PeerError) as caught:
            await ask(made, b"defect")
        assert caught.value.fault is WORKER_DEFECT
        assert caught.value.detail.startswith("ValueError < toy_worker.py:")
        assert "secret" not in caught.value.detail


async def test_a_worker_that_wants_all_the_memory_does_not_get_it() -> None:
    async with pool() as made:
        with pytest.raises(PeerError) as caught:
            await ask(made, b"grow")
        assert caught.value.detail.startswith("MemoryError")


async def test_what_native_code_prints_is_no_answer() -> None:
    async with pool() as made:
        assert await ask(made, b"print x") == b"<x"


async def test_no_setting_is_told_to_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICESTREAM_TEMPLATE_KEY", "secret")
    async with pool() as made:
        names = (await ask(made, b"environment")).split()
    assert b"VOICESTREAM_TEMPLATE_KEY" not in names
    assert b"PATH" in names


async def test_what_is_awaited_longest_goes_first_even_when_that_became_so_later() -> None:
    order: list[bytes] = []

    async def note(work: Work) -> None:
        order.append(await work.wait())

    async with pool() as made, trio.open_nursery() as nursery:
        works = [Work(b"echo %d" % number) for number in range(4)]
        for work in works:  # the worker has not loaded yet
            made.submit(work)
            nursery.start_soon(note, work)
        works[3].awaited_since = 2.0
        works[2].awaited_since = 1.0
    assert order == [b"<2", b"<3", b"<0", b"<1"]


async def test_dropped_work_is_not_begun() -> None:
    async with pool() as made:
        pid = await ask(made, b"pid")
        first, bad = Work(b"echo x"), Work(b"kill")
        made.submit(first)
        made.submit(bad)
        made.drop(bad)
        await first.wait()
        assert await ask(made, b"pid") == pid
        assert made.waiting == 0


@pytest.mark.parametrize("name, fault", [("broken", LITTLE_SPEECH), ("dying", WORKER_MISSING), ("absent", WORKER_MISSING)])
async def test_work_is_refused_where_no_worker_can_be_started(name: str, fault: Fault) -> None:
    async with pool(factory=f"tests.server.toy_worker:{name}") as made:
        with told(fault):
            await ask(made, b"echo x")
        assert not made.ready
        with told(fault):
            made.check()


async def test_a_start_that_failed_long_ago_is_no_reason_to_refuse_work(tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    async with pool(factory="tests.server.toy_worker:unlucky", argument=bytes(tmp_path)) as made:
        with told(LITTLE_SPEECH, "at the start"):
            await ask(made, b"echo x")
        await until(lambda: made.ready)  # it was started again
        with told(WORKER_DIED, "SIGKILL"):
            await ask(made, b"kill")
        await until(lambda: not made.ready)
        assert not made.broken
        assert await ask(made, b"echo x") == b"<x"


async def test_work_waits_for_the_worker_that_still_loads_when_another_could_not(tmp_path: Path) -> None:
    async with pool(workers=2, factory="tests.server.toy_worker:unlucky", argument=bytes(tmp_path)) as made:
        work = Work(b"echo x")
        with capture_logs() as entries:
            made.submit(work)
            await until(lambda: bool(entries))
        assert entries[0]["event"] == "worker could not be started"
        assert not made.broken
        (tmp_path / "go").touch()
        assert await work.wait() == b"<x"


async def test_no_process_is_left_and_no_work_waits_for_ever() -> None:
    pending = Work(b"hang")
    async with pool(workers=2) as made:
        pids = {int(await ask(made, b"pid")) for _ in range(20)} | set(made.pids)
        made.submit(pending)
        made.submit(Work(b"echo x"))
    assert not any(alive(pid) for pid in pids)
    with told(WORKER_MISSING):
        await pending.wait()
    with told(WORKER_MISSING):
        await ask(made, b"echo x")


async def test_outcomes_are_counted() -> None:
    async with pool() as made:
        for word in (b"echo", b"refuse", b"defect", b"kill", b"echo"):
            with suppress(PeerError):
                await ask(made, word)
        assert made.outcomes == {"answered": 2, "refused": 1, "failed": 1, "died": 1}
        assert made.ended == 1


async def test_who_works_and_who_waits_is_told() -> None:
    async with pool() as made:
        await ask(made, b"echo x")
        assert (made.loaded, made.busy, made.waiting) == (1, 0, 0)
        for word in (b"hang", b"echo x", b"echo y"):
            made.submit(Work(word))
        await wait_all_tasks_blocked()
        assert (made.loaded, made.busy, made.waiting) == (1, 1, 2)
