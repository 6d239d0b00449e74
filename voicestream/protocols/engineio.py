"""One Engine.IO 4 session: polling, WebSocket, the way from one to the other. No I/O.

    HTTP driver, one per request                     WebSocket driver, one per socket
      judge(request, …) -> Answer or None              judge(request, …), then 101
      poll(now) -> Poll; its .answer may come later    attach(now) -> Socket
      begin_post(…), read, end_post(body) -> Answer    receive(socket, message, now)
      client gone: lose_poll, lose_post                drain(socket, room) -> messages, Close last; lose_socket
                         └───────────► EngineIO ◄──────────┘
      application: send(data…), finish(now) ──► │ ──► events() -> Message…, Closed last
      timer: tick(now) at `deadline`

After each call anything may be due: the driver that called takes events(), and each driver looks at its own
side (Poll.answer, drain, `deadline`). Drivers share one task group and no locks.

The states are drawn in `engineio_state` (socketio.md sections 2 to 6).
"""

from collections import deque
from dataclasses import dataclass
from typing import assert_never

import msgspec

from voicestream.errors import (
    ENGINE_BODY_LARGE,
    ENGINE_CONTENT,
    ENGINE_HEARTBEAT,
    ENGINE_OVERLAP,
    ENGINE_SILENT,
    UNREAD,
    Fault,
    PeerError,
)
from voicestream.protocols.base import NEVER, Close, Goodbye, Incoming, Outgoing, Refusal
from voicestream.protocols.engineio_event import Closed, Ending, Event, Message
from voicestream.protocols.engineio_heartbeat import Beat, Heartbeat
from voicestream.protocols.engineio_outbox import Outbox
from voicestream.protocols.engineio_packet import Packet, PacketType, decode_packet, decode_payload
from voicestream.protocols.engineio_request import (
    ACCEPTED,
    BAD_REQUEST,
    OVERLAP,
    TOO_LARGE,
    UNKNOWN_SID,
    Answer,
    Poll,
    Transport,
    payload_answer,
)
from voicestream.protocols.engineio_state import TRANSITIONS, Action, Input, State

_ON_WEBSOCKET = (State.OPENING, State.WEBSOCKET)


class Socket:
    """A WebSocket of a session, or one that was refused: what is said on it alone, Close last."""

    __slots__ = ("said",)

    def __init__(self, *said: Outgoing) -> None:
        self.said: deque[Outgoing] = deque(said)


@dataclass(frozen=True, slots=True)
class Options:
    """What an operator may set about Engine.IO."""

    ping_interval_s: float = 25.0
    ping_timeout_s: float = 20.0
    max_payload: int = 1_000_000  # bytes of a POST, of an answer to a GET and of a WebSocket message
    upgrade_timeout_s: float = 10.0
    noop_s: float = 0.1  # how often a GET is answered "6" while an upgrade goes on
    close_timeout_s: float = 30.0  # how long a last GET is waited for
    packets_per_post: int = 64
    outbox_packets: int = 32  # beyond it droppable messages are dropped
    outbox_bytes: int = 2_000_000


