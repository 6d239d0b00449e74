"""The Twilio Media Streams dialect, of which we are the receiver: a call's audio comes, nothing but a Close goes.

                    start                      heard                      collected, stop
    AWAIT_START ─────────────► HOLDING ───────────────────► STREAMING ─────────────────────► CLOSED (1000)
       │ stop: 1000             │ └┘ media       │              └┘ media
       │                        │ stop           │ collected: 1000
       │                        ▼                ▼
       │                     STOPPED ─────────────────── heard: 1000, its audio is complete
       ▼                        │
    5 s: 1008                   └── 5 s after start (HOLDING too): 1008

    (any state) ── bad message, out of order: 1003, 1007, 1009; idle: 1008; refused: 1008; goodbye ──► CLOSED

"heard" means that a session asked for the call; until then its audio is held by whoever opened it, and `full`
tells when that is enough. connected, dtmf, mark and unknown events are skipped (twilio.md sections 4-6).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, auto
from typing import assert_never

from voicestream.errors import (
    CALL_BINARY,
    CALL_LARGE,
    CALL_ORDER,
    CALL_REFUSED,
    CALL_STALLED,
    CALL_UNKNOWN,
    INTERNAL,
    START_LATE,
    Fault,
    MisuseError,
    PeerError,
)
from voicestream.protocols.base import NEVER, Close, Goodbye, Incoming, Outgoing, Refusal, close_for, farewell
from voicestream.protocols.twilio_message import Message, read_message, read_start, whole
from voicestream.sessions.vocabulary import (
    Assessed,
    Audio,
    Call,
    CallRefused,
    CallState,
    EndpointState,
    Event,
    Failed,
    Finished,
    Opened,
    PoorQuality,
    Result,
    SummaryState,
    Verified,
)


class State(IntEnum):
    AWAIT_START = auto()
    HOLDING = auto()  # nobody has asked for the call yet
    STOPPED = auto()  # the same, and its audio is complete
    STREAMING = auto()
    CLOSED = auto()


class Input(IntEnum):
    START = auto()
    MEDIA = auto()
    STOP = auto()
    HEARD = auto()  # from the session
    COLLECTED = auto()


class Action(IntEnum):
    OPEN = auto()
    FEED = auto()
    FINISH = auto()  # the audio is complete
    NOTHING = auto()


# A row that is missing is a message out of order; a step into CLOSED says Close 1000.
TRANSITIONS: dict[tuple[State, Input], tuple[State, Action]] = {
    (State.AWAIT_START, Input.START): (State.HOLDING, Action.OPEN),
    (State.AWAIT_START, Input.STOP): (State.CLOSED, Action.NOTHING),
    (State.HOLDING, Input.MEDIA): (State.HOLDING, Action.FEED),
    (State.HOLDING, Input.STOP): (State.STOPPED, Action.FINISH),
    (State.HOLDING, Input.HEARD): (State.STREAMING, Action.NOTHING),
    (State.HOLDING, Input.COLLECTED): (State.CLOSED, Action.NOTHING),
    (State.STOPPED, Input.MEDIA): (State.STOPPED, Action.NOTHING),
    (State.STOPPED, Input.STOP): (State.STOPPED, Action.NOTHING),
    (State.STOPPED, Input.HEARD): (State.CLOSED, Action.NOTHING),
    (State.STOPPED, Input.COLLECTED): (State.CLOSED, Action.NOTHING),
    (State.STREAMING, Input.MEDIA): (State.STREAMING, Action.FEED),
    (State.STREAMING, Input.STOP): (State.CLOSED, Action.FINISH),
    (State.STREAMING, Input.HEARD): (State.STREAMING, Action.NOTHING),
    (State.STREAMING, Input.COLLECTED): (State.CLOSED, Action.NOTHING),
}

_INPUTS = {"start": Input.START, "media": Input.MEDIA, "stop": Input.STOP}
_CODES = {CALL_BINARY: 1003, CALL_LARGE: 1009}  # of refused messages; 1007 else


@dataclass(frozen=True, slots=True)
class Options:
    """What an operator may set about this dialect."""

    start_s: float = 5.0
    hold_s: float = 5.0  # both of time since start and of audio
    idle_s: float = 30.0


class Twilio:
    """One media stream. `gaps` counts jumps of sequenceNumber, for a metric: WebSocket keeps order, so nothing is repaired."""

    __slots__ = (
        "_call", "_heard_at", "_held_bytes", "_open", "_options", "_pending", "_sequence", "_state", "deadline", "gaps", "refusals",
    )  # fmt: skip

    def __init__(self, now: float, options: Options | None = None) -> None:
        self._options = options or Options()
        self._state = State.AWAIT_START
        self._call: Call | None = None
        self._open = False  # Opened was said, and Finished was not
        self._held_bytes = 0
        self._heard_at = now  # when audio came last
        self._sequence: int | None = None
        self._pending: list[Outgoing] = []
        self.gaps = 0
        self.deadline = now + self._options.start_s
        self.refusals: list[Refusal] = []

    @property
    def full(self) -> bool:
        """As much audio is held as may be: the loop reads no more until a reply or the deadline, and TCP slows the peer down."""
        if self._state is not State.HOLDING or self._call is None:
            return False
        bytes_per_sample = 2 if self._call.encoding == "pcm16" else 1
        return self._held_bytes >= self._options.hold_s * (self._call.rate_hz or 8000) * bytes_per_sample

    def receive(self, message: Incoming, now: float) -> Sequence[Event]:
        """Take one message: `start` opens the call, `media` of the caller is Audio, `stop` finishes it."""
        if self._state is State.CLOSED:
            return ()
        try:
            if isinstance(message, bytes):
                raise PeerError(CALL_BINARY)
            return self._take(read_message(message), now)
        except PeerError as error:
            return self._fail(error.fault, _CODES.get(error.fault, 1007), "message")

    def reply(self, result: Result) -> None:
        """Take what the session says about the call: only its end is told to the peer, as a Close."""
        if self._state is State.CLOSED:
            return
        match result:
            case CallState.HELD:
                pass
            case CallState.HEARD:
                self._step(Input.HEARD)
                if self._state is State.STREAMING:
                    self.deadline = self._heard_at + self._options.idle_s
            case CallState.COLLECTED:
                self._step(Input.COLLECTED)
            case CallRefused():
                self._refuse_end(result.fault, 1008, CALL_REFUSED)
            case Failed():
                self._refuse_end(result.fault, 1011 if result.fault is INTERNAL else 1007, result.fault)
            case EndpointState() | SummaryState() | Verified() | PoorQuality() | Assessed():
                raise MisuseError("a result that a call does not have")
            case _:
                assert_never(result)

    def tick(self, now: float) -> Sequence[Event]:
        """End a stream that did not start, that nobody asked for, or that fell silent."""
        if now < self.deadline:
            return ()
        faults = {State.AWAIT_START: START_LATE, State.STREAMING: CALL_STALLED}
        return self._fail(faults.get(self._state, CALL_UNKNOWN), 1008, "connection")

    def finish(self, goodbye: Goodbye) -> None:
        """End the stream from our side."""
        if self._state is not State.CLOSED:
            self._end(farewell(goodbye))

    def drain(self, room_bytes: int) -> list[Outgoing]:
        """The Close, once."""
        pending, self._pending = self._pending, []
        return pending

    def _take(self, message: Message, now: float) -> Sequence[Event]:
        self._count_gap(message)
        heard = _INPUTS.get(message.event)
        if heard is None:
            return ()
        media = message.media
        call = read_start(message.start) if heard is Input.START and message.start is not None else None
        match self._step(heard):
            case Action.OPEN:
                assert call is not None
                self._call, self._open = call, True
                self._heard_at = now
                self.deadline = now + self._options.hold_s
                return (Opened(call),)
            case Action.FEED:
                assert media is not None
                if not media.is_caller or not media.payload:
                    return ()
                self._heard_at = now
                if self._state is State.HOLDING:
                    self._held_bytes += len(media.payload)
                else:
                    self.deadline = now + self._options.idle_s
                return (Audio(media.payload),)
            case Action.FINISH:
                self._open = False
                return (Finished(),)
            case Action.NOTHING:
                return ()

    def _step(self, heard: Input) -> Action:
        """Follow the table. PeerError VS1704 where it has no row; into CLOSED with Close 1000."""
        row = TRANSITIONS.get((self._state, heard))
        if row is None:
            if heard in (Input.HEARD, Input.COLLECTED):
                raise MisuseError("a result before the call was opened")
            raise PeerError(CALL_ORDER)
        state, action = row
        if state is State.CLOSED:
            self._end(Close(1000))
        self._state = state
        return action

    def _count_gap(self, message: Message) -> None:
        sequence = whole(message.sequence_number)
        if sequence is not None:
            if self._sequence is not None and sequence != self._sequence + 1:
                self.gaps += 1
            self._sequence = sequence

    def _fail(self, fault: Fault, code: int, about: str) -> Sequence[Event]:
        was_open, self._open = self._open, False
        self.refusals.append(Refusal(fault, about))
        self._end(close_for(code, fault))
        return (Finished(fault),) if was_open else ()

    def _refuse_end(self, logged: Fault, code: int, told: Fault) -> None:
        self.refusals.append(Refusal(logged, "connection"))
        self._end(close_for(code, told))

    def _end(self, close: Close) -> None:
        self._pending.append(close)
        self._state = State.CLOSED
        self.deadline = NEVER
