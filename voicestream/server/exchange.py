"""Every das-Peak session of one process: opened for a tenant, run in the scope of whoever asked, judged by one recognition.

Socket.IO: open() then hold() in the nursery of its connection: it ends with it
REST:      ask(): run in the exchange's own nursery, because a poll is no connection
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import trio

from voicestream.errors import CALL_ATTEMPTS, DRAINING, OVERLOADED, MisuseError, PeerError
from voicestream.server.call import REJECTED, CallPatience, CallSession, Recognition, Tell
from voicestream.server.switchboard import Switchboard
from voicestream.sessions.call import Inquiry
from voicestream.store.throttle import Throttle

_ATTEMPTS_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Options:
    """What an operator may set about sessions."""

    sessions_max: int = 2000
    attempts: int = 5  # rejected verifications of one credential within ten minutes, so that nobody climbs a score; 0: any number
    patience: CallPatience = field(default_factory=CallPatience)


class Exchange:
    """The sessions that go on. `count` is told how each ended: register or verify, and a fixed word."""

    def __init__(
        self,
        switchboard: Switchboard,
        recognition: Recognition,
        count: Callable[[str, str], None] = lambda kind, outcome: None,
        options: Options = Options(),
    ) -> None:
        self._switchboard = switchboard
        self._recognition = recognition
        self._count = count
        self._options = options
        self._live: set[CallSession] = set()
        self._nursery: trio.Nursery | None = None
        self._attempts = Throttle(options.attempts, _ATTEMPTS_S) if options.attempts else None
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
        if self._attempts is not None and self._attempts.wait_s(_voice(tenant, inquiry), trio.current_time()) > 0:
            raise PeerError(CALL_ATTEMPTS)
        session = CallSession(tenant, inquiry, self._switchboard, self._recognition, tell)
        session.open()
        self._live.add(session)
        return session

    async def hold(self, session: CallSession) -> None:
        """Run a session to its end; cancelled, it tells nothing more."""
        outcome = "cancelled"
        try:
            outcome = await session.run(self._options.patience)
        finally:
            self._live.remove(session)
            self._ended.unpark_all()
            self._count(session.kind, outcome)
            if self._attempts is not None and session.kind == "verify" and outcome in REJECTED:
                self._attempts.count(_voice(session.tenant, session.inquiry), trio.current_time())

    def ask(self, tenant: str, inquiry: Inquiry, tell: Tell) -> None:
        """open() and hold() here, whoever asked. PeerError as open(); MisuseError before run()."""
        if self._nursery is None:
            raise MisuseError("run() does not run")
        self._nursery.start_soon(self.hold, self.open(tenant, inquiry, tell))


def _voice(tenant: str, inquiry: Inquiry) -> str:
    """Whose voice is claimed; "" for a registration, of which none is ever counted."""
    return "" if inquiry.template is None else f"{tenant} {inquiry.template.vector.tobytes().hex()}"
