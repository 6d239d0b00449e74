"""The ELSA family put together: who may come in, the two WebSocket dialects, and the streams that they bring.

upgrade ─► Door ─┬─ 401, in the family's own words
                 └─ tenant ─► dialect ◄─► Stream ─► Listening ─► Attempt ─► told when it is ready
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog
import trio

from voicestream.errors import ASSESSMENT_IDLE, ASSESSMENT_TOKEN, MisuseError, PeerError
from voicestream.protocols import elsa, elsa_scripted
from voicestream.protocols.base import Dialect
from voicestream.protocols.elsa import Elsa
from voicestream.protocols.elsa_option import Options
from voicestream.protocols.elsa_refusal import refusal_object
from voicestream.protocols.elsa_scripted import ElsaScripted
from voicestream.server.assessment import POOL, Assessments, Attempt, Samples, pieces
from voicestream.server.assessment_figure import AssessmentFigures
from voicestream.server.config import Settings
from voicestream.server.consumer import Converse
from voicestream.server.switchboard import Line
from voicestream.sessions.vocabulary import (
    Assessed,
    Assessing,
    Audio,
    EndpointState,
    Failed,
    Finished,
    Gap,
    Job,
    Paused,
    Result,
    Resumed,
    Service,
    Session,
)
from voicestream.transport.head import Refusal, Upgrade
from voicestream.transport.listener import Handler, Route, Selection
from voicestream.transport.rfc6455 import MessageLimit
from voicestream.transport.websocket import Timing, WebSocket

if TYPE_CHECKING:
    from voicestream.store.authority import Authority

_log = structlog.get_logger(__name__)

PATHS: Final = (elsa.PATH, elsa_scripted.PATH, elsa_scripted.ALIAS)
OPERATIONS: Final = {elsa.PATH: ("elsa", "unscripted"), **dict.fromkeys(PATHS[1:], ("elsa", "scripted"))}

_SCHEMES: Final = frozenset(("elsa", "bearer"))
_SUBPROTOCOL: Final = "elsa."
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~-]{1,256}")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_LINGER_S: Final = 2.0  # after our Close
_LIGHT_BYTES: Final = 64 * 1024  # of a packet that is heard at once; larger ones go to a thread
_ENOUGH_S: Final = 1.0  # of speech in a stream that stalled, to be scored all the same


class Door:
    """Whose token is it?"""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    def tenant(self, authorization: str | None) -> str:
        """The tenant of `ELSA TOKEN`, also spelt `Elsa` or `Bearer`. PeerError VS2126."""
        scheme, _, token = (authorization or "").strip().partition(" ")
        if scheme.lower() not in _SCHEMES:
            raise PeerError(ASSESSMENT_TOKEN)
        return self._tenant(token.strip())

    def admit(self, upgrade: Upgrade) -> tuple[str, str | None]:
        """The tenant, and the subprotocol to select: browsers cannot send the header, and offer `elsa.TOKEN`. PeerError VS2126."""
        authorization = upgrade.fields.get("authorization")
        if authorization is not None:
            return self.tenant(authorization), None
        for offered in upgrade.fields.get("sec-websocket-protocol", "").split(","):
            name = offered.strip()
            if name.startswith(_SUBPROTOCOL):
                return self._tenant(name.removeprefix(_SUBPROTOCOL)), name
        raise PeerError(ASSESSMENT_TOKEN)

    def _tenant(self, token: str) -> str:
        principal = self._authority.api_key(token) if _TOKEN.fullmatch(token) else None
        if principal is None:
            raise PeerError(ASSESSMENT_TOKEN)
        return principal.tenant


def base_url(settings: Settings, host: str | None) -> str:
    """Where a peer reaches this server: as the operator has said, else as the peer itself has said, to whom alone it is told."""
    if settings.public_url is None and host is not None and _HOST.fullmatch(host):
        return f"{'https' if settings.tls_cert else 'http'}://{host}"
    return settings.issuer


class ElsaFamily:
    """One server's. `routes` and `operations` for the listener; `converse` is how a conversation is run."""

    def __init__(
        self,
        settings: Settings,
        authority: Authority,
        assessments: Assessments,
        figures: AssessmentFigures,
        converse: Converse,
        timing: Timing,
    ) -> None:
        self.door = Door(authority)
        self.assessments = assessments
        self._settings = settings
        self._figures = figures
        self._converse = converse
        self.options = Options(
            plans=settings.assessment_plans, idle_s=settings.idle_s, scoring_s=settings.assessment_s, band=assessments.band
        )
        limit = MessageLimit(settings.text_bytes, settings.message_bytes, settings.fragments)
        timing = replace(timing, close_s=_LINGER_S)
        self.routes = [Route(path, partial(self._admit, path), limit, timing, any_origin=True) for path in PATHS]
        self.operations = OPERATIONS

    async def assess(self, service: Assessing, recording: Callable[[], bytes], tenant: str, base: str | None) -> Assessed:
        """A whole recording, for the HTTP twins; base: what links begin with, None: nothing is kept. PeerError."""
        began = trio.current_time()
        outcome = "cancelled"
        try:
            found = await self.assessments.assess(service, recording, tenant, base, self._settings.assessment_s)
            outcome = "success"
            return found
        except PeerError:
            outcome = "failed"
            raise
        finally:
            heard_s = found.assessment.total_s if outcome == "success" else 0.0
            self._figures.ended(outcome, heard_s, trio.current_time() - began)

    async def _admit(self, path: str, upgrade: Upgrade, address: str) -> Handler | Selection | Refusal:
        try:
            tenant, subprotocol = self.door.admit(upgrade)
        except PeerError as error:
            return Refusal(401, error.fault, (("WWW-Authenticate", "ELSA"),), refusal_object(error.fault))
        handle = partial(self._hear, path, tenant, base_url(self._settings, upgrade.fields.get("host")))
        return handle if subprotocol is None else Selection(handle, subprotocol)

    async def _hear(self, path: str, tenant: str, base: str, websocket: WebSocket) -> None:
        make: Callable[[float, Options], Dialect] = Elsa if path == elsa.PATH else ElsaScripted
        async with trio.open_nursery() as nursery:
            desk = Desk(self.assessments, self._figures, tenant, base, nursery)
            try:
                await self._converse(path, websocket, make(trio.current_time(), self.options), desk.open)
            finally:
                desk.leave()
                nursery.cancel_scope.cancel()