class EngineIO:
    """One session. `sid`: unguessable, at least 96 random bits, URL-safe; `transport`: where its handshake came."""

    __slots__ = (
        "_candidate", "_close", "_events", "_heartbeat", "_linger_at", "_noop_at", "_options", "_outbox", "_poll", "_posting", "_socket",
        "_state", "_upgrade_at", "refusals", "sid",
    )  # fmt: skip

    def __init__(self, sid: str, transport: Transport, now: float, options: Options | None = None) -> None:
        self.sid = sid
        self._options = options = options or Options()
        self._state = State.POLLING if transport == "polling" else State.OPENING
        self._heartbeat = Heartbeat(options.ping_interval_s, options.ping_timeout_s, now)
        self._outbox = Outbox(options.outbox_packets, options.outbox_bytes)
        self._events: list[Event] = []
        self._poll: Poll | None = None  # that is held
        self._posting = False
        self._socket: Socket | None = None
        self._candidate: Socket | None = None  # the new socket of an upgrade
        self._close: Close | None = None  # what finish() said
        self._upgrade_at = self._noop_at = self._linger_at = NEVER
        self.refusals: list[Refusal] = []
        handshake = {
            "sid": sid,
            "upgrades": ["websocket"] if transport == "polling" else [],
            "pingInterval": round(options.ping_interval_s * 1000),
            "pingTimeout": round(options.ping_timeout_s * 1000),
            "maxPayload": options.max_payload,
        }
        self._outbox.put(Packet(PacketType.OPEN, msgspec.json.encode(handshake).decode()))

    @property
    def transport(self) -> Transport | None:
        """For `judge`: None once the session is closed."""
        if self._state is State.CLOSED:
            return None
        return "websocket" if self._state in _ON_WEBSOCKET else "polling"

    @property
    def max_payload(self) -> int:
        """Bytes of a POST: a driver reads one more at most, to know that it is larger."""
        return self._options.max_payload

    @property
    def deadline(self) -> float:
        """When tick() wants to be called, in the unit of `now`; NEVER once the session is closed."""
        if self._state is State.CLOSED:
            return NEVER
        beat_at = self._linger_at if self._state is State.CLOSING else self._heartbeat.deadline
        return min(beat_at, self._upgrade_at, self._noop_at if self._poll is not None else NEVER)

    def events(self) -> list[Event]:
        """Take what happened since the last call, in order; nothing after Closed."""
        events, self._events = self._events, []
        return events

    # ---- the HTTP side ------------------------------------------------------------------------

    def poll(self, now: float) -> Poll:
        """A GET, the handshake's too; held until something is due. A second one ends the session."""
        self.tick(now)
        if self._state is State.CLOSED:
            return Poll(UNKNOWN_SID)
        if self._state in _ON_WEBSOCKET:
            return Poll(BAD_REQUEST)
        if self._poll is not None:
            self._fail(ENGINE_OVERLAP, "GET", Ending.OVERLAP)
            return Poll(OVERLAP)
        self._poll = poll = Poll()
        self._flush()
        self._noop(now)
        return poll

    def lose_poll(self, poll: Poll, now: float) -> None:
        """The client of a GET is gone; that of an answered one may."""
        self.tick(now)
        if poll is self._poll:
            self._poll = None
            self._end(Ending.TRANSPORT)

    def begin_post(self, content_type: str, length: int | None, now: float) -> Answer | None:
        """The head of a POST: the refusal that is due, or None: then read the body. `length`: Content-Length, where there is one.

        A client that closes sends its "1" and a GET together and wants the GET answered: let the loop have a turn (2 ms) before
        end_post, because a loop that serves its tasks in random order would else let the POST overtake.
        """
        self.tick(now)
        if self._state is State.CLOSED:
            return UNKNOWN_SID
        if self._state in _ON_WEBSOCKET:
            return BAD_REQUEST
        if self._posting:
            self._fail(ENGINE_OVERLAP, "POST", Ending.OVERLAP)
            return OVERLAP
        if content_type.partition(";")[0].strip().lower() == "application/octet-stream":
            self._fail(ENGINE_CONTENT, "POST", Ending.PARSE)
            return BAD_REQUEST
        if length is not None and length > self.max_payload:
            return self._too_large()
        self._posting = True
        return None

    def end_post(self, body: bytes, now: float) -> Answer:
        """The body of a POST, or its first `max_payload` + 1 bytes."""
        self._posting = False
        self.tick(now)
        if self._state is State.CLOSED:
            return UNKNOWN_SID
        if self._state in _ON_WEBSOCKET:
            return BAD_REQUEST
        if len(body) > self.max_payload:
            return self._too_large()
        try:
            for packet in decode_payload(body, self._options.packets_per_post):
                self._take(packet, now)
        except PeerError as error:
            self._fail(error.fault, "POST", Ending.PARSE, error.detail)
            return BAD_REQUEST
        return ACCEPTED

    def lose_post(self, now: float) -> None:
        """The client went away in the middle of a body."""
        self._posting = False
        self.tick(now)
        if self._state not in _ON_WEBSOCKET:
            self._end(Ending.TRANSPORT)

    # ---- the WebSocket side -------------------------------------------------------------------

    def attach(self, now: float) -> Socket:
        """A WebSocket was accepted: the session's own, the new one of an upgrade, or one that is closed at once."""
        self.tick(now)
        match self._step(Input.ATTACH):
            case Action.ADOPT:
                self._socket = socket = Socket()
            case Action.JOIN:
                self._candidate = socket = Socket()
                self._upgrade_at = now + self._options.upgrade_timeout_s
            case _:
                socket = Socket(Close(1000))
        return socket

    def receive(self, socket: Socket, message: Incoming, now: float) -> None:
        """One message of a WebSocket."""
        self.tick(now)
        if socket is self._socket:
            try:
                self._take(decode_packet(message), now)
            except PeerError as error:
                self._fail(error.fault, "message", Ending.PARSE, error.detail)
        elif socket is self._candidate:
            self._candidate_said(message, now)

    def lose_socket(self, socket: Socket, now: float) -> None:
        """A WebSocket has ended, from either side."""
        self.tick(now)
        if socket is self._socket:
            self._end(Ending.TRANSPORT)
        elif socket is self._candidate:
            self._drop_candidate()

    def drain(self, socket: Socket, room_bytes: int) -> list[Outgoing]:
        """Messages in order, about `room_bytes` of them (at least one if any waits); nothing after a Close."""
        messages: list[Outgoing] = []
        while socket.said and (room_bytes > 0 or not messages):
            said = socket.said.popleft()
            messages.append(said)
            room_bytes -= 0 if isinstance(said, Close) else len(said)
        if socket is self._socket:
            messages += self._outbox.frames(max(room_bytes, 0 if messages else 1))
        return messages

    # ---- the application's side ---------------------------------------------------------------

    def send(self, *messages: str | bytes, droppable: bool = False) -> None:
        """Send messages, one after the other. A droppable one may get lost when the client reads too slowly."""
        if self._state in (State.CLOSING, State.CLOSED):
            return
        for data in messages:
            self._outbox.put(Packet(PacketType.MESSAGE, data), droppable)
        self._flush()
        if self._outbox.full:
            self._fail(UNREAD, "connection", Ending.UNREAD)

    def finish(self, now: float, goodbye: Goodbye | None = None) -> None:
        """End the session after what waits."""
        if self._close is None:
            self._close = Close(1000) if goodbye is None else Close(goodbye.value)
        match self._step(Input.FINISH):
            case Action.LINGER:
                self._linger_at = now + self._options.close_timeout_s
                self._noop_at = NEVER
                self._flush()
            case Action.END:
                self._shut(Ending.FORCED)

    def tick(self, now: float) -> None:
        """Do what is due by `now`."""
        if now < self.deadline:
            return
        if self._state is State.CLOSING:
            if now >= self._linger_at:
                self._end(Ending.FORCED)
                return
        else:
            match self._heartbeat.beat(now):
                case Beat.PING:
                    self._outbox.put(Packet(PacketType.PING))
                    self._flush()
                case Beat.DEAD:
                    self._fail(ENGINE_SILENT, "connection", Ending.PING_TIMEOUT)
                    return
        if now >= self._upgrade_at:
            self._drop_candidate()
        self._noop(now)

    # ---- inside -------------------------------------------------------------------------------

    def _take(self, packet: Packet, now: float) -> None:
        """One packet of the transport in use."""
        if self._state is State.CLOSED or (self._state is State.CLOSING and packet.type is not PacketType.CLOSE):
            return
        if packet.type is not PacketType.PONG:
            self._heartbeat.other(now)
        match packet.type:
            case PacketType.MESSAGE:
                self._events.append(Message(packet.data))
            case PacketType.PONG:
                self._heartbeat.pong(now)
            case PacketType.PING:
                self._fail(ENGINE_HEARTBEAT, "message", Ending.HEARTBEAT)
            case PacketType.CLOSE:
                self._end(Ending.CLIENT)
            case PacketType.OPEN | PacketType.UPGRADE | PacketType.NOOP:
                pass  # as the reference does
            case _:
                assert_never(packet.type)

    def _candidate_said(self, message: Incoming, now: float) -> None:
        """One message of the new socket."""
        assert self._candidate is not None
        heard = {"2probe": Input.PROBE, "5": Input.UPGRADE}.get(message, Input.STRAY) if isinstance(message, str) else Input.STRAY
        if heard is Input.STRAY:
            self._drop_candidate()
            return
        if self._step(heard) is Action.PONG:
            self._candidate.said.append("3probe")
            if self._noop_at == NEVER:
                self._noop_at = now + self._options.noop_s
            return
        self._socket, self._candidate = self._candidate, None
        self._upgrade_at = self._noop_at = NEVER
        self._heartbeat.other(now)
        if self._poll is not None:
            self._answer(b"6")
        if self._state is State.CLOSED:
            self._shut(Ending.FORCED)

    def _drop_candidate(self) -> None:
        assert self._candidate is not None
        self._step(Input.STRAY)
        self._candidate.said.append(Close(1000))
        self._candidate = None
        self._upgrade_at = self._noop_at = NEVER
        self._flush()

    def _flush(self) -> None:
        """Answer the GET that is held, if something for it waits."""
        if self._poll is None:
            return
        if self._state in (State.POLLING, State.PROBING) and self._outbox:
            self._answer(self._outbox.payload(self.max_payload))
        elif self._state is State.CLOSING:
            payload = self._outbox.payload(self.max_payload)
            if self._outbox:
                self._answer(payload)
            else:
                self._answer(payload + b"\x1e1" if payload else b"1")
                self._end(Ending.FORCED)

    def _noop(self, now: float) -> None:
        if self._poll is not None and now >= self._noop_at:
            self._answer(b"6")
            self._noop_at = now + self._options.noop_s

    def _answer(self, payload: bytes) -> None:
        assert self._poll is not None
        self._poll.answer = payload_answer(payload)
        self._poll = None

    def _too_large(self) -> Answer:
        self.refusals.append(Refusal(ENGINE_BODY_LARGE, "POST", f"over {self.max_payload} bytes"))
        return TOO_LARGE

    def _fail(self, fault: Fault, about: str, ending: Ending, detail: str = "") -> None:
        self.refusals.append(Refusal(fault, about, detail))
        self._end(ending)

    def _end(self, ending: Ending) -> None:
        if self._step(Input.END) is Action.END:
            self._shut(ending)

    def _step(self, heard: Input) -> Action:
        self._state, action = TRANSITIONS[self._state, heard]
        return action

    def _shut(self, ending: Ending) -> None:
        """Say the last words, on a WebSocket after what waits, unless nobody reads it."""
        if self._poll is not None:
            self._answer(b"6" if ending is Ending.CLIENT else b"1")
        if self._socket is not None:
            if ending is not Ending.UNREAD:
                self._socket.said += self._outbox.frames(self._options.outbox_bytes)
            self._socket.said.append(self._close or Close(ending.value[1]))
        if self._candidate is not None:
            self._candidate.said.append(Close(1000))
        self._outbox.clear()
        self._socket = self._candidate = None
        self._events.append(Closed(ending))
