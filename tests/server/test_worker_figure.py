"""The workers on the page of metrics: how many there are, what they do, and what became of their work."""

from contextlib import suppress

import trio
from trio.testing import wait_all_tasks_blocked

from tests.server.test_metrics import value
from voicestream.errors import PeerError
from voicestream.server.assessor import Assessor
from voicestream.server.metrics import Metrics
from voicestream.server.worker_figure import WorkerFigures
from voicestream.server.worker_pool import Work, WorkerPool


async def test_workers_their_work_and_their_queue_are_told() -> None:
    pool = WorkerPool("tests.server.toy_worker:make", b"", 1, 20.0)
    metrics = Metrics("1.0", {})
    metrics.include(WorkerFigures(Assessor(pool, lambda: None, 0, 0)))  # type: ignore[arg-type,return-value]
    assert value(metrics, "workers", state="idle") == 0
    async with trio.open_nursery() as nursery:
        await nursery.start(pool.serve)
        for word in (b"kill", b"echo x"):
            work = Work(word)
            pool.submit(work)
            with suppress(PeerError):
                await work.wait()
        for word in (b"hang", b"echo y"):
            pool.submit(Work(word))
        await wait_all_tasks_blocked()
        assert (value(metrics, "workers", state="busy"), value(metrics, "workers", state="idle")) == (1, 0)
        assert value(metrics, "worker_queue") == 1
        nursery.cancel_scope.cancel()
    assert value(metrics, "worker_work_total", outcome="died") == 1
    assert value(metrics, "worker_work_total", outcome="answered") == 1
    assert value(metrics, "worker_restarts_total") == 1


async def test_who_was_refused_is_counted() -> None:
    metrics = Metrics("1.0", {})
    assessor = Assessor(WorkerPool("", b"", 1, 20.0), lambda: None, 0, 0)  # type: ignore[arg-type,return-value]
    metrics.include(WorkerFigures(assessor))
    with suppress(PeerError):
        assessor.begin()
    assert value(metrics, "assessments_refused_total") == 1
    assert value(metrics, "assessments_active") == 0
