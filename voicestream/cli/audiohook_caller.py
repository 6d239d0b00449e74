"""Genesys' side of an AudioHook 2 session, without a socket (audiohook.md sections 2, 5 and 6).

            opened              pause
    OPENING ──────► ACTIVE ◄─────────────► PAUSED        disconnect, hang_up, a mistake of the server's:
                       │        resume        │          close is sent
                       └──────────┬───────────┘
                               CLOSING ──closed, or 10 s──► OVER

A call goes on while it is paused: what is said meanwhile is lost, and `resumed` tells how much.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, ClassVar

from voicestream.cli.audiohook_handshake import MEDIA, Hook
from voicestream.cli.telephone_call import Ending, closed_with
from voicestream.cli.terminal import printable
from voicestream.protocols.base import NEVER

if TYPE_CHECKING:
    from trio_websocket import CloseReason

_OPENING_S, _CLOSING_S = 5.0, 10.0
_FIRST_PING_S, _PING_S = 1.0, 5.0
_TEXT_BYTES = 65_535
RATE_HZ = 8000
_SILENCE = 0xFF  # mu-law


class State(Enum):
    OPENING = auto()
    ACTIVE = auto()
    PAUSED = auto()
    CLOSING = auto()
    OVER = auto()


_LIVE = (State.ACTIVE, State.PAUSED)


class _Mistake(Exception):
    """The server broke the protocol: the code and sentence that `error` tells it."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


