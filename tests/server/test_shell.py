"""The one loop: what it asks of whom, in which order, and at which exact virtual times."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.transport.fake import FakePipe
from tests.transport.wire import BINARY, CLOSE, PING, PONG, TEXT, close_code, closing, masked
from voicestream.errors import BAD_RATE, OVERLOADED, UNREADABLE_AUDIO, Fault, PeerError
from voicestream.protocols.base import NEVER, Close, Goodbye, Incoming, Outgoing, Refusal
from voicestream.server.metrics import Tally
from voicestream.server.shell import Conversation, Patience
from voicestream.sessions.vocabulary import Audio, CallState, EndpointState, Event, Failed, Gap, Job, Opened, Result, Service, Summary
from voicestream.transport.rfc6455 import MessageLimit
from voicestream.transport.websocket import Timing, WebSocket

PATIENCE = Patience()


class FakeDialect:
    """Text "open" opens, "bye" closes, "no" is refused; audio is audio; every answer is a text."""

    def __init__(self) -> None:
        self.deadline = NEVER
        self.full = False
        self.refusals: list[Refusal] = []
        self.pending: list[Outgoing] = []
        self.ticks: list[float] = []
        self.on_tick: list[Event] = []

    def receive(self, message: Incoming, now: float) -> list[Event]:
        if isinstance(message, bytes):
            return [Audio(message)]
        if message == "bye":
            self.pending.append(Close(3000, "as you wish"))
        elif message == "no":
            self.refusals.append(Refusal(BAD_RATE, "sample_rate"))
        elif message.startswith("alarm "):
            self.deadline = now + float(message[6:])
        elif message == "enough":
            self.full = True
        elif message == "gap":
            return [Gap(80)]
        elif message == "defect":
            raise RuntimeError("a defect")
        return [Opened(Summary(16_000))] if message == "open" else []

    def reply(self, result: Result) -> None:
        if result is CallState.COLLECTED:
            self.pending.append(Close(1000))
            return
        self.pending.append(result.fault.code if isinstance(result, Failed) else str(result.ended))  # type: ignore[union-attr]

    def tick(self, now: float) -> list[Event]:
        self.ticks.append(now)
        self.deadline = NEVER
        return self.on_tick

    def finish(self, goodbye: Goodbye) -> None:
        self.pending.append(Close(goodbye.value, goodbye.name))

    def drain(self, room_bytes: int) -> list[Outgoing]:
        said, self.pending = self.pending, []
        return said


class FakeSession:
    """b"light" and b"heavy" are Jobs, b"N s" counts as so much audio, anything else is answered at once."""

    def __init__(self) -> None:
        self.heard_s = 0.0
        self.fed: list[bytes] = []
        self.noted: list[Event] = []

    def note(self, event: Event) -> None:
        self.noted.append(event)

    def feed(self, audio: Audio) -> Result | Job | None:
        self.fed.append(audio.payload)
        if audio.payload.endswith(b" s"):
            self.heard_s += float(audio.payload[:-2])
        if audio.payload == b"quiet":
            return None
        if audio.payload in (b"light", b"heavy"):
            return Job("model", lambda: EndpointState(True), heavy=audio.payload == b"heavy")
        return EndpointState(False)


class FakeRunner:
    """Takes `seconds` for a Job, or raises what it is told."""

    def __init__(self) -> None:
        self.seconds = 3.0
        self.fault: Fault | None = None
        self.models: list[str] = []

    async def run(self, work: Callable[[], Result], model: str) -> Result:
        self.models.append(model)
        await trio.sleep(self.seconds)
        if self.fault is not None:
            raise PeerError(self.fault)
        return work()


class Account:
    def __init__(self) -> None:
        self.tally = Tally("fake", "test")
        self.refusals: list[Refusal] = []

    def refused(self, refusal: Refusal) -> None:
        self.refusals.append(refusal)


class Table:
    """A conversation and all who sit around it."""

    def __init__(self, patience: Patience, nursery: trio.Nursery) -> None:
        self.pipe, self.dialect, self.session = FakePipe(), FakeDialect(), FakeSession()
        self.runner, self.account = FakeRunner(), Account()
        self.websocket = WebSocket(self.pipe, nursery, MessageLimit(), Timing())
        self.ended_at: float | None = None
        self.conversation = Conversation(self.websocket, self.dialect, self.open, self.runner, self.account, patience)

    def open(self, service: Service) -> FakeSession:
        assert service == Summary(16_000)
        return self.session

    async def run(self) -> None:
        await self.conversation.run()
        self.ended_at = trio.current_time()
        await self.websocket.finish()

    def hear(self, *messages: str | bytes) -> None:
        """The peer's messages, all in one segment."""
        self.pipe.peer_sends(b"".join(masked(TEXT, said.encode()) if isinstance(said, str) else masked(BINARY, said) for said in messages))

    def said(self) -> list[str]:
        return [payload.decode() for opcode, payload in self.pipe.frames() if opcode == TEXT]

    def close_code(self) -> int:
        opcode, payload = self.pipe.frames()[-1]
        assert opcode == CLOSE
        return close_code(payload)


