"""The audio consumers of das-Peak: who may stream a call's audio in, whose call it is, and the conversation that follows.

    upgrade ─► door ─┬─ refused: one answer whatever was wrong, 0.5 s after the request
                     └─ tenant ─► 101 ─► start | open ─► Call ─► switchboard.answer(tenant, call, line)

A Twilio stream may bring its API key as late as in `start`: then its tenant is known no sooner, and a wrong key is told by
the dialect. The doors are in `consumer_twilio.py` and `consumer_audiohook.py` (twilio.md section 2, audiohook.md section 1).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Final

import structlog
import trio

from voicestream.errors import CALL_REFUSED, HOOK_HEADERS, Fault, MisuseError, PeerError
from voicestream.protocols import audiohook, twilio
from voicestream.protocols.audiohook import AudioHook
from voicestream.protocols.audiohook_message import TEXT_BYTES
from voicestream.protocols.base import Dialect
from voicestream.protocols.http_signature import REFUSAL_DELAY_S
from voicestream.protocols.twilio import Twilio
from voicestream.server.config import Settings
from voicestream.server.consumer_audiohook import HookDoor, HookIdentity
from voicestream.server.consumer_figure import ConsumerFigures
from voicestream.server.consumer_twilio import TwilioDoor
from voicestream.server.switchboard import Line, Stream, Switchboard
from voicestream.sessions.vocabulary import Audio, Call, CallRefused, Finished, Gap, Paused, Resumed, Service, Session
from voicestream.transport.head import Refusal, Upgrade
from voicestream.transport.listener import Handler, Route
from voicestream.transport.rfc6455 import MessageLimit
from voicestream.transport.websocket import Timing, WebSocket

if TYPE_CHECKING:
    from voicestream.server.login import Login

_log = structlog.get_logger(__name__)

TWILIO_PATH: Final = "/daspeak-stream/v1/twilio"
AUDIOHOOK_PATH: Final = "/daspeak-stream/v1/audiohook"
OPERATIONS: Final = {TWILIO_PATH: ("twilio", "call"), AUDIOHOOK_PATH: ("audiohook", "call")}

_REFUSED: Final = {"message": "Invalid authentication credentials"}
_LINGER_S: Final = 2.0  # after our Close, in which a Twilio client that is still pushing is read on
_HOOK_LIMIT: Final = MessageLimit(TEXT_BYTES + 1, TEXT_BYTES + 1)  # one byte over the protocol's limit is told in its own form

OpenSession = Callable[[Service, Line], Session]
Converse = Callable[[str, WebSocket, Dialect, OpenSession], Awaitable[None]]  # runs the conversation of a path to its end


class Consumers:
    """Both of one server. `routes` for the listener; `converse` is how a conversation is run."""

    def __init__(
        self, settings: Settings, login: Login, switchboard: Switchboard, converse: Converse, figures: ConsumerFigures, timing: Timing
    ) -> None:
        self._login = login
        self._switchboard = switchboard
        self._converse = converse
        self._figures = figures
        self._twilio_door = TwilioDoor(login.authority, settings.websocket_url(TWILIO_PATH))
        self._hook_door = HookDoor(login.authority, login.clock, secure=settings.issuer.startswith("https:"))
        self._told_in_dialogue = settings.audiohook_refusal == "open"
        self._reusable = settings.audiohook_after_result == "pause"
        self._twilio_options = twilio.Options(settings.call_start_s, settings.call_hold_s, settings.call_idle_s)
        self._hook_options = audiohook.Options(
            open_s=settings.call_start_s,
            hold_s=settings.call_hold_s,
            idle_s=settings.call_idle_s,
            unknown_call=settings.audiohook_unknown_call,
            after_result=settings.audiohook_after_result,
        )
        limit = MessageLimit(settings.text_bytes, settings.message_bytes, settings.fragments)
        pinged = _timing(timing, timing.ping_s, _LINGER_S)
        unpinged = _timing(timing, inf, timing.close_s)  # AudioHook has pings of its own
        self.routes = [
            Route(TWILIO_PATH, self._admit_twilio, limit, pinged, any_origin=True),
            Route(AUDIOHOOK_PATH, self._admit_hook, _HOOK_LIMIT, unpinged, any_origin=True),
        ]

    # ---- Twilio

    async def _admit_twilio(self, upgrade: Upgrade, address: str) -> Handler | Refusal:
        began = trio.current_time()
        try:
            tenant = self._twilio_door.tenant(upgrade.fields)
        except PeerError as error:
            return await self._refusal("twilio", error, 401 if error.fault is CALL_REFUSED else 403, began)
        return partial(self._twilio, tenant)

    async def _twilio(self, tenant: str | None, websocket: WebSocket) -> None:
        dialect = Twilio(trio.current_time(), self._twilio_options)
        answering = _Answering(self._switchboard, lambda call: tenant if tenant is not None else self._tenant_of(call.key))
        try:
            await self._converse(TWILIO_PATH, websocket, dialect, answering.open)
        finally:
            answering.hang_up()
            self._figures.gaps += dialect.gaps

    def _tenant_of(self, key: str) -> str | None:
        """Of a key that came inside the stream."""
        principal = self._login.authority.api_key(key)
        if principal is None:
            self._count("twilio", CALL_REFUSED, "key" if key else "no key")
            return None
        return principal.tenant

    # ---- AudioHook

    async def _admit_hook(self, upgrade: Upgrade, address: str) -> Handler | Refusal:
        began = trio.current_time()
        identity = HookIdentity.read(upgrade.fields)
        try:
            tenant = self._hook_door.tenant(upgrade.target, upgrade.fields)
        except PeerError as error:
            refusal = await self._refusal("audiohook", error, 401, began)
            return partial(self._hook, None, identity) if self._told_in_dialogue and identity is not None else refusal
        if identity is None:
            return Refusal(400, HOOK_HEADERS)
        return partial(self._hook, tenant, identity)

    async def _hook(self, tenant: str | None, identity: HookIdentity, websocket: WebSocket) -> None:
        began = trio.current_time()
        dialect = AudioHook(identity.session_id, identity.organization_id, began, self._hook_options, authorized=tenant is not None)
        answering = _Answering(self._switchboard, lambda call: tenant, self._reusable)

        def opened(service: Service, line: Line) -> Session:
            self._figures.opened(trio.current_time() - began)
            return answering.open(service, line)

        try:
            await self._converse(AUDIOHOOK_PATH, websocket, dialect, opened)
        finally:
            answering.hang_up()
            self._figures.internal += dialect.is_internal

    # ---- refusing

    async def _refusal(self, consumer: str, error: PeerError, status: int, began: float) -> Refusal:
        """The one answer, when its time has come: neither its words nor its hour tell what was wrong."""
        self._count(consumer, error.fault, error.detail)
        await trio.sleep_until(began + REFUSAL_DELAY_S)
        return Refusal(status, error.fault, body=_REFUSED)

    def _count(self, consumer: str, fault: Fault, reason: str) -> None:
        self._figures.refused[consumer, reason] += 1
        _log.info("call stream refused", consumer=consumer, code=fault.code, reason=reason)


class _Answering:
    """The one call that one conversation brings."""

    def __init__(self, switchboard: Switchboard, tenant_of: Callable[[Call], str | None], reusable: bool = False) -> None:
        self._switchboard = switchboard
        self._tenant_of = tenant_of
        self._reusable = reusable
        self._stream: Stream | None = None

    def open(self, service: Service, line: Line) -> Session:
        """The session that hears the call; of nobody's it is refused and not heard."""
        if not isinstance(service, Call) or self._stream is not None:
            raise MisuseError("a conversation of a consumer brings one call")
        tenant = self._tenant_of(service)
        if tenant is None:
            line.tell(CallRefused(CALL_REFUSED))
            return _Nobody()
        self._stream = self._switchboard.answer(tenant, service, line, reusable=self._reusable)
        return self._stream

    def hang_up(self) -> None:
        if self._stream is not None:
            self._stream.hang_up()


class _Nobody:
    """Hears nothing."""

    heard_s = 0.0

    def feed(self, audio: Audio) -> None:
        pass

    def note(self, event: Gap | Paused | Resumed | Finished) -> None:
        pass


def _timing(common: Timing, ping_s: float, close_s: float) -> Timing:
    return Timing(ping_s, common.pong_s, common.write_s, close_s, common.finish_s, common.outbox_bytes, common.control_frames)
