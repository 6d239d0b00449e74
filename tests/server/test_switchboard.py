"""Who asks and who streams, in every order: one call, two tenants, any number of each."""

from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from voicestream.errors import CALL_BUSY, CALL_FORMAT, CALL_REFUSED, CALL_STALLED, Fault, PeerError
from voicestream.server.switchboard import Stream, Switchboard
from voicestream.sessions.vocabulary import Audio, Call, CallRefused, CallState, Failed, Finished, Gap, Paused, Result, Resumed

CALL = Call("c", 8000, "mulaw")


@dataclass(eq=False)
class FakeLine:
    told: list[Result] = field(default_factory=list)

    def tell(self, result: Result) -> None:
        self.told.append(result)


@dataclass(eq=False)
class FakeAsker:
    """Content with `wanted` bytes."""

    wanted: int = 1_000_000
    call_id: str = "c"
    welcome: Result = CallState.HEARD
    log: list[str] = field(default_factory=list)
    heard: bytearray = field(default_factory=bytearray)
    lost: list[Fault | None] = field(default_factory=list)

    def ready(self) -> None:
        self.log.append("ready")

    def connect(self, call: Call) -> Result:
        self.log.append("connect")
        return self.welcome

    def hear(self, payload: bytes) -> Result | None:
        self.heard += payload
        return CallState.COLLECTED if len(self.heard) >= self.wanted else None

    def skip(self) -> None:
        self.log.append("skip")

    def lose(self, fault: Fault | None) -> None:
        self.lost.append(fault)


@dataclass
class Desk:
    """One switchboard and what happens at it."""

    switchboard: Switchboard = field(default_factory=Switchboard)

    def stream(self, tenant: str = "t", *, reusable: bool = False) -> tuple[Stream, FakeLine]:
        line = FakeLine()
        return self.switchboard.answer(tenant, CALL, line, reusable=reusable), line

    def ask(self, tenant: str = "t", **asker: object) -> FakeAsker:
        made = FakeAsker(**asker)  # type: ignore[arg-type]
        self.switchboard.ask(tenant, made)
        return made


def test_the_asker_first() -> None:
    desk = Desk()
    asker = desk.ask()
    stream, line = desk.stream()
    assert (asker.log, line.told) == (["ready", "connect"], [CallState.HEARD])
    assert stream.feed(Audio(b"abc")) is None
    assert asker.heard == b"abc"


def test_the_stream_first_is_held_and_then_heard() -> None:
    desk = Desk()
    stream, line = desk.stream()
    for event in (Audio(b"abc"), Audio(b"def")):
        assert stream.feed(event) is None
    assert line.told == []
    asker = desk.ask()
    assert (bytes(asker.heard), line.told) == (b"abcdef", [CallState.HEARD])


def test_a_gap_in_what_was_held_is_told_in_its_place() -> None:
    desk = Desk()
    stream, _ = desk.stream()
    stream.feed(Audio(b"a"))
    stream.note(Gap(80))
    assert desk.ask().log == ["ready", "connect", "skip"]


def test_enough_ends_the_stream() -> None:
    desk = Desk()
    asker = desk.ask(wanted=3)
    stream, _ = desk.stream()
    assert stream.feed(Audio(b"abc")) is CallState.COLLECTED
    stream.feed(Audio(b"more"))
    stream.hang_up()
    assert (bytes(asker.heard), asker.lost) == (b"abc", [])


def test_enough_was_held() -> None:
    desk = Desk()
    stream, line = desk.stream()
    stream.feed(Audio(b"abc"))
    stream.feed(Audio(b"def"))
    asker = desk.ask(wanted=3)
    assert (bytes(asker.heard), line.told) == (b"abc", [CallState.HEARD, CallState.COLLECTED])


def test_what_was_held_of_a_stream_that_stopped_is_all_there_is() -> None:
    desk = Desk()
    stream, _ = desk.stream()
    stream.feed(Audio(b"abc"))
    stream.note(Finished())
    asker = desk.ask()
    assert (bytes(asker.heard), asker.lost) == (b"abc", [None])


@pytest.mark.parametrize("fault", [None, CALL_STALLED])
def test_a_stream_that_ends_too_early(fault: Fault | None) -> None:
    desk = Desk()
    asker = desk.ask()
    stream, _ = desk.stream()
    stream.note(Finished(fault))
    stream.hang_up()
    assert asker.lost == [fault]


def test_a_stream_that_comes_when_its_asker_is_content_waits_for_the_next_one() -> None:
    desk = Desk()
    first = desk.ask(wanted=3)
    desk.stream()[0].feed(Audio(b"abc"))
    late, line = desk.stream()
    late.feed(Audio(b"def"))
    desk.switchboard.release("t", first)
    assert (bytes(first.heard), bytes(desk.ask().heard), line.told) == (b"abc", b"def", [CallState.HEARD])


def test_a_stream_that_hangs_up() -> None:
    desk = Desk()
    asker = desk.ask()
    stream, _ = desk.stream()
    stream.hang_up()
    assert asker.lost == [None]


