"""Who has bytes to read: one edge-triggered epoll for all WebSockets of a process, waited for by one trio task.

    kernel ─► epoll ─► attendant task ─┬─► door somebody waits at: its `ready` is called, there and then
                                       │      └─► False: the task that waits is woken
                                       └─► any other door: left ajar, its next wait() begins with a call

`trio.lowlevel.wait_readable` arms trio's epoll anew for every wait, a system call and some Python a message;
here a descriptor is registered once, and what a message asks for is done in the attendant's own turn: to wake
a task for it costs another 3 us. In a crowd the attendant looks at most once per tick: a paced stream's
message is else its own wake of an idle core, which costs more than the message (measurements.md, section 1).
Edges are told once, so a reader must read until a read comes up short
(epoll(7)); the end of a stream, which may hide behind a short read, is told apart (EPOLLRDHUP) and remembered.
"""

import select
from collections.abc import Callable

import outcome
import trio

CROWD = 32  # open doors from which on the attendant gathers; a client alone, asking and waiting in turn, is served at once
TICK_S = 0.005  # how long it may let bytes wait
TURN = 64  # doors opened before other tasks have their turn

_ENDED = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


class Door:
    """One descriptor's: its reader waits here. Closed before the descriptor is."""

    __slots__ = ("_ajar", "_ended", "_fd", "_readiness", "_ready", "_task")

    def __init__(self, readiness: "Readiness", fd: int) -> None:
        self._readiness = readiness
        self._fd = fd
        self._ajar = False  # bytes came while nobody waited
        self._ended = False  # the peer will send no more: every read returns at once
        self._task: trio.lowlevel.Task | None = None
        self._ready: Callable[[], bool]

    async def wait(self, ready: Callable[[], bool]) -> None:
        """Call `ready` whenever a read may give something, until it returns False; a checkpoint in any case.

        `ready` must not block, and runs outside of this task, but what it raises is raised here.
        `ClosedResourceError` when the door is closed meanwhile.
        """
        more = True
        while more:
            if self._ajar or self._ended:
                await trio.lowlevel.checkpoint()
                self._ajar = False
                more = ready()
            else:
                self._ready = ready
                self._task = trio.lowlevel.current_task()
                more = await trio.lowlevel.wait_task_rescheduled(self._leave)

    def _leave(self, _: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED

    def open(self, events: int) -> None:
        """The kernel says there is something."""
        if events & _ENDED:
            self._ended = True
        if self._task is None:
            self._ajar = True
            return
        try:
            more = self._ready()
        except BaseException as error:
            self._wake(outcome.Error(error))
        else:
            if self._ended or not more:
                self._wake(outcome.Value(more))

    def close(self) -> None:
        """Before the descriptor is closed; the waiting reader is told."""
        self._readiness.forget(self._fd)
        self._wake(outcome.Error(trio.ClosedResourceError()))

    def _wake(self, result: outcome.Maybe[bool]) -> None:
        if self._task is not None:  # not cancelled, by its own `ready`
            task, self._task = self._task, None
            trio.lowlevel.reschedule(task, result)


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
                while found := self._epoll.poll(0, TURN):
                    for fd, events in found:
                        self._doors[fd].open(events)
                    if len(found) < TURN:
                        break
                    await trio.lowlevel.checkpoint()
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