class Desk:
    """The streams of one connection, one after the other; their scoring runs in `nursery`."""

    def __init__(self, assessments: Assessments, figures: AssessmentFigures, tenant: str, base: str, nursery: trio.Nursery) -> None:
        self.assessments = assessments
        self.figures = figures
        self.tenant = tenant
        self.base = base
        self.nursery = nursery
        self._stream: Stream | None = None

    def open(self, service: Service, line: Line) -> Session:
        """The stream that hears it; the dialect has made sure that the one before is over."""
        if not isinstance(service, Assessing):
            raise MisuseError("a service that is no assessment")
        before_s = 0.0 if self._stream is None else self._stream.heard_s
        self.leave()
        self._stream = Stream(service, self, line, before_s)
        self._stream.begin()
        return self._stream

    def leave(self) -> None:
        """The client is gone, or its stream is over."""
        if self._stream is not None:
            self._stream.end("cancelled")


class Stream:
    """One stream: the session of its conversation. `before_s`: audio of those before it on the connection."""

    def __init__(self, service: Assessing, desk: Desk, line: Line, before_s: float) -> None:
        self._service = service
        self._desk = desk
        self._line = line
        self._before_s = before_s
        self._listening = desk.assessments.listen(service)
        self._attempt: Attempt | None = None  # None before and after
        self._deaf = False  # all is heard, or nothing will be
        self._over = False
        self._scope = trio.CancelScope()

    @property
    def heard_s(self) -> float:
        return self._before_s + self._listening.heard_s

    def begin(self) -> None:
        """Find somebody who recognises it; where nobody has time, that is the last word."""
        try:
            self._attempt = self._desk.assessments.begin(self._service)
        except PeerError as error:
            self._fail(error)

    def feed(self, audio: Audio) -> Result | Job | None:
        """Take a packet: whether the speaker has finished, or why it is no audio."""
        if self._deaf:
            return None
        if len(audio.payload) > _LIGHT_BYTES:
            return Job(POOL, partial(self._hear, audio.payload), heavy=True)
        return self._hear(audio.payload)

    def note(self, event: Gap | Paused | Resumed | Finished) -> None:
        """The end has come; with a fault, not as it should."""
        if not isinstance(event, Finished):
            raise MisuseError("an event that an assessment does not have")
        if event.fault not in (None, ASSESSMENT_IDLE):
            self.end("failed")  # the dialect has said why
        elif self._deaf:
            pass
        elif event.fault is None:
            self._conclude()
        elif self._listening.speech_s >= _ENOUGH_S:
            self._line.tell(EndpointState(True))
            self._conclude()
        else:
            self._fail(PeerError(ASSESSMENT_IDLE))

    def end(self, outcome: str, wait_s: float | None = None) -> None:
        """It is over, once: `outcome` for the figures; what goes on for it ends."""
        self._deaf = True
        if not self._over:
            self._over = True
            self._scope.cancel()
            self._listening.close()
            if self._attempt is not None:
                self._attempt.cancel()
            self._desk.figures.ended(outcome, self._listening.heard_s, wait_s)

    def _hear(self, payload: bytes) -> Result:
        try:
            samples = self._listening.feed(payload)
        except PeerError as error:
            _on_loop(partial(self.end, "failed"))
            return Failed(error.fault, error.detail)
        for piece in pieces(samples):
            _on_loop(partial(self._hand_over, piece))
        if self._listening.ended:
            _on_loop(self._conclude)
        return EndpointState(self._listening.ended)

    def _hand_over(self, samples: Samples) -> None:
        if self._attempt is not None and not self._over:
            self._attempt.hear(samples)

    def _conclude(self) -> None:
        self._deaf = True
        if self._attempt is not None and not self._over:
            self._desk.nursery.start_soon(self._score, self._attempt)

    async def _score(self, attempt: Attempt) -> None:
        """Tell the last word, unless somebody ends it before."""
        began = trio.current_time()
        desk = self._desk
        with self._scope:
            try:
                told = await desk.assessments.conclude(attempt, self._listening, desk.tenant, desk.base, self._line.tell)
            except PeerError as error:
                self._fail(error, trio.current_time() - began)
            else:
                self.end("success", trio.current_time() - began)
                self._line.tell(told)

    def _fail(self, error: PeerError, wait_s: float | None = None) -> None:
        self.end("failed", wait_s)
        self._line.tell(Failed(error.fault, error.detail))


def _on_loop(act: Callable[[], None]) -> None:
    """Do it in trio's thread, which a large packet is not heard in."""
    if trio.lowlevel.in_trio_run():
        act()
    else:
        trio.from_thread.run_sync(act)
