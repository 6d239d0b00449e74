"""das-Peak signalling over Socket.IO: who comes into which namespace, and the sessions of one connection.

    CONNECT ─► token ─► accept, or "invalid token"        alive: being connected is the answer; `alive` is said goodbye to
    initialize ─► Inquiry ─► Exchange ─► events ─► result ─ 5 s ─► DISCONNECT, unless another initialize comes

Each session is a task of its connection's nursery and ends with it, or when its namespace is left (daspeak.md section 3).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias, assert_never

import structlog
import trio

from voicestream.errors import CALL_BUSY, TOKEN_REFUSED, PeerError
from voicestream.protocols.daspeak import NAMESPACES, Spelling, read_initialize, told_event
from voicestream.protocols.daspeak_parameter import Kind, Offer, ParameterError
from voicestream.protocols.engineio_request import UNAUTHORIZED, Answer
from voicestream.protocols.oauth2 import bearer_token
from voicestream.protocols.socketio_attachment import Value
from voicestream.protocols.socketio_event import Acknowledged, Connecting, Disconnected, Emitted, Ended
from voicestream.server.call import CallSession, Tell
from voicestream.server.engine_connection import Connection, Handshake
from voicestream.server.exchange import Exchange
from voicestream.server.login import Login
from voicestream.sessions.call import CallFailed, Told

_log = structlog.get_logger(__name__)

INVALID_TOKEN: Final = "invalid token"

Ask: TypeAlias = Callable[[Sequence[Value], Kind, Tell], CallSession]


@dataclass(frozen=True, slots=True)
class Options:
    """What an operator may set about signalling. token_in_handshake: no valid one there is 401 before there is a connection."""

    spelling: Spelling = field(default_factory=Spelling)
    leave_s: float = 5.0  # from a result to our DISCONNECT
    token_in_handshake: bool = False


class Signalling:
    """The application of all Socket.IO connections. `offer` gives what a tenant may ask for."""

    def __init__(self, exchange: Exchange, login: Login, offer: Callable[[str], Offer], options: Options = Options()) -> None:
        self._exchange = exchange
        self._login = login
        self._offer = offer
        self._options = options

    def admit(self, handshake: Handshake) -> Answer | None:
        """The refusal of a handshake, where the token must be in it."""
        if not self._options.token_in_handshake or self._tenant(handshake.fields, {}) is not None:
            return None
        return UNAUTHORIZED

    async def __call__(self, connection: Connection) -> None:
        """Until the connection is over."""
        spelling = self._options.spelling.overridden(connection.query)
        desks: dict[str, Desk] = {}
        over = False
        async with trio.open_nursery() as nursery:
            while not over:
                for event in await connection.listen():
                    match event:
                        case Connecting(namespace, auth):
                            tenant = self._tenant(connection.fields, auth)
                            if tenant is None:
                                _log.info("namespace refused", code=TOKEN_REFUSED.code, reason=TOKEN_REFUSED.sentence)
                                connection.refuse(namespace, INVALID_TOKEN)
                            elif connection.accept(namespace) and (kind := NAMESPACES[namespace]) != "alive":
                                ask, hold = partial(self._ask, tenant), self._exchange.hold
                                desks[namespace] = Desk(connection, namespace, kind, spelling, ask, hold, self._options.leave_s, nursery)
                        case Emitted(namespace, name, arguments, id):
                            if id is not None:
                                connection.acknowledge(namespace, id, {})
                            if namespace in desks and name == "initialize":
                                desks[namespace].initialize(arguments)
                            elif namespace not in desks and name == "alive":
                                connection.leave(namespace)
                        case Disconnected(namespace):
                            if namespace in desks:
                                desks.pop(namespace).close()
                        case Acknowledged():
                            pass
                        case Ended():
                            over = True
                        case _:
                            assert_never(event)
            nursery.cancel_scope.cancel()

    def _ask(self, tenant: str, arguments: Sequence[Value], kind: Kind, tell: Tell) -> CallSession:
        """The session that `initialize` begins. ParameterError, or PeerError as Exchange.open()."""
        return self._exchange.open(tenant, read_initialize(arguments, kind, self._offer(tenant)), tell)

    def _tenant(self, fields: Mapping[str, str], auth: Mapping[str, object]) -> str | None:
        """Whose token it is: the handshake's header counts or, without one, the CONNECT payload. None: no good one."""
        token = bearer_token(fields.get("authorization"))
        if "authorization" not in fields:
            given = auth.get("token")
            token = (bearer_token(given) or given) if isinstance(given, str) else None
        if token is None:
            return None
        try:
            return self._login.authority.token(token, self._login.clock()).tenant
        except PeerError:
            return None


class Desk:
    """One namespace of one connection: one session at a time, and after it a while in which another may begin."""

    def __init__(
        self,
        connection: Connection,
        namespace: str,
        kind: Kind,
        spelling: Spelling,
        ask: Ask,
        hold: Callable[[CallSession], Awaitable[None]],
        leave_s: float,
        nursery: trio.Nursery,
    ) -> None:
        self._connection = connection
        self._namespace = namespace
        self._kind: Kind = kind
        self._spelling = spelling
        self._ask = ask
        self._hold = hold
        self._leave_s = leave_s
        self._nursery = nursery
        self._busy = False
        self._scope = trio.CancelScope()  # of the session and of the while after it

    def initialize(self, arguments: Sequence[Value]) -> None:
        """Begin a session, or tell why none begins."""
        if self._busy:
            self._say(CallFailed(CALL_BUSY))
            return
        self._scope.cancel()
        self._scope = trio.CancelScope()
        session = None
        try:
            session = self._ask(arguments, self._kind, self._say)
        except ParameterError as error:
            self._say(error.told)
        except PeerError as error:
            self._say(CallFailed(error.fault))
        self._busy = session is not None
        self._nursery.start_soon(self._serve, session, self._scope)

    def close(self) -> None:
        """The client has left."""
        self._scope.cancel()

    async def _serve(self, session: CallSession | None, scope: trio.CancelScope) -> None:
        with scope:
            if session is not None:
                await self._hold(session)
                self._busy = False
            await trio.sleep(self._leave_s)
            self._connection.leave(self._namespace)

    def _say(self, told: Told) -> None:
        event = told_event(told, self._kind)
        self._connection.emit(self._namespace, event.name, *self._spelling.arguments(event), droppable=event.droppable)
