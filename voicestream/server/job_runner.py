"""Threads for heavy work: a fixed number per model, and a bound on how long work may wait for one."""

import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Protocol, TypeVar

import trio

from voicestream.errors import OVERLOADED, PeerError

T = TypeVar("T")

_NICE = 5  # of a thread that works: a stream's next message is late at once, a result is not


class JobWatch(Protocol):
    """Who counts the queue: `server.metrics.Metrics` in the server."""

    def job_queued(self, model: str) -> None: ...

    def job_started(self, model: str, waited_s: float) -> None: ...


class JobRunner:
    """Runs synchronous work on threads, at most `threads` at once for each model."""

    def __init__(self, threads: int, wait_s: float, watch: JobWatch) -> None:
        self._threads = threads
        self._wait_s = wait_s
        self._watch = watch
        self._limiters: dict[str, trio.CapacityLimiter] = {}
        # Ours is the limit; trio's own default of 40 threads for the whole process must not be a second one.
        self._unlimited = trio.CapacityLimiter(inf)

    async def run(self, work: Callable[[], T], model: str) -> T:
        """What `work()` returns or raises; PeerError VS1503 when no thread of `model` came free within the wait.

        A thread cannot be stopped: when the caller is cancelled the call still lasts until `work` ends, so
        that a peer who asks and hangs up, again and again, does not get more threads than there are.
        """
        limiter = self._limiters.setdefault(model, trio.CapacityLimiter(self._threads))
        borrower = object()
        queued = trio.current_time()
        self._watch.job_queued(model)
        try:
            with trio.move_on_after(self._wait_s) as patience:
                await limiter.acquire_on_behalf_of(borrower)
        finally:
            self._watch.job_started(model, trio.current_time() - queued)
        if patience.cancelled_caught:
            raise PeerError(OVERLOADED)
        try:
            return await trio.to_thread.run_sync(partial(_behind_streams, work), limiter=self._unlimited)
        finally:
            limiter.release_on_behalf_of(borrower)


def _behind_streams(work: Callable[[], T]) -> T:
    """`work()`, on a thread that takes what time the others leave."""
    if sys.platform == "linux":  # elsewhere it would be the whole process
        nice = os.getpriority(os.PRIO_PROCESS, os.getpid()) + _NICE
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
    return work()
