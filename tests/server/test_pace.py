"""How the conversation loop bears a peer that sends more than its share: others go between, and reading stops for a while."""

from collections.abc import Sequence
from itertools import pairwise

import trio
from trio.testing import MockClock

from voicestream.errors import MisuseError
from voicestream.protocols.base import NEVER, Goodbye, Incoming, Outgoing, Refusal
from voicestream.server.metrics import Tally
from voicestream.server.shell import Conversation, Patience, Runner
from voicestream.sessions.vocabulary import Event, Result, Service, Session
from voicestream.transport.websocket import Disconnected, Hear, Source

PATIENCE = Patience()


class Listening:
    """A dialect that counts."""

    def __init__(self) -> None:
        self.full = False
        self.deadline = NEVER
        self.refusals: list[Refusal] = []
        self.heard = 0

    def receive(self, message: Incoming, now: float) -> Sequence[Event]:
        self.heard += 1
        return ()

    def reply(self, result: Result) -> None: ...

    def tick(self, now: float) -> Sequence[Event]:
        return ()

    def finish(self, goodbye: Goodbye) -> None: ...

    def drain(self, room_bytes: int) -> list[Outgoing]:
        return []


class Flood:
    """A websocket on which every read holds `batch` messages, `reads` times."""

    def __init__(self, batch: int, reads: int) -> None:
        self.due = NEVER
        self._batch, self._reads = batch, reads

    def attach(self, source: Source) -> None: ...

    async def listen(self, hear: Hear) -> None:
        wanted = True
        while wanted:
            await trio.lowlevel.checkpoint()
            self._reads -= 1
            if self._reads < 0:
                raise Disconnected
            wanted = hear([b""] * self._batch)

    def flush(self) -> None: ...

    def tick(self, now: float) -> None: ...


class Book:
    def __init__(self) -> None:
        self.tally = Tally("toy", "toy")

    def refused(self, refusal: Refusal) -> None: ...


def no_session(service: Service) -> Session:
    raise MisuseError("nobody opens one here")


def conversation(websocket: Flood, dialect: Listening, patience: Patience = PATIENCE) -> Conversation:
    return Conversation(websocket, dialect, no_session, NoRunner(), Book(), patience)  # type: ignore[arg-type]


class NoRunner(Runner): ...


async def test_others_are_served_between_the_messages_of_one_read() -> None:
    dialect = Listening()
    seen: list[int] = []

    async def other() -> None:
        while dialect.heard < 1000:
            seen.append(dialect.heard)
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        await conversation(Flood(1000, 1), dialect).run()
    assert max(after - before for before, after in pairwise(seen)) <= 64


async def test_a_cancelled_alarm_loses_no_message_of_a_read() -> None:
    dialect = Listening()
    flooded = conversation(Flood(1000, 1), dialect)

    async def interrupt() -> None:
        while dialect.heard < 100:
            await trio.lowlevel.checkpoint()
        flooded.end(Goodbye.DRAIN)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(interrupt)
        await flooded.run()
    assert dialect.heard == 1000


async def test_empty_messages_count_as_audio_for_the_pace(autojump_clock: MockClock) -> None:
    """100 reads of 10,000: a million messages of 2.5 ms, 120 s of them at once, the rest at 20 times real time."""
    dialect = Listening()
    await conversation(Flood(10_000, 100), dialect, Patience(session_s=10_000)).run()
    assert trio.current_time() == (1_000_000 * 0.0025 - 120) / 20
