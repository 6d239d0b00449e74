"""The ELSA family put together: who may come in, the two WebSocket dialects and the HTTP twins, and what assesses for them.

upgrade ─► Door ─┬─ 401, in the family's own words
                 └─ tenant ─► dialect ◄─► Desk, Stream ─┐
HTTP twin ─► Door ─► form ─► assess ────────────────────┴─► Assessments ─► Assessor, Results
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from voicestream.errors import ASSESSMENT_TOKEN, PeerError
from voicestream.models.vad.model import MakeFront
from voicestream.protocols import elsa, elsa_scripted
from voicestream.protocols.base import Dialect
from voicestream.protocols.elsa import Elsa
from voicestream.protocols.elsa_json import write_result
from voicestream.protocols.elsa_option import Options
from voicestream.protocols.elsa_refusal import refusal_object
from voicestream.protocols.elsa_scripted import ElsaScripted
from voicestream.server.assessment import Assessments, Assessor
from voicestream.server.assessment_figure import AssessmentFigures
from voicestream.server.config import Settings
from voicestream.server.consumer import Converse
from voicestream.server.elsa_stream import Desk
from voicestream.server.http.services import Runner
from voicestream.server.metrics import Metrics
from voicestream.sessions import assessment
from voicestream.sessions.vocabulary import Assessed, Assessing
from voicestream.store.result import Results
from voicestream.transport.head import Refusal, Upgrade
from voicestream.transport.listener import Handler, Route, Selection
from voicestream.transport.rfc6455 import MessageLimit
from voicestream.transport.websocket import Timing, WebSocket

if TYPE_CHECKING:
    from voicestream.store.authority import Authority

PATHS: Final = (elsa.PATH, elsa_scripted.PATH, elsa_scripted.ALIAS)
OPERATIONS: Final = {elsa.PATH: ("elsa", "unscripted"), **dict.fromkeys(PATHS[1:], ("elsa", "scripted"))}

_SCHEMES: Final = frozenset(("elsa", "bearer"))
_SUBPROTOCOL: Final = "elsa."
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~-]{1,256}")
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_LINGER_S: Final = 2.0  # after our Close


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
    """One server's. `routes` and `operations` for the listener, the rest for HTTP; `assessor` recognises, `clock` gives Unix seconds."""

    def __init__(
        self,
        settings: Settings,
        authority: Authority,
        assessor: Assessor,
        make_front: MakeFront,
        runner: Runner,
        metrics: Metrics,
        converse: Converse,
        timing: Timing,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.door = Door(authority)
        self.assessments = Assessments(
            assessor,
            Results(authority.database, settings.data_path(), settings.assessment_keep_s, settings.assessment_results),
            runner,
            make_front,
            write_result,
            clock,
            assessment.Options(endpoint_silence_s=settings.assessment_silence_s, gate=settings.gate),
            keep_audio=settings.assessment_audio,
        )
        self.figures = AssessmentFigures()
        metrics.include(self.figures)
        self._settings = settings
        self._converse = converse
        self.options = Options(plans=settings.assessment_plans, idle_s=settings.idle_s, scoring_s=settings.assessment_s)
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
            self.figures.ended(outcome, heard_s, trio.current_time() - began)

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
            desk = Desk(self.assessments, self.figures, tenant, base, nursery)
            try:
                await self._converse(path, websocket, make(trio.current_time(), self.options), desk.open)
            finally:
                desk.leave()
                nursery.cancel_scope.cancel()
