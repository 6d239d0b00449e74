"""One session, from its inquiry to its result: each way it can go, at exact virtual times."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.server.test_switchboard import FakeLine
from tests.sessions.toy import ANYTHING, CARD, SampleFront, ToyFront, ToyLiving, ToyModel, audio, cut, template
from voicestream.errors import (
    CALL_ATTEMPTS,
    CALL_BUSY,
    CALL_FORMAT,
    CALL_SHORT,
    CALL_STALLED,
    CALL_STREAMLESS,
    DRAINING,
    LITTLE_SPEECH,
    OVERLOADED,
    Fault,
    PeerError,
)
from voicestream.server.attempt import Attempts
from voicestream.server.call import CallPatience, Recognition
from voicestream.server.exchange import Exchange, Options
from voicestream.server.switchboard import Stream, Switchboard
from voicestream.sessions.call import CallFailed, Inquiry, Judged, Progress, Told, VoiceStatus
from voicestream.sessions.vocabulary import Audio, Call, CallState, Failed, Finished, Gap, Result, Template

RATE_HZ = 8000
PATIENCE = CallPatience(stream_s=30.0, stall_s=30.0)


@dataclass
class FakeRunner:
    """Takes three seconds, or raises what it is told."""

    fault: Fault | None = None
    ran: list[str] = field(default_factory=list)

    async def run(self, work: Callable[[], Judged], model: str) -> Judged:
        self.ran.append(model)
        await trio.sleep(3)
        if self.fault is not None:
            raise PeerError(self.fault)
        return work()


def recognition(runner: FakeRunner) -> Recognition:
    return Recognition({CARD.hash: ToyModel()}, ToyLiving, ToyFront, SampleFront, ANYTHING, lambda made, tenant: f"for {tenant}", runner)


def inquiry(call_id: str = "c", of: Template | None = None, wanted_s: float = 2.0) -> Inquiry:
    return Inquiry(call_id, "twilio", "pcm16", RATE_HZ, wanted_s, CARD.hash, 0.5, of, 0.9)


class House:
    """An exchange, and what its sessions told."""

    def __init__(self, nursery: trio.Nursery, options: Options, attempts: Attempts | None) -> None:
        self.switchboard, self.runner = Switchboard(), FakeRunner()
        self.told: list[Told] = []
        self.told_at: list[float] = []
        self.outcomes: list[tuple[str, str]] = []
        self.exchange = Exchange(
            self.switchboard, recognition(self.runner), lambda *outcome: self.outcomes.append(outcome), options, attempts
        )
        self._nursery = nursery

    def tell(self, told: Told) -> None:
        self.told.append(told)
        self.told_at.append(trio.current_time())

    async def ask(self, tenant: str = "t", **what: object) -> None:
        self.exchange.ask(tenant, inquiry(**what), self.tell)  # type: ignore[arg-type]
        await wait_all_tasks_blocked()

    def stream(self, call: Call | None = None) -> tuple[Stream, FakeLine]:
        line = FakeLine()
        return self.switchboard.answer("t", call or Call("c", RATE_HZ, "pcm16"), line), line


@asynccontextmanager
async def house(options: Options | None = None, attempts: Attempts | None = None) -> AsyncIterator[House]:
    async with trio.open_nursery() as nursery:
        made = House(nursery, options or Options(patience=PATIENCE), attempts)
        await nursery.start(made.exchange.run)
        yield made
        nursery.cancel_scope.cancel()


def speak(stream: Stream, seconds: float, level: float = 0.8) -> list[Result | None]:
    return [stream.feed(Audio(piece)) for piece in cut(audio(RATE_HZ, (seconds, level)), 320)]


async def test_a_registration(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.ask()
        stream, line = at.stream()
        said = speak(stream, 3.0)
        await trio.sleep(10)
    steps = [VoiceStatus(4096 * step, RATE_HZ, 2.0) for step in range(5)]
    assert at.told[:-1] == [Progress.CONSUMER_READY, *steps]
    assert isinstance(at.told[-1], Judged)
    assert (at.told[-1].credential, at.told[-1].voice_s) == ("for t", 2.048)
    assert [result for result in said if result] == [CallState.COLLECTED]
    assert (line.told, at.outcomes) == ([CallState.HEARD], [("register", "approved")])


@pytest.mark.parametrize("level, angle, outcome", [(0.8, 0.8, "approved"), (0.8, 2.0, "other speaker"), (0.3, 0.3, "spoof")])
async def test_a_verification(level: float, angle: float, outcome: str, autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.ask(of=template(angle))
        speak(at.stream()[0], 3.0, level)
        await trio.sleep(10)
    assert at.outcomes == [("verify", outcome)]


async def test_nobody_streams(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.ask()
        await trio.sleep(40)
    assert (at.told, at.told_at[-1]) == ([Progress.CONSUMER_READY, CallFailed(CALL_STREAMLESS)], 30.0)
    assert at.switchboard.empty


@pytest.mark.parametrize("ending, fault", [(Finished(), CALL_SHORT), (Finished(CALL_STALLED), CALL_STALLED), (None, CALL_SHORT)])
async def test_the_stream_ends_too_early(ending: Finished | None, fault: Fault, autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.ask()
        stream, _ = at.stream()
        speak(stream, 1.0)
        stream.hang_up() if ending is None else stream.note(ending)
        await wait_all_tasks_blocked()
        assert at.told[-1] == CallFailed(fault)
        assert at.switchboard.empty


async def test_the_stream_falls_silent(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.ask()
        stream, line = at.stream()
        speak(stream, 1.0)
        await trio.sleep(60)
    assert at.told[-1] == CallFailed(CALL_STALLED)
    assert 30.0 <= at.told_at[-1] <= 36.0
    assert line.told == [CallState.HEARD, CallState.COLLECTED]


async def test_a_caller_who_says_nothing_is_waited_for(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.ask()
        stream, _ = at.stream()
        for _ in range(100):
            stream.feed(Audio(audio(RATE_HZ, (1.0, 0))))
            await trio.sleep(1)
        assert at.told == [Progress.CONSUMER_READY, VoiceStatus(0, RATE_HZ, 2.0)]


async def test_a_stream_of_another_format(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.ask()
        _, line = at.stream(Call("c", RATE_HZ, "mulaw"))
        await wait_all_tasks_blocked()
        assert (at.told[-1], line.told[0]) == (CallFailed(CALL_FORMAT), Failed(CALL_FORMAT))


async def test_a_stream_that_does_not_say_its_format(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.ask()
        speak(at.stream(Call("c"))[0], 3.0)
        await trio.sleep(10)
        assert isinstance(at.told[-1], Judged)


async def test_what_was_said_before_the_question_counts(autojump_clock: MockClock) -> None:
    async with house() as at:
        stream, line = at.stream()
        speak(stream, 3.0)
        await at.ask()
        await trio.sleep(10)
        assert isinstance(at.told[-1], Judged)
        assert line.told == [CallState.HEARD, CallState.COLLECTED]


async def test_a_gap_breaks_a_frame(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.ask()
        stream, _ = at.stream()
        for _ in range(100):  # 20 ms and a gap: no frame of 30 ms is ever whole
            speak(stream, 0.02)
            stream.note(Gap(80))
        assert at.told[-1] == VoiceStatus(0, RATE_HZ, 2.0)


async def test_a_voice_that_cannot_be_judged(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.ask(wanted_s=0.5)
        speak(at.stream()[0], 3.0)
        await trio.sleep(10)
        assert (at.told[-1], at.outcomes) == (CallFailed(LITTLE_SPEECH), [("register", "failed")])


async def test_no_thread_is_free(autojump_clock: MockClock) -> None:
    async with house() as at:
        at.runner.fault = OVERLOADED
        await at.ask()
        speak(at.stream()[0], 3.0)
        await trio.sleep(10)
        assert at.told[-1] == CallFailed(OVERLOADED)


async def test_a_second_question_about_the_call(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.ask()
        with pytest.raises(PeerError) as refused:
            await at.ask()
        assert refused.value.fault is CALL_BUSY
        await at.ask("other tenant")
        assert at.told == [Progress.CONSUMER_READY] * 2


async def test_the_call_is_free_again_after_the_result(autojump_clock: MockClock) -> None:
    async with house() as at:
        for _ in range(2):
            await at.ask()
            speak(at.stream()[0], 3.0)
            await trio.sleep(10)
        assert at.outcomes == [("register", "approved")] * 2


async def test_so_many_sessions_and_no_more(autojump_clock: MockClock) -> None:
    async with house(Options(sessions_max=1)) as at:
        await at.ask()
        with pytest.raises(PeerError) as refused:
            await at.ask(call_id="other")
        assert refused.value.fault is OVERLOADED


async def test_rejected_verifications_of_a_voice_are_numbered(autojump_clock: MockClock) -> None:
    async with house(attempts=Attempts(2)) as at:
        for _ in range(2):
            await at.ask(of=template(2.0))
            speak(at.stream()[0], 3.0)
            await trio.sleep(10)
        with pytest.raises(PeerError) as refused:
            await at.ask(of=template(2.0))
        assert refused.value.fault is CALL_ATTEMPTS
        await at.ask("other tenant", of=template(2.0))
        await at.ask(of=template(0.8))


async def test_nor_do_many_at_once_slip_through(autojump_clock: MockClock) -> None:
    async with house(attempts=Attempts(2)) as at:
        await at.ask(of=template(2.0))
        await at.ask(of=template(2.0), call_id="second")
        with pytest.raises(PeerError) as refused:
            await at.ask(of=template(2.0), call_id="third")
        assert refused.value.fault is CALL_ATTEMPTS
        await trio.sleep(31)  # no stream came to either: nothing was tried
        assert [outcome for _, outcome in at.outcomes] == ["failed"] * 2
        await at.ask(of=template(2.0))


async def test_approved_verifications_are_not(autojump_clock: MockClock) -> None:
    async with house(attempts=Attempts(2)) as at:
        for _ in range(4):
            await at.ask(of=template(0.8))
            speak(at.stream()[0], 3.0)
            await trio.sleep(10)
        assert at.outcomes == [("verify", "approved")] * 4


async def test_in_a_drain_no_session_begins(autojump_clock: MockClock) -> None:
    async with house() as at:
        at.exchange.drain()
        with pytest.raises(PeerError) as refused:
            await at.ask()
        assert refused.value.fault is DRAINING


async def test_a_drain_waits_for_sessions_that_are_heard(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.ask()
        speak(at.stream()[0], 3.0)
        await wait_all_tasks_blocked()
        at.exchange.drain()
        await at.exchange.settled()
        assert at.outcomes == [("register", "approved")]


async def test_a_drain_ends_sessions_that_no_stream_has_come_to(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.ask()
        at.exchange.drain()
        await at.exchange.settled()
        assert at.told == [Progress.CONSUMER_READY, CallFailed(DRAINING)]


@pytest.mark.parametrize("at_s", [0.0, 1.0, 4.0])
async def test_a_client_who_goes_hears_nothing_more_and_leaves_nothing(at_s: float, autojump_clock: MockClock) -> None:
    """Cancelled while it waits for the stream, while it gathers, and while it judges."""
    async with house() as at:
        with trio.CancelScope() as client:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(at.exchange.hold, at.exchange.open("t", inquiry(), at.tell))
                if at_s >= 1:
                    stream, line = at.stream()
                    speak(stream, 1.0)
                if at_s >= 4:
                    speak(stream, 2.0)
                await trio.sleep(0.5)
                client.cancel()
        before = len(at.told)
        with suppress(NameError):
            stream.feed(Audio(audio(RATE_HZ, (1.0, 1))))
        await trio.sleep(60)
        assert (len(at.told), at.switchboard.empty, at.outcomes) == (before, True, [("register", "cancelled")])
        if at_s == 1:
            assert line.told[-1] is CallState.COLLECTED
