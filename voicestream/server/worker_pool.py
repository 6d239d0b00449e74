"""Worker processes and the queue before them: so many at work at once, and one that dies or hangs is replaced.

    submit(work) ─► queue ─► keeper of a process ─► process ─► answer ─► work.wait() returns
                                 └─ it died, or was late: work.wait() raises, another process is started

Each process has a keeper, a task that hands it one piece of work at a time. What goes wrong in a process is told to the one
whose work it had; the rest waits for the next process. One that cannot be started is tried again, ever more rarely.
"""

from collections import Counter, deque
from contextlib import suppress
from math import inf
from typing import Final, Literal, TypeAlias, get_args

import structlog
import trio

from voicestream.errors import WORKER_DEFECT, WORKER_DIED, WORKER_MISSING, WORKER_SLOW, Fault, PeerError
from voicestream.server.worker_process import NotBegun, WorkerProcess

Outcome: TypeAlias = Literal["answered", "refused", "failed", "died", "late"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)

_START_S: Final = 180.0  # for a process to load its models: on a new and busy machine kernels are compiled for a minute
_FIRST_PAUSE_S: Final = 0.5  # before a process is started again
_LONGEST_PAUSE_S: Final = 30.0

_log = structlog.get_logger()


class Work:
    """One request to a worker and, later, its answer."""

    __slots__ = ("_answer", "_done", "_error", "awaited_since", "request")

    def __init__(self, request: bytes, awaited_since: float = inf) -> None:
        self.request = request
        self.awaited_since = awaited_since  # when somebody began to wait for it: who waits longest goes first. May be set in the queue
        self._done = trio.Event()
        self._answer = b""
        self._error: PeerError | None = None

    async def wait(self) -> bytes:
        """The answer. PeerError VS2161 when its worker died, VS2162 when it was late, VS2163 for a defect, else what was refused."""
        await self._done.wait()
        if self._error is not None:
            raise PeerError(self._error.fault, self._error.detail)
        return self._answer

    def finish(self, outcome: bytes | PeerError) -> None:
        """Told by the pool, once."""
        if isinstance(outcome, PeerError):
            self._error = outcome
        else:
            self._answer = outcome
        self.request = b""
        self._done.set()


