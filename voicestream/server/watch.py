"""Eyes on the transport: every refusal, opening, ending and defect becomes a log line and a figure."""

import structlog

from voicestream import errors
from voicestream.protocols.base import Refusal as MessageRefusal
from voicestream.server.metrics import Metrics, Tally
from voicestream.transport.head import Refusal
from voicestream.transport.websocket import WebSocket

_log = structlog.get_logger()

# refused handshakes are counted by reason, a fixed word each
_REASONS = {
    errors.TOO_MANY_CONNECTIONS: "overload", errors.TOO_MANY_FROM_ADDRESS: "address", errors.FOREIGN_ORIGIN: "origin",
    errors.UNKNOWN_PATH: "path", errors.UPGRADE_WANTED: "upgrade", errors.DRAINING: "draining",
    errors.CALL_REFUSED: "credentials", errors.SIGNATURE_WRONG: "credentials", errors.PUBLIC_URL_UNKNOWN: "credentials",
    errors.SECRET_SEALED: "credentials", errors.ASSESSMENT_TOKEN: "credentials",
}  # fmt: skip

_TOLD_MAX = 32  # refused messages of one connection that are logged: a peer must not fill the disk


class Watch:
    """One server's. `operations`: path -> (protocol, operation) of each WebSocket route."""

    def __init__(self, metrics: Metrics, operations: dict[str, tuple[str, str]]) -> None:
        self._metrics = metrics
        self._operations = operations
        self._tallies: dict[WebSocket, Tally] = {}

    def account(self, path: str, websocket: WebSocket) -> "Account":
        """Where the conversation on this websocket is counted and told."""
        return Account(self._tallies[websocket], path, self._metrics)

    def refused(self, refusal: Refusal) -> None:
        self._metrics.handshake_refused(_REASONS.get(refusal.fault, "head"))
        self._metrics.fault(refusal.fault.code)
        _log.info("connection refused", code=refusal.fault.code, status=refusal.status, reason=refusal.fault.sentence)

    def opened(self, path: str, websocket: WebSocket) -> None:
        self._tallies[websocket] = self._metrics.begin(*self._operations[path])

    def closed(self, path: str, websocket: WebSocket) -> None:
        tally = self._tallies.pop(websocket)
        ending = websocket.ending
        if ending is None:  # cancelled at the end of a drain
            self._metrics.end(tally, "cut", 1006, by_us=True)
            return
        by_us = ending.side == "server"
        outcome = "completed" if ending.code in (1000, 1001, 1005) else "lost" if ending.side == "network" else "failed"
        self._metrics.end(tally, outcome, ending.code, by_us=by_us)
        if ending.fault is not None:
            self._metrics.fault(ending.fault.code)
            _log.info("websocket refused", path=path, code=ending.fault.code, close_code=ending.code, reason=ending.reason)
        else:
            _log.debug("websocket closed", path=path, close_code=ending.code, side=ending.side, reason=ending.reason)

    def escaped(self, error: BaseException) -> None:
        self._metrics.fault(errors.INTERNAL.code)
        _log.error("a defect ended one connection", code=errors.INTERNAL.code, exc_info=error)


class Account:
    """One conversation's part of the figures and the log."""

    __slots__ = ("_metrics", "_path", "_told", "tally")

    def __init__(self, tally: Tally, path: str, metrics: Metrics) -> None:
        self.tally = tally
        self._path = path
        self._metrics = metrics
        self._told = 0

    def refused(self, refusal: MessageRefusal) -> None:
        """The conversation goes on, but one of its messages was refused."""
        fault = refusal.fault
        self._metrics.fault(fault.code)
        if fault.code.startswith("VS30"):
            self._metrics.template_refused(fault.code)
        self._told += 1
        if self._told > _TOLD_MAX:
            return
        if self._told == _TOLD_MAX:
            _log.info("further refusals of this connection are only counted", path=self._path)
        _log.info("message refused", path=self._path, code=fault.code, reason=fault.sentence, about=refusal.about, detail=refusal.detail)
