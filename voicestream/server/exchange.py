"""Every das-Peak session of one process: opened for a tenant, run in the scope of whoever asked, judged by one recognition.

Socket.IO: open() then hold() in the nursery of its connection: it ends with it
REST:      ask(): run in the exchange's own nursery, because a poll is no connection
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from voicestream.errors import DRAINING, OVERLOADED, MisuseError, PeerError
from voicestream.server.attempt import Attempt, Attempts
from voicestream.server.call import REJECTED, CallPatience, CallSession, Recognition, Tell
from voicestream.server.switchboard import Switchboard
from voicestream.sessions.call import Inquiry


@dataclass(frozen=True, slots=True)
class Options:
    """What an operator may set about sessions."""

    sessions_max: int = 2000
    patience: CallPatience = field(default_factory=CallPatience)


class Exchange:
    """The sessions that go on. `count` is told how each ended: register or verify, and a fixed word."""

    def __init__(
        self,
        switchboard: Switchboard,
        recognition: Recognition,
        count: Callable[[str, str], None] = lambda kind, outcome: None,
        options: Options = Options(),
        attempts: Attempts | None = None,
    ) -> None:
        self._switchboard = switchboard
        self._recognition = recognition
        self._count = count
        self._options = options
        self._live: dict[CallSession, Attempt] = {}
        self._nursery: trio.Nursery | None = None
        self._attempts = attempts or Attempts(0)
        self._drained = trio.Event()
        self._ended = trio.lowlevel.ParkingLot()  # where settled() waits

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Hold the sessions of ask(), until they have ended after drain(), or it is cancelled."""
        async with trio.open_nursery() as self._nursery:
            task_status.started()
            await self._drained.wait()

    def drain(self) -> None:
        """Open no more sessions; those whose stream has not come end."""
        self._drained.set()
        for session in self._live:
            session.drain()

    async def settled(self) -> None:
        """Until no session goes on."""
        while self._live:
            await self._ended.park()

    def open(self, tenant: str, inquiry: Inquiry, tell: Tell) -> CallSession:
        """Begin a session, which is then to be hold(): it has told its first word. PeerError VS1711, VS1714, VS1503, VS1112."""
        if self._drained.is_set():
            raise PeerError(DRAINING)
        if len(self._live) >= self._options.sessions_max:
            raise PeerError(OVERLOADED)
        attempt = self._attempts.begin(tenant, *(() if inquiry.template is None else (inquiry.template,)))
        session = CallSession(tenant, inquiry, self._switchboard, self._recognition, tell)
        try:
            session.open()
        except PeerError:
            attempt.end()
            raise
        self._live[session] = attempt
        return session

    async def hold(self, session: CallSession) -> None:
        """Run a session to its end; cancelled, it tells nothing more."""
        outcome = "cancelled"
        try:
            outcome = await session.run(self._options.patience)
        finally:
            attempt = self._live.pop(session)
            attempt.rejected = outcome in REJECTED
            attempt.end()
            self._ended.unpark_all()
            self._count(session.kind, outcome)

    def ask(self, tenant: str, inquiry: Inquiry, tell: Tell) -> None:
        """open() and hold() here, whoever asked. PeerError as open(); MisuseError before run()."""
        if self._nursery is None:
            raise MisuseError("run() does not run")
        self._nursery.start_soon(self.hold, self.open(tenant, inquiry, tell))
