"""Eyes on Engine.IO: each connection by its transport, and each refusal, becomes a figure and a log line."""

from typing import Final

import structlog

from voicestream import errors
from voicestream.errors import Fault
from voicestream.protocols.base import Refusal
from voicestream.protocols.engineio_event import Ending
from voicestream.protocols.engineio_request import Transport
from voicestream.server.metrics import Metrics
from voicestream.server.watch import Account

_log = structlog.get_logger()

PROTOCOL: Final = "socketio"
_OUTCOMES: Final = {
    Ending.CLIENT: "completed",
    Ending.FORCED: "completed",
    Ending.TRANSPORT: "lost",
    Ending.PING_TIMEOUT: "timeout",
}


class EngineWatch:
    """Of one path."""

    def __init__(self, metrics: Metrics, path: str) -> None:
        self._metrics = metrics
        self._path = path

    def begin(self, transport: Transport) -> "ConnectionWatch":
        """A connection has begun."""
        return ConnectionWatch(self._metrics, self._path, transport)

    def refused(self, fault: Fault, status: int) -> None:
        """A plain request was refused; refused upgrades are told by the listener."""
        self._metrics.handshake_refused("engine")
        self._metrics.fault(fault.code)
        _log.info("engine request refused", path=self._path, code=fault.code, status=status, reason=fault.sentence)

    def escaped(self, error: BaseException) -> None:
        """A defect, of ours or of the application, ended one connection."""
        self._metrics.fault(errors.INTERNAL.code)
        _log.error("a defect ended one connection", path=self._path, code=errors.INTERNAL.code, exc_info=error)


class ConnectionWatch:
    """Of one connection: `sessions_active{protocol="socketio"}` has its transport as operation."""

    __slots__ = ("_account", "_metrics", "_path", "_tally", "transport")

    def __init__(self, metrics: Metrics, path: str, transport: Transport) -> None:
        self._metrics = metrics
        self._path = path
        self.transport: Transport = transport
        self._tally = metrics.begin(PROTOCOL, transport)
        self._account = Account(self._tally, path, metrics)

    def heard(self, messages: int) -> None:
        self._tally.messages_in += messages

    def said(self, messages: int) -> None:
        self._tally.messages_out += messages

    def upgraded(self) -> None:
        """From polling to WebSocket: another kind of session from here on, because a counter must never go back."""
        self._metrics.end(self._tally, "upgraded")
        self.transport = "websocket"
        self._tally = self._account.tally = self._metrics.begin(PROTOCOL, self.transport)

    def refused(self, refusal: Refusal) -> None:
        self._account.refused(refusal)

    def late(self, waited_s: float) -> None:
        """The application has not returned though its connection is over."""
        _log.warning("an application did not return after its connection's end", path=self._path, waited_s=waited_s)

    def ended(self, ending: Ending | None) -> None:
        """The connection is over; None: cut off at the end of the server."""
        self._metrics.end(self._tally, "cut" if ending is None else _OUTCOMES.get(ending, "failed"))
        _log.debug("engine connection ended", path=self._path, ending="cut" if ending is None else ending.value[0])
