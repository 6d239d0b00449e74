"""Who has bytes to read: one edge-triggered epoll for all WebSockets of a process, waited for by one trio task.

    kernel ─► epoll ─► attendant task ─┬─► door of a waiting reader: the reader runs
                                       └─► any other door: left ajar, its next wait() returns at once

`trio.lowlevel.wait_readable` arms trio's epoll anew for every wait, a system call and some Python a message;
here a descriptor is registered once. In a crowd the attendant looks at most once per tick: a paced stream's
message is else its own wake of an idle core, which costs more than the message (measurements.md, section 1).
Edges are told once, so a reader must read until a read comes up short
(epoll(7)); the end of a stream, which may hide behind a short read, is told apart (EPOLLRDHUP) and remembered.
"""

import select

import outcome
import trio

CROWD = 32  # open doors from which on the attendant gathers; a client alone, asking and waiting in turn, is served at once
TICK_S = 0.005  # how long it may let bytes wait

_ENDED = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


class Door:
    """One descriptor's: its reader waits here. Closed before the descriptor is."""

    __slots__ = ("_ajar", "_ended", "_fd", "_readiness", "_task")

    def __init__(self, readiness: "Readiness", fd: int) -> None:
        self._readiness = readiness
        self._fd = fd
        self._ajar = False  # bytes came while nobody waited
        self._ended = False  # the peer will send no more: every read returns at once
        self._task: trio.lowlevel.Task | None = None

    async def wait(self) -> None:
        """Until a read may give something; a checkpoint in any case. `ClosedResourceError` when closed meanwhile."""
        if self._ajar or self._ended:
            self._ajar = False
            await trio.lowlevel.checkpoint()
            return
        self._task = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._leave)

    def _leave(self, _: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED

    def open(self, events: int) -> None:
        """The kernel says there is something."""
        if events & _ENDED:
            self._ended = True
        if self._task is None:
            self._ajar = True
        else:
            task, self._task = self._task, None
            trio.lowlevel.reschedule(task)

    def close(self) -> None:
        """Before the descriptor is closed; the waiting reader is told."""
        self._readiness.forget(self._fd)
        if self._task is not None:
            task, self._task = self._task, None
            trio.lowlevel.reschedule(task, outcome.Error(trio.ClosedResourceError()))


class Readiness:
    """The doors of one `trio.run`."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._doors: dict[int, Door] = {}
        trio.lowlevel.spawn_system_task(self._attend)

    def door(self, fd: int) -> Door:
        """A door for this descriptor, which is non-blocking and stays open until door.close()."""
        door = self._doors[fd] = Door(self, fd)
        self._epoll.register(fd, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)
        return door

    def forget(self, fd: int) -> None:
        del self._doors[fd]
        self._epoll.unregister(fd)

    async def _attend(self) -> None:
        with self._epoll:
            while True:
                await trio.lowlevel.wait_readable(self._epoll.fileno())
                looked = trio.current_time()
                for fd, events in self._epoll.poll(0):
                    self._doors[fd].open(events)
                if len(self._doors) >= CROWD:
                    await trio.sleep_until(looked + TICK_S)


_of_run: trio.lowlevel.RunVar[Readiness] = trio.lowlevel.RunVar("voicestream.readiness")


def readiness() -> Readiness:
    """The one of this run, made when first asked for."""
    try:
        return _of_run.get()
    except LookupError:
        _of_run.set(made := Readiness())
        return made
