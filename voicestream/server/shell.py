"""The one loop that runs every conversation, whatever its dialect.

    websocket ─► dialect.receive ─► events ─► session.feed ─► result ─► dialect.reply ─► dialect.drain ─► websocket
                                                  └► Job ─► run ─┘

This loop alone touches its connection's dialect and session, so there are no locks. It waits in two places:
for bytes, where an alarm may wake it (the dialect's deadline, pings, the session's end, a drain), and for
a heavy Job, where nothing may. What a message asks for is answered before the next message is looked at.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import trio

from voicestream.protocols.base import Close, Dialect, Goodbye
from voicestream.sessions.vocabulary import Audio, Event, Job, Opened, Result, Service
from voicestream.transport.websocket import Disconnected, WebSocket


class Session(Protocol):
    """What a conversation means, once its dialect knows what is wanted."""

    def feed(self, audio: Audio) -> Result | Job: ...


OpenSession = Callable[[Service], Session]
RunJob = Callable[[Job], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a conversation may last."""

    session_s: float = 3600.0


class Conversation:
    """One peer talking to one session."""

    __slots__ = ("_alarm", "_dialect", "_ends_at", "_goodbye", "_open_session", "_run_job", "_session", "_websocket")

    def __init__(self, websocket: WebSocket, dialect: Dialect, open_session: OpenSession, run_job: RunJob, patience: Patience) -> None:
        self._websocket = websocket
        self._dialect = dialect
        self._open_session = open_session
        self._run_job = run_job
        self._ends_at = trio.current_time() + patience.session_s
        self._session: Session | None = None
        self._alarm = trio.CancelScope()
        self._goodbye: Goodbye | None = None
        websocket.attach(self._say)

    async def run(self) -> None:
        """Until the websocket has ended, or the last word is said: `websocket.finish()` is the caller's."""
        try:
            while self._goodbye is None:
                rings_at = min(self._dialect.deadline, self._websocket.due, self._ends_at)
                with trio.CancelScope(deadline=rings_at) as self._alarm:
                    while self._goodbye is None:
                        await self._hear(await self._websocket.receive(), trio.current_time())
                        if self._dialect.deadline < rings_at:
                            break
                await self._wake(trio.current_time())
        except Disconnected:
            pass

    async def _hear(self, messages: list[str | bytes], now: float) -> None:
        for message in messages:
            for event in self._dialect.receive(message, now):
                await self._feed(event)
        self._websocket.flush()

    async def _feed(self, event: Event) -> None:
        match event:
            case Audio() if self._session is not None:
                outcome = self._session.feed(event)
                self._dialect.reply(await self._done(outcome) if isinstance(outcome, Job) else outcome)
            case Opened():
                self._session = self._open_session(event.service)

    async def _done(self, job: Job) -> Result:
        if not job.heavy:
            return job.run()
        with trio.CancelScope() as scope:
            scope.shield = True
            result = await self._run_job(job)
        return result

    async def _wake(self, now: float) -> None:
        """The alarm rang: something is due, or goodbye was said."""
        for event in self._dialect.tick(now):
            await self._feed(event)
        self._websocket.tick(now)
        if now >= self._ends_at:
            self._goodbye = Goodbye.SESSION_TIME
        if self._goodbye is not None:
            self._dialect.finish(self._goodbye)
        self._websocket.flush()

    def _say(self, room_bytes: int) -> list[str | bytes]:
        said = self._dialect.drain(room_bytes)
        if said and isinstance(said[-1], Close):
            self._websocket.close(said[-1].code, said[-1].reason)
        return [message for message in said if not isinstance(message, Close)]

    def end(self, goodbye: Goodbye) -> None:
        """End with the protocol's goodbye as soon as the message at hand is answered."""
        self._goodbye = goodbye
        self._alarm.cancel()