class AudioHookCaller:
    """One session with the customer's voice on the external channel. `ending` is set when it is over."""

    def __init__(self, hook: Hook, now: float) -> None:
        self.deadline = now + _OPENING_S
        self.ending: Ending | None = None
        self.state = State.OPENING
        self._hook = hook
        self._outbox: list[str | bytes] = []
        self._seq = self._server_seq = 0
        self._position = self._paused_at = self._unheard = 0  # samples of the call
        self._channels = 1
        self._enough, self._failure = False, ""
        self._ping_seq: int | None = None  # of the ping that has no pong yet
        self._pinged_at = 0.0
        self._rtt_s: float | None = None
        self._say("open", hook.opening())

    @property
    def is_open(self) -> bool:
        return self.state in _LIVE

    @property
    def is_paused(self) -> bool:
        return self.state is State.PAUSED

    def feed(self, mulaw: bytes) -> None:
        """Send a piece of the customer's speech; in a pause it is lost."""
        self._position += len(mulaw)
        if self.state is State.PAUSED:
            self._unheard += len(mulaw)
        if self.state is not State.ACTIVE:
            return
        frames = bytearray([_SILENCE]) * (len(mulaw) * self._channels)
        frames[:: self._channels] = mulaw  # the external one is the first of both
        self._outbox.append(bytes(frames))

    def hang_up(self, now: float) -> None:
        """The call is over."""
        if self.state in _LIVE:
            self._close("end", now)

    def receive(self, message: str | bytes, now: float) -> None:
        """Take one WebSocket message."""
        try:
            self._receive(message, now)
        except _Mistake as mistake:
            self._fail(mistake.code, mistake.sentence, now)

    def tick(self, now: float) -> None:
        """Ping, or lose patience."""
        if now < self.deadline:
            return
        match self.state:
            case State.OPENING:
                self._fail(408, "no answer to open within 5 s", now)
            case State.CLOSING:
                self._end(self._failure or "no answer to close within 10 s")
            case _ if self._ping_seq is not None:
                self._fail(408, "no pong within 5 s", now)
            case _:
                self._ping(now)

    def lost(self, reason: CloseReason | None) -> None:
        """The server closed, which is the client's part."""
        self._end(self._failure or closed_with(reason))

    def drain(self) -> Sequence[str | bytes]:
        """Messages to send, in order."""
        messages, self._outbox = self._outbox, []
        return messages

    # ---- what the server says --------------------------------------------------------------------

    def _receive(self, message: str | bytes, now: float) -> None:
        if isinstance(message, bytes):
            raise _Mistake(415, "binary from the server")
        if len(message.encode()) > _TEXT_BYTES:
            raise _Mistake(413, "over 64 KiB of text")
        try:
            told: dict[str, Any] = json.loads(message)
            kind, seq, client_seq, parameters = told["type"], told["seq"], told["clientseq"], told["parameters"]
            if told["version"] != "2" or told["id"] != self._hook.session or not isinstance(parameters, dict):
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise _Mistake(400, "not a message of AudioHook 2") from error
        if seq != self._server_seq + 1:
            raise _Mistake(500, "seq does not count on")
        self._server_seq = seq
        if type(client_seq) is not int or not 0 <= client_seq <= self._seq:
            raise _Mistake(400, "clientseq of a message not sent yet")
        handle = self._HANDLERS.get(kind) if isinstance(kind, str) else None
        if handle is None:
            raise _Mistake(400, "unknown type of message")
        if self.state is State.CLOSING and kind != "closed":
            return  # on its way before our close arrived
        handle(self, parameters, client_seq, now)

    def _opened(self, parameters: dict[str, Any], client_seq: int, now: float) -> None:
        if self.state is not State.OPENING:
            raise _Mistake(409, "opened twice")
        media = parameters.get("media")
        if not isinstance(media, list) or len(media) > 1 or any(one not in MEDIA for one in media):
            raise _Mistake(400, "media that were not offered")
        if not media or "external" not in media[0]["channels"]:
            self._failure = "the server takes no audio of this call"
            return self._close("error", now)
        self._channels = len(media[0]["channels"])
        self.state = State.PAUSED if parameters.get("startPaused") else State.ACTIVE
        self.deadline = now + _FIRST_PING_S

    def _pong(self, parameters: dict[str, Any], client_seq: int, now: float) -> None:
        if self._ping_seq is None:
            raise _Mistake(409, "pong without a ping")
        if client_seq != self._ping_seq:
            raise _Mistake(400, "pong of another ping")
        first, self._ping_seq, self._rtt_s = self._rtt_s is None, None, now - self._pinged_at
        if first:  # the second tells the round trip at once
            self._ping(now)

    def _pause(self, parameters: dict[str, Any], client_seq: int, now: float) -> None:
        if self.state is State.ACTIVE:
            self.state, self._paused_at = State.PAUSED, self._position
            self._say("paused", {})

    def _resume(self, parameters: dict[str, Any], client_seq: int, now: float) -> None:
        if self.state is State.PAUSED:
            self.state = State.ACTIVE
            lost = self._position - self._paused_at
            self._say("resumed", {"start": _duration(self._paused_at / RATE_HZ), "discarded": _duration(lost / RATE_HZ)})

    def _disconnect(self, parameters: dict[str, Any], client_seq: int, now: float) -> None:
        reason, info = parameters.get("reason"), parameters.get("info", "")
        if reason == "completed":
            self._enough = True
        else:
            self._failure = printable(f"the server disconnected the audio: {reason}" + (f", {info}" if info else ""))
        self._close("disconnect", now)

    def _closed(self, parameters: dict[str, Any], client_seq: int, now: float) -> None:
        if self.state is not State.CLOSING:
            raise _Mistake(409, "closed without a close")
        self._end(self._failure)

    def _ignored(self, parameters: dict[str, Any], client_seq: int, now: float) -> None:
        pass

    _HANDLERS: ClassVar[dict[str, Callable[[AudioHookCaller, dict[str, Any], int, float], None]]] = {
        "opened": _opened,
        "pong": _pong,
        "pause": _pause,
        "resume": _resume,
        "disconnect": _disconnect,
        "closed": _closed,
        "event": _ignored,
        "updated": _ignored,
        "reconnect": _ignored,
    }

    # ---- what we say -----------------------------------------------------------------------------

    def _ping(self, now: float) -> None:
        self._say("ping", {} if self._rtt_s is None else {"rtt": _duration(self._rtt_s)})
        self._ping_seq, self._pinged_at = self._seq, now
        self.deadline = now + _PING_S

    def _fail(self, code: int, sentence: str, now: float) -> None:
        self._failure = f"the server broke AudioHook: {sentence}"
        if self.state is State.CLOSING:
            return self._end(self._failure)
        self._say("error", {"code": code, "message": sentence})
        self._close("error", now)

    def _close(self, reason: str, now: float) -> None:
        self.state = State.CLOSING
        self.deadline = now + _CLOSING_S
        self._say("close", {"reason": reason})

    def _end(self, failure: str) -> None:
        self.state = State.OVER
        self.deadline = NEVER
        unheard_s = self._unheard / RATE_HZ
        self.ending = Ending(self._enough, "" if self._enough else failure, unheard_s)

    def _say(self, type: str, parameters: object) -> None:
        self._seq += 1
        message = {
            "version": "2",
            "id": self._hook.session,
            "type": type,
            "seq": self._seq,
            "serverseq": self._server_seq,
            "position": _duration(self._position / RATE_HZ),
            "parameters": parameters,
        }
        self._outbox.append(json.dumps(message, separators=(",", ":")))


def _duration(seconds: float) -> str:
    return f"PT{f'{seconds:.6f}'.rstrip('0').rstrip('.')}S"