class WorkerPool:
    """Processes that run `factory` (see `voicestream.server.worker`) and answer what is submitted, within `work_s` each."""

    def __init__(self, factory: str, argument: bytes, workers: int, work_s: float) -> None:
        self._factory = factory
        self._argument = argument
        self._workers = workers
        self._work_s = work_s
        self.outcomes: Counter[Outcome] = Counter()  # of all work that was begun
        self.ended = 0  # processes that had loaded: each was replaced
        self._queue: deque[Work] = deque()
        self._idle = trio.lowlevel.ParkingLot()
        self._processes: set[WorkerProcess] = set()  # that have loaded
        self._wanted = trio.Event()
        self._faults = dict.fromkeys(range(workers), PeerError(WORKER_MISSING))  # of keepers that could not start their process

    @property
    def ready(self) -> bool:
        """Whether there is a worker that has loaded."""
        return bool(self._processes)

    @property
    def broken(self) -> bool:
        """Whether there is no worker, and none that may still load: each could not be started."""
        return len(self._faults) == self._workers

    @property
    def waiting(self) -> int:
        """Pieces of work that no worker has taken yet."""
        return len(self._queue)

    @property
    def loaded(self) -> int:
        """Workers that have loaded."""
        return len(self._processes)

    @property
    def busy(self) -> int:
        """Workers that are at work."""
        return sum(process.busy for process in self._processes)

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the processes that have loaded."""
        return tuple(process.pid for process in self._processes)

    def wake(self) -> None:
        """There will be work: workers that have not been started yet are started now."""
        self._wanted.set()

    def check(self) -> None:
        """PeerError when the pool is broken: why the last worker could not be started."""
        if self.broken:
            last = [*self._faults.values()][-1]
            raise PeerError(last.fault, last.detail)

    def submit(self, work: Work) -> None:
        """Put it into the queue; where no worker can be had it fails at once."""
        try:
            self.check()
        except PeerError as error:
            work.finish(error)
            return
        self.wake()
        self._queue.append(work)
        self._idle.unpark()

    def drop(self, work: Work) -> None:
        """Nobody waits for it any more: it is not begun. What is under way goes on to its end."""
        with suppress(ValueError):
            self._queue.remove(work)

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the processes, once they are wanted, until cancelled; then none is left, and all work has failed."""
        missing = dict(self._faults)
        self._faults.clear()
        try:
            async with trio.open_nursery() as nursery:
                for keeper in range(self._workers):
                    nursery.start_soon(self._keep, keeper)
                task_status.started()
        finally:
            self._faults = missing
            self._fail_all()

    async def _keep(self, keeper: int) -> None:
        """One process after another."""
        await self._wanted.wait()
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with WorkerProcess(self._factory) as process:
                    await process.ask(self._argument, _START_S)
                    pause_s = _FIRST_PAUSE_S
                    self._faults.pop(keeper, None)
                    self._processes.add(process)
                    try:
                        await self._employ(process)
                        self.ended += 1
                    finally:
                        self._processes.remove(process)
            except (PeerError, NotBegun) as failure:
                error = _start_fault(failure)
                self._faults.pop(keeper, None)
                self._faults[keeper] = error  # behind the others'
                _log.error("worker could not be started", code=error.fault.code, detail=error.detail, again_s=pause_s)
                if self.broken:
                    self._fail_all()
                await trio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                self._idle.unpark()  # it may have been woken for work that it could not take

    async def _employ(self, process: WorkerProcess) -> None:
        """Give it one piece of work after another, until it is of no use any more."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._wake_at_end, process)
            while (work := await self._next(process)) is not None:
                outcome = await self._do(work, process)
                if outcome != "ended":
                    self.outcomes[outcome] += 1
                if outcome in ("ended", "died", "late"):
                    break
            nursery.cancel_scope.cancel()

    async def _wake_at_end(self, process: WorkerProcess) -> None:
        await process.wait()
        self._idle.unpark_all()

    async def _next(self, process: WorkerProcess) -> Work | None:
        """The work that is most wanted; None when the process has ended meanwhile."""
        while not process.has_ended:
            if self._queue:
                work = min(self._queue, key=lambda work: work.awaited_since)  # of equals the first
                self._queue.remove(work)
                return work
            await self._idle.park()
        _log.error("idle worker ended")
        return None

    async def _do(self, work: Work, process: WorkerProcess) -> Outcome | Literal["ended"]:
        outcome: bytes | PeerError = PeerError(WORKER_MISSING)
        try:
            outcome = await process.ask(work.request, self._work_s)
        except NotBegun as cause:
            _log.error("idle worker ended", cause=str(cause))
            self._queue.appendleft(work)
            return "ended"
        except PeerError as error:
            outcome = error
        except trio.Cancelled:
            work.finish(outcome)
            raise
        work.finish(outcome)
        if not isinstance(outcome, PeerError):
            return "answered"
        told = _OUTCOMES.get(outcome.fault, "refused")
        if told != "refused":
            _log.error("work failed in a worker", code=outcome.fault.code, detail=outcome.detail)
        return told

    def _fail_all(self) -> None:
        """Why, is told by the last fault there was."""
        error = [*self._faults.values()][-1]
        while self._queue:
            self._queue.popleft().finish(error)


_OUTCOMES: Final[dict[Fault, Outcome]] = {WORKER_DIED: "died", WORKER_SLOW: "late", WORKER_DEFECT: "failed"}


def _start_fault(failure: PeerError | NotBegun) -> PeerError:
    """What peers are told: of a process that died while it loaded, that there is none."""
    if isinstance(failure, NotBegun):
        return PeerError(WORKER_MISSING, str(failure))
    return PeerError(WORKER_MISSING, failure.detail) if failure.fault in _OUTCOMES else failure