@asynccontextmanager
async def talk(*messages: str | bytes, patience: Patience = PATIENCE) -> AsyncIterator[Table]:
    """A conversation under way, in which `messages` have been said; at the end the peer closes if nobody has."""
    async with trio.open_nursery() as nursery:
        table = Table(patience, nursery)
        nursery.start_soon(table.run)
        if messages:
            table.hear(*messages)
        await wait_all_tasks_blocked()
        yield table
        table.pipe.peer_sends(closing(1000))


# ---- messages and answers -------------------------------------------------------------------------


async def test_events_go_to_the_session_and_its_results_to_the_peer() -> None:
    async with talk("open", b"a", b"b") as table:
        assert (table.session.fed, table.said()) == ([b"a", b"b"], ["False", "False"])
    assert table.close_code() == 1000


async def test_audio_before_a_session_is_nobodys() -> None:
    async with talk(b"early", "open", b"a") as table:
        assert (table.session.fed, table.said()) == ([b"a"], ["False"])


async def test_a_light_job_runs_at_once_and_a_heavy_one_where_the_runner_says(autojump_clock: MockClock) -> None:
    async with talk("open", b"light") as table:
        assert (table.said(), table.runner.models) == (["True"], [])
        table.hear(b"heavy")
        await trio.sleep(2.9)
        assert (table.said(), table.runner.models) == (["True"], ["model"])
        await trio.sleep(0.2)
        assert table.said() == ["True", "True"]


async def test_answers_keep_the_order_of_the_messages(autojump_clock: MockClock) -> None:
    async with talk("open", b"heavy", b"a", b"light", b"heavy", b"b") as table:
        table.hear(b"c")
        await trio.sleep(10)
        assert table.said() == ["True", "False", "True", "True", "False", "False"]


async def test_last_message_and_close_in_one_segment(autojump_clock: MockClock) -> None:
    async with talk("open") as table:
        table.pipe.peer_sends(masked(BINARY, b"heavy") + closing(1000))
        await trio.sleep(4)
    assert table.pipe.frames() == [(TEXT, b"True"), (CLOSE, b"\x03\xe8")]


async def test_refusals_are_told_once() -> None:
    async with talk("no", "no") as table:
        table.hear("open")
    assert [refusal.fault for refusal in table.account.refusals] == [BAD_RATE, BAD_RATE]
    assert table.dialect.refusals == []


async def test_the_tally_counts_both_ways() -> None:
    async with talk("open", b"7 s", b"8 s") as table:
        pass
    tally = table.account.tally
    assert (tally.messages_in, tally.messages_out, tally.audio_s) == (3, 2, 15.0)


# ---- alarms ---------------------------------------------------------------------------------------