def test_an_asker_who_goes_ends_the_stream() -> None:
    desk = Desk()
    asker = desk.ask()
    stream, line = desk.stream()
    desk.switchboard.release("t", asker)
    assert line.told == [CallState.HEARD, CallState.COLLECTED]
    stream.feed(Audio(b"abc"))
    assert (asker.heard, asker.lost, desk.switchboard.empty) == (b"", [], True)


def test_a_second_asker_is_told_that_there_is_one() -> None:
    desk = Desk()
    desk.ask()
    with pytest.raises(PeerError) as refused:
        desk.ask()
    assert refused.value.fault is CALL_BUSY


def test_a_second_stream_is_refused_and_hears_nothing() -> None:
    desk = Desk()
    asker = desk.ask()
    desk.stream()
    second, line = desk.stream()
    second.feed(Audio(b"abc"))
    second.note(Finished(CALL_STALLED))
    second.hang_up()
    assert (line.told, bytes(asker.heard), asker.lost) == ([CallRefused(CALL_REFUSED)], b"", [])


def test_another_tenants_call_of_that_name_is_another_call() -> None:
    desk = Desk()
    asker = desk.ask("t")
    stream, line = desk.stream("other")
    stream.feed(Audio(b"abc"))
    assert (asker.log, bytes(asker.heard), line.told) == (["ready"], b"", [])


def test_an_asker_who_cannot_hear_the_stream() -> None:
    desk = Desk()
    asker = desk.ask(welcome=Failed(CALL_FORMAT))
    stream, line = desk.stream()
    stream.feed(Audio(b"abc"))
    assert (line.told, bytes(asker.heard)) == ([Failed(CALL_FORMAT)], b"")


def test_a_stream_that_goes_on_is_there_for_the_next_asker() -> None:
    desk = Desk()
    first = desk.ask(wanted=3)
    stream, line = desk.stream(reusable=True)
    assert stream.feed(Audio(b"abc")) is CallState.COLLECTED
    desk.switchboard.release("t", first)
    second = desk.ask()
    stream.feed(Audio(b"def"))
    assert (bytes(first.heard), bytes(second.heard)) == (b"abc", b"def")
    assert line.told == [CallState.HEARD, CallState.HEARD]


def test_what_nobody_asked_for_in_time_is_forgotten() -> None:
    desk = Desk()
    stream, _ = desk.stream(reusable=True)
    stream.feed(Audio(b"abc"))
    stream.note(Paused(forget=True))
    stream.note(Resumed())
    stream.feed(Audio(b"def"))
    assert bytes(desk.ask().heard) == b"def"


def test_what_is_held_is_bounded() -> None:
    desk = Desk()
    stream, _ = desk.stream()
    for _ in range(2000):
        stream.feed(Audio(bytes(1000)))
    assert len(desk.ask(wanted=10**9).heard) < 600_000


@settings(max_examples=300, stateful_step_count=40, deadline=None)
class Race(RuleBasedStateMachine):
    """Two tenants, two calls, askers and streams in any order: audio reaches its own tenant's asker of its own call, or nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.switchboard = Switchboard()
        self.askers: list[tuple[str, FakeAsker]] = []
        self.streams: list[tuple[str, str, Stream]] = []

    @rule(tenant=st.sampled_from("AB"), call_id=st.sampled_from("12"), wanted=st.integers(1, 12))
    def ask(self, tenant: str, call_id: str, wanted: int) -> None:
        asker = FakeAsker(wanted, call_id)
        with suppress(PeerError):
            self.switchboard.ask(tenant, asker)
            self.askers.append((tenant, asker))

    @rule(tenant=st.sampled_from("AB"), call_id=st.sampled_from("12"), reusable=st.booleans())
    def call(self, tenant: str, call_id: str, reusable: bool) -> None:
        stream = self.switchboard.answer(tenant, Call(call_id, 8000, "mulaw"), FakeLine(), reusable=reusable)
        self.streams.append((tenant, call_id, stream))

    @rule(which=st.integers(0, 7), size=st.integers(1, 4))
    def talk(self, which: int, size: int) -> None:
        if self.streams:
            tenant, call_id, stream = self.streams[which % len(self.streams)]
            stream.feed(Audio((tenant + call_id).encode() * size))

    @rule(which=st.integers(0, 7), event=st.sampled_from([Finished(), Finished(CALL_STALLED), Gap(1), Paused(forget=True), None]))
    def happen(self, which: int, event: Finished | Gap | Paused | None) -> None:
        if self.streams:
            stream = self.streams[which % len(self.streams)][2]
            stream.hang_up() if event is None else stream.note(event)

    @rule(which=st.integers(0, 7))
    def release(self, which: int) -> None:
        if self.askers:
            self.switchboard.release(*self.askers[which % len(self.askers)])

    @invariant()
    def everybody_hears_his_own(self) -> None:
        for tenant, asker in self.askers:
            own = (tenant + asker.call_id).encode()
            assert asker.heard == own * (len(asker.heard) // 2)
            assert asker.log.count("connect") <= 1
            assert len(asker.lost) <= 1

    def teardown(self) -> None:
        for tenant, asker in self.askers:
            self.switchboard.release(tenant, asker)
        for *_, stream in self.streams:
            stream.hang_up()
        assert self.switchboard.empty


TestRace = Race.TestCase
