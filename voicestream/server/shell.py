"""The one loop that runs every conversation, whatever its dialect.

    websocket ─► dialect.receive ─► events ─► session.feed ─► result ─► dialect.reply ─► dialect.drain ─► websocket
                                                  └► Job ─► run ─┘

This loop alone touches its connection's dialect and session, so there are no locks. It waits in two places:
for bytes, where an alarm may wake it (the dialect's deadline, pings, the session's end, a drain), and for
a heavy Job, where nothing may. What a message asks for is answered before the next message is looked at.

    listening: _hear, a plain call for the messages of each read ──► answered, listening goes on
                    └─► a heavy Job, many messages, a refusal, a peer too fast: _catch_up, then listening again

A session may speak without being asked, too: `tell`, from whoever else runs in this trio thread.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, assert_never, cast

import trio

from voicestream.errors import OVERLOADED, SESSION_LONG, PeerError
from voicestream.protocols.base import NEVER, Close, Dialect, Goodbye, Refusal
from voicestream.server.metrics import Tally
from voicestream.sessions.vocabulary import (
    Audio,
    CallSession,
    Event,
    Failed,
    Finished,
    Gap,
    Job,
    Opened,
    Paused,
    Result,
    Resumed,
    Service,
    Session,
)
from voicestream.transport.websocket import Disconnected, WebSocket

_TURN = 32  # messages of one connection before the others have theirs
_SHORTEST_S = 0.0025  # of audio in a message: the shortest Opus packet


class Runner(Protocol):
    """Who runs heavy work on threads."""

    async def run(self, work: Callable[[], Result], model: str) -> Result: ...


class Account(Protocol):
    """Who keeps the figures and the log of this conversation."""

    tally: Tally

    def refused(self, refusal: Refusal) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How much of a conversation is borne. A stream may run `speed` times faster than real time after its first `burst_s`."""

    session_s: float = 3600.0
    audio_s: float = 1800.0
    speed: float = 20.0
    burst_s: float = 120.0