async def test_the_dialect_is_woken_at_its_deadline_and_only_then(autojump_clock: MockClock) -> None:
    async with talk("alarm 7") as table:
        await trio.sleep(6.9)
        table.hear("x")
        await trio.sleep(30)
    assert table.dialect.ticks == [7]


async def test_a_deadline_that_comes_nearer_is_kept(autojump_clock: MockClock) -> None:
    async with talk("alarm 15") as table:
        await trio.sleep(1)
        table.hear("alarm 2")
        await trio.sleep(20)
    assert table.dialect.ticks == [3]


async def test_what_a_tick_asks_for_is_done(autojump_clock: MockClock) -> None:
    async with talk("open", "alarm 5") as table:
        table.dialect.on_tick = [Audio(b"heavy")]
        await trio.sleep(7.9)
        assert table.said() == []
        await trio.sleep(0.2)
        assert table.said() == ["True"]


async def test_an_alarm_does_not_interrupt_a_heavy_job(autojump_clock: MockClock) -> None:
    async with talk("open", "alarm 1", b"heavy") as table:
        await trio.sleep(2.9)
        assert table.dialect.ticks == []
        await trio.sleep(0.2)
        assert (table.said(), table.dialect.ticks) == (["True"], [3])


async def test_pings_are_kept_going(autojump_clock: MockClock) -> None:
    async with talk("open") as table:
        await trio.sleep(39.9)
        assert table.pipe.frames() == []
        await trio.sleep(5)
        table.pipe.peer_sends(masked(PONG))
        await trio.sleep(35)
        assert table.pipe.frames() == [(PING, b"")]
        await trio.sleep(0.2)
        assert table.pipe.frames() == [(PING, b"")] * 2


