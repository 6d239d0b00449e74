"""A conversation that Ctrl-C ends as a person means it: once, no more is said; twice, it is given up."""

from __future__ import annotations

import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import trio

from voicestream.cli.terminal import ERROR, fail_with
from voicestream.errors import PeerError

if TYPE_CHECKING:
    from rich.progress import Progress

T = TypeVar("T")


def run(talk: Callable[[], Awaitable[T]], progress: Progress, hang_up: trio.Event) -> T:
    """What `talk` comes to, with `progress` on the screen; ends the command where that is nothing.

    Ctrl-C sets `hang_up`; where that is set it gives up.
    """
    results: list[T] = []
    failures: list[PeerError] = []  # kept, not raised: a nursery would wrap them

    async def converse() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_hang_up_on_interrupt, hang_up, nursery.cancel_scope)
            try:
                results.append(await talk())
            except PeerError as error:
                failures.append(error)
            nursery.cancel_scope.cancel()

    with progress:
        trio.run(converse)
    if failures:
        fail_with(failures[0])
    if not results:
        print("interrupted, without a result", file=sys.stderr)
        raise SystemExit(ERROR)
    return results[0]


async def _hang_up_on_interrupt(hang_up: trio.Event, scope: trio.CancelScope) -> None:
    with trio.open_signal_receiver(signal.SIGINT) as signals:
        async for _ in signals:
            if hang_up.is_set():
                scope.cancel()
            hang_up.set()