class Conversation:
    """One peer talking to one session."""

    __slots__ = (
        "_account", "_alarm", "_began", "_dialect", "_events", "_goodbye", "_job", "_messages", "_now", "_open_session", "_patience",
        "_rings_at", "_runner", "_session", "_tally", "_websocket",
    )  # fmt: skip

    def __init__(
        self,
        websocket: WebSocket,
        dialect: Dialect,
        open_session: Callable[[Service], Session],
        runner: Runner,
        account: Account,
        patience: Patience,
    ) -> None:
        self._websocket = websocket
        self._dialect = dialect
        self._open_session = open_session
        self._runner = runner
        self._account = account
        self._tally = account.tally
        self._patience = patience
        self._began = self._now = self._rings_at = trio.current_time()
        self._session: Session | None = None
        self._messages: Iterator[str | bytes] = iter(())  # that wait to be looked at
        self._events: Iterator[Event] = iter(())  # of the last message looked at, that wait
        self._job: Job | None = None  # heavy, waits to be run
        self._alarm = trio.CancelScope()
        self._goodbye: Goodbye | None = None
        websocket.attach(self._say)

    async def run(self) -> None:
        """Until the websocket has ended, or the last word is said: `websocket.finish()` is the caller's."""
        self._websocket.flush()  # some dialects greet
        try:
            while True:
                self._rings_at = min(self._dialect.deadline, self._websocket.due, self._began + self._patience.session_s)
                with trio.CancelScope(deadline=self._rings_at) as self._alarm:
                    while self._goodbye is None and self._dialect.deadline >= self._rings_at:
                        await self._websocket.listen(self._hear)
                        await self._catch_up()
                await self._wake(trio.current_time())
                if self._goodbye is not None:
                    if self._dialect.deadline == NEVER:
                        return
                    self._goodbye = None  # a result is yet to come, which is the last word
        except Disconnected:
            pass

    def _hear(self, messages: list[str | bytes]) -> bool:
        """Answer what can be answered now; whether that is all there is to do."""
        self._now = trio.current_time()
        self._tally.messages_in += len(messages)
        self._messages = iter(messages)
        done = self._work()
        self._websocket.flush()
        return (
            done
            and not self._dialect.refusals
            and not self._dialect.full
            and self._ahead_s() <= 0
            and self._goodbye is None
            and self._dialect.deadline >= self._rings_at
        )

    def _work(self) -> bool:
        """Answer the messages that wait, up to a heavy Job or to the end of a turn; whether none is left."""
        for _ in range(_TURN):
            for event in self._events:
                if (job := self._feed(event)) is not None:
                    self._job = job
                    return False
            message = next(self._messages, None)
            if message is None:
                return True
            self._events = iter(self._dialect.receive(message, self._now))
        return False  # 64 KiB hold 10,000 empty messages: 50 ms in which nobody else would be served

    async def _catch_up(self) -> None:
        """Do what `_hear` could not do at once."""
        done = False
        while not done:
            if self._job is not None:
                job, self._job = self._job, None
                self._dialect.reply(await self._done(job))
            else:
                await trio.lowlevel.cancel_shielded_checkpoint()
            done = self._work()
            self._websocket.flush()
        self._tell_refusals()
        if (ahead_s := self._ahead_s()) > 0:
            await trio.sleep(ahead_s / self._patience.speed)
        if self._dialect.full:
            await trio.sleep_forever()  # until the alarm: a deadline, or tell()

    def _feed(self, event: Event) -> Job | None:
        """Hand one event to the session and its result to the dialect; returns work that belongs on a thread."""
        match event:
            case Audio() if self._session is not None:
                outcome = self._session.feed(event)
                if isinstance(outcome, Job):
                    if outcome.heavy:
                        return outcome
                    outcome = outcome.run()
                if outcome is not None:
                    self._dialect.reply(outcome)
            case Audio():
                pass
            case Opened():
                self._session = self._open_session(event.service)
            case Gap() | Paused() | Resumed() | Finished():
                cast("CallSession", self._session).note(event)  # of calls alone, and after they were opened
            case _:
                assert_never(event)
        return None

    async def _done(self, job: Job) -> Result:
        try:
            with trio.CancelScope() as scope:
                scope.shield = True
                result = await self._runner.run(job.run, job.model)
        except PeerError as error:
            if error.fault is OVERLOADED:  # no thread came free in time: better to end than to leave holes
                self._goodbye = Goodbye.OVERLOAD
            return Failed(error.fault, error.detail)
        return result

    def _ahead_s(self) -> float:
        """Seconds of audio by which the peer is faster than it may be; says goodbye when there was too much of it.

        Every message counts as a little audio, whatever it holds.
        """
        heard_s = 0.0 if self._session is None else self._session.heard_s
        self._tally.audio_s = heard_s
        patience = self._patience
        if heard_s > patience.audio_s:
            self._goodbye = Goodbye.SESSION_TIME
        return max(heard_s, self._tally.messages_in * _SHORTEST_S) - patience.burst_s - patience.speed * (self._now - self._began)

    async def _wake(self, now: float) -> None:
        """The alarm rang: something is due, or goodbye was said."""
        if now >= self._dialect.deadline:
            for event in self._dialect.tick(now):
                if (job := self._feed(event)) is not None:
                    self._dialect.reply(await self._done(job))
        self._websocket.tick(now)
        if now >= self._began + self._patience.session_s:
            self._goodbye = Goodbye.SESSION_TIME
        if self._goodbye is not None:
            if self._goodbye is Goodbye.SESSION_TIME:
                self._account.refused(Refusal(SESSION_LONG, "connection"))
            self._dialect.finish(self._goodbye)
        self._websocket.flush()
        self._tell_refusals()

    def _say(self, room_bytes: int) -> list[str | bytes]:
        said = self._dialect.drain(room_bytes)
        self._tally.messages_out += len(said)
        if said and isinstance(said[-1], Close):
            close = said.pop()
            assert isinstance(close, Close)
            self._websocket.close(close.code, close.reason)
        return cast("list[str | bytes]", said)  # a Close comes last: no other is in it

    def _tell_refusals(self) -> None:
        for refusal in self._dialect.refusals:
            self._account.refused(refusal)
        self._dialect.refusals.clear()

    def tell(self, result: Result) -> None:
        """Say to the peer what its session learnt elsewhere."""
        self._dialect.reply(result)
        self._websocket.flush()
        self._alarm.cancel()  # the deadline may be another one now

    def end(self, goodbye: Goodbye) -> None:
        """End with the protocol's goodbye as soon as the message at hand is answered."""
        self._goodbye = goodbye
        self._alarm.cancel()