async def test_a_dead_peer_is_closed_and_left(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        table = Table(Patience(), nursery)
        nursery.start_soon(table.run)
    assert (table.ended_at, table.pipe.closed_at, table.close_code()) == (40, 45, 1011)


# ---- the end --------------------------------------------------------------------------------------


async def test_the_dialect_may_end_it(autojump_clock: MockClock) -> None:
    async with talk("open", b"a", "bye") as table:
        assert table.ended_at == 0
    assert (table.said(), table.close_code()) == (["False"], 3000)


async def test_a_drain_answers_what_is_under_way_and_says_goodbye(autojump_clock: MockClock) -> None:
    async with talk("open", b"heavy", b"a") as table:
        await trio.sleep(1)
        table.conversation.end(Goodbye.DRAIN)
        await trio.sleep(1)
        assert table.ended_at is None
        await trio.sleep(1.1)
        assert (table.said(), table.ended_at) == (["True", "False"], 3)
        table.pipe.peer_sends(closing(1001))
    assert table.close_code() == 1001


async def test_a_drain_while_nothing_happens_is_said_at_once(autojump_clock: MockClock) -> None:
    async with talk("open") as table:
        table.conversation.end(Goodbye.DRAIN)
        await wait_all_tasks_blocked()
        assert (table.close_code(), table.ended_at) == (1001, 0)


async def test_a_drain_before_the_first_word_is_said_too(autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        table = Table(Patience(), nursery)
        table.conversation.end(Goodbye.DRAIN)
        await table.run()
    assert (table.close_code(), table.ended_at) == (1001, 0)


async def test_a_session_has_its_time(autojump_clock: MockClock) -> None:
    async with talk("open", patience=Patience(session_s=100)) as table:
        for _ in range(11):
            await trio.sleep(10)
            table.hear(b"a")
        assert (table.ended_at, len(table.said())) == (100, 9)
    assert table.close_code() == 1008


async def test_a_session_has_so_much_audio(autojump_clock: MockClock) -> None:
    async with talk("open", b"60 s", b"39 s", patience=Patience(audio_s=100)) as table:
        assert table.ended_at is None
        table.hear(b"2 s")
        await wait_all_tasks_blocked()
        assert (table.ended_at, len(table.said())) == (0, 3)
    assert table.close_code() == 1008


async def test_audio_faster_than_it_may_be_is_read_later(autojump_clock: MockClock) -> None:
    async with talk("open", b"300 s", patience=Patience(speed=20, burst_s=100)) as table:
        table.hear(b"more")
        await trio.sleep(9.9)
        assert len(table.said()) == 1  # 200 s too many are 10 s at 20 times real time
        await trio.sleep(0.2)
        assert len(table.said()) == 2


async def test_messages_without_audio_have_their_pace_too(autojump_clock: MockClock) -> None:
    async with talk("open", *[b""] * 1000, patience=Patience(speed=20, burst_s=0.5)) as table:
        table.hear(b"more")
        await trio.sleep(0.09)
        assert len(table.said()) == 1000  # 1001 messages count as 2.5 s: 2 s too many are 0.1 s at 20 times real time
        await trio.sleep(0.02)
        assert len(table.said()) == 1001


async def test_others_are_served_between_the_messages_of_a_flood() -> None:
    seen: list[int] = []

    async def another(table: Table) -> None:
        while len(table.session.fed) < 320:
            await trio.lowlevel.checkpoint()
            seen.append(len(table.session.fed))

    async with trio.open_nursery() as nursery:
        table = Table(PATIENCE, nursery)
        table.hear("open", *[b""] * 320)
        nursery.start_soon(table.conversation.run)
        nursery.start_soon(another, table)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert max(after - before for before, after in pairwise(seen)) <= 64  # two turns of 32: trio shuffles who goes first


async def test_a_job_that_finds_no_thread_ends_it_with_1013(autojump_clock: MockClock) -> None:
    async with talk() as table:
        table.runner.fault = OVERLOADED
        table.hear("open", b"heavy")
        await trio.sleep(3.1)
    assert (table.said(), table.close_code(), table.ended_at) == ([OVERLOADED.code], 1013, 3)


async def test_a_job_that_is_refused_is_answered(autojump_clock: MockClock) -> None:
    async with talk() as table:
        table.runner.fault = UNREADABLE_AUDIO
        table.hear("open", b"heavy", b"a")
        await trio.sleep(3.1)
        assert (table.said(), table.ended_at) == ([UNREADABLE_AUDIO.code, "False"], None)


async def test_a_defect_is_for_the_guard_and_what_was_answered_is_still_said() -> None:
    async with trio.open_nursery() as nursery:
        table = Table(Patience(), nursery)
        table.hear("open", b"a", "defect")
        with pytest.raises(RuntimeError, match="a defect"):
            await table.conversation.run()
        table.websocket.close(1011)
        table.pipe.peer_sends(closing(1011))
        await table.websocket.finish()
    assert (table.said(), table.close_code()) == (["False"], 1011)


# ---- calls: a session that hears more than audio, and speaks unasked --------------------------------


async def test_nothing_to_say_is_said_by_none(autojump_clock: MockClock) -> None:
    async with talk("open", b"quiet") as table:
        assert (table.session.fed, table.said()) == ([b"quiet"], [])


async def test_what_happens_beside_the_audio_is_noted(autojump_clock: MockClock) -> None:
    async with talk("open", "gap") as table:
        assert table.session.noted == [Gap(80)]


async def test_what_is_told_is_said_at_once(autojump_clock: MockClock) -> None:
    async with talk("open") as table:
        table.conversation.tell(EndpointState(True))
        assert table.said() == ["True"]


async def test_a_close_that_is_told_ends_a_conversation_that_waits(autojump_clock: MockClock) -> None:
    async with talk("open") as table:
        table.conversation.tell(CallState.COLLECTED)
        await wait_all_tasks_blocked()
        assert table.ended_at == trio.current_time()


async def test_a_full_dialect_is_not_read_until_it_is_told(autojump_clock: MockClock) -> None:
    async with talk("open", "enough") as table:
        table.hear(b"more")
        await wait_all_tasks_blocked()
        assert table.session.fed == []
        table.dialect.full = False
        table.conversation.tell(EndpointState(True))
        await wait_all_tasks_blocked()
        assert table.session.fed == [b"more"]
