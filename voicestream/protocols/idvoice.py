"""The IDVoice WebSocket dialect: text parameters one by one, then audio, one answer to every message.

            "500", same again
                 ┌──┐                    the last one that may come
    upgrade ──► WANT ─┬───────────────────────────────────────────┐
          binary: 500 │ the last one that must come (verify only) ▼
                      ├──► READY ──────── window good ───────► COMPLETE ◄─┐ text: 500
                      │      │ │ window bad: 500                  │  └────┘
                      │      │ └──► WANT_WINDOW ─ good ──────────►│
                      │      │        └─┘ bad text, binary: 500   │
                      │      │ binary                             │ binary
                      │      └──────────► STREAMING ◄─────────────┘
                      │                    └──┘ binary: one result; text: 500
    (any state) ── goodbye, idle, too many unread answers ──► CLOSED

Binary before all parameters is thrown away; text after them changes nothing (idvoice.md sections 2, 4-6).
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from typing import Literal, assert_never

from voicestream.errors import BINARY_EARLY, IDLE, TEXT_LATE, UNREAD, Fault, MisuseError, PeerError
from voicestream.protocols.base import NEVER, Close, Goodbye, Incoming, Outgoing, Refusal, close_for
from voicestream.protocols.idvoice_json import FRAMES_KEPT, spaced, window_object
from voicestream.protocols.idvoice_parameter import context_s, duration_ms, rate_hz, window_s
from voicestream.protocols.summary_text import SummaryText
from voicestream.protocols.template_text import template_bytes
from voicestream.sessions.vocabulary import (
    Assessed,
    Audio,
    CallRefused,
    CallState,
    Encoding,
    Endpointing,
    EndpointState,
    Event,
    Failed,
    Opened,
    PoorQuality,
    Result,
    Service,
    Summary,
    SummaryState,
    Template,
    Verification,
    Verified,
)


class State(IntEnum):  # IntEnum: a plain Enum hashes in Python, and the table is asked for every message
    WANT = auto()  # parameters that must come
    READY = auto()  # verify: all that must came, a window may
    WANT_WINDOW = auto()  # verify: a bad window came, so a good one must
    COMPLETE = auto()
    STREAMING = auto()
    CLOSED = auto()


class Input(IntEnum):
    MORE = auto()  # a good parameter; others must follow
    ENOUGH = auto()  # a good parameter; one more may follow
    LAST = auto()  # a good parameter; none may follow
    REFUSED = auto()  # a bad text
    BINARY = auto()


class Action(IntEnum):
    ACCEPT = auto()  # "200"
    REFUSE = auto()  # "500"
    OPEN = auto()  # the session begins with this audio
    FEED = auto()


TRANSITIONS: dict[tuple[State, Input], tuple[State, Action]] = {
    (State.WANT, Input.MORE): (State.WANT, Action.ACCEPT),
    (State.WANT, Input.ENOUGH): (State.READY, Action.ACCEPT),
    (State.WANT, Input.LAST): (State.COMPLETE, Action.ACCEPT),
    (State.WANT, Input.REFUSED): (State.WANT, Action.REFUSE),
    (State.WANT, Input.BINARY): (State.WANT, Action.REFUSE),
    (State.READY, Input.LAST): (State.COMPLETE, Action.ACCEPT),
    (State.READY, Input.REFUSED): (State.WANT_WINDOW, Action.REFUSE),
    (State.READY, Input.BINARY): (State.STREAMING, Action.OPEN),
    (State.WANT_WINDOW, Input.LAST): (State.COMPLETE, Action.ACCEPT),
    (State.WANT_WINDOW, Input.REFUSED): (State.WANT_WINDOW, Action.REFUSE),
    (State.WANT_WINDOW, Input.BINARY): (State.WANT_WINDOW, Action.REFUSE),
    (State.COMPLETE, Input.REFUSED): (State.COMPLETE, Action.REFUSE),
    (State.COMPLETE, Input.BINARY): (State.STREAMING, Action.OPEN),
    (State.STREAMING, Input.REFUSED): (State.STREAMING, Action.REFUSE),
    (State.STREAMING, Input.BINARY): (State.STREAMING, Action.FEED),
}


class Parameter(Enum):
    """The text parameters, by the names the log uses."""

    MIN_SPEECH = "min_speech_ms"
    MAX_SILENCE = "max_silence_ms"
    RATE = "sample_rate"
    TEMPLATE = "template"
    CONTEXT = "context"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One WebSocket path: which parameters it wants in which order, and what its binary messages hold."""

    component: Literal["media", "verify"]
    parameters: tuple[Parameter, ...]
    optional: int = 0  # how many of the last parameters may be left out
    encoding: Encoding = "pcm16"


_ENDPOINTING = (Parameter.MIN_SPEECH, Parameter.MAX_SILENCE, Parameter.RATE)
_SUMMARY = (Parameter.RATE,)
_VERIFICATION = (Parameter.TEMPLATE, Parameter.RATE, Parameter.CONTEXT, Parameter.WINDOW)

ENDPOINTS: dict[str, Endpoint] = {
    "/speech_endpoint_detector": Endpoint("media", _ENDPOINTING),
    "/speech_endpoint_detector_opus": Endpoint("media", _ENDPOINTING, encoding="opus"),
    "/speech_summary_stream": Endpoint("media", _SUMMARY),
    "/speech_summary_stream_opus": Endpoint("media", _SUMMARY, encoding="opus"),
    "/voice_verify_stream": Endpoint("verify", _VERIFICATION, optional=1),
    "/voice_verify_stream_opus": Endpoint("verify", _VERIFICATION, optional=1, encoding="opus"),
    "/verify_stream": Endpoint("verify", _VERIFICATION, optional=1),  # its name until release 2.14
}


@dataclass(frozen=True, slots=True)
class Options:
    """What an operator may set about this dialect."""

    idle_s: float = 30.0
    pending_max: int = 100_000  # unread answers; clients that send a whole recording before they read are real
    frames_kept: int = FRAMES_KEPT
    hop_s: float = 1.0
    three_parameter_value: Literal["context", "window"] = "context"  # what the third verify parameter means alone


_GOODBYE = {
    Goodbye.DRAIN: "server is going down",
    Goodbye.SESSION_TIME: "session time is over",
    Goodbye.OVERLOAD: "server busy",
    Goodbye.INTERNAL: "internal error",
}


class IDVoice:
    """One conversation on one of the ENDPOINTS.

    `read_template` turns the bytes of a template into a Template of the active model or raises PeerError.
    """

    full = False  # whoever sends faster than we answer waits for the answers
    __slots__ = (
        "_context_s",
        "_endpoint",
        "_max_silence_ms",
        "_min_speech_ms",
        "_options",
        "_pending",
        "_rate_hz",
        "_read_template",
        "_state",
        "_summary_text",
        "_taken",
        "_template",
        "_window_s",
        "deadline",
        "refusals",
    )

    def __init__(self, endpoint: Endpoint, read_template: Callable[[bytes], Template], now: float, options: Options | None = None) -> None:
        self._endpoint = endpoint
        self._read_template = read_template
        self._options = options or Options()
        self._state = State.WANT
        self._taken = 0  # parameters accepted
        self._min_speech_ms = 0
        self._max_silence_ms = 0
        self._rate_hz = 0
        self._template: Template | None = None
        self._context_s = 0.0
        self._window_s: float | None = None
        self._pending: deque[str | SummaryState | Close] = deque()  # a summary is spelled when the socket takes it
        self._summary_text: SummaryText | None = None
        self.deadline = now + self._options.idle_s
        self.refusals: list[Refusal] = []

    def receive(self, message: Incoming, now: float) -> Sequence[Event]:
        """Take one message; Opened and the first Audio come together, because a window may come until then."""
        if self._state is State.CLOSED:
            return ()
        self.deadline = now + self._options.idle_s
        heard = self._read(message) if isinstance(message, str) else Input.BINARY
        self._state, action = TRANSITIONS[self._state, heard]
        match action:
            case Action.FEED:
                assert isinstance(message, bytes)
                return (Audio(message),)
            case Action.OPEN:
                assert isinstance(message, bytes)
                return (Opened(self._service()), Audio(message))
            case Action.ACCEPT:
                self._say("200")
            case Action.REFUSE:
                if heard is Input.BINARY:
                    self._refuse(BINARY_EARLY, "audio")
                self._say("500")
            case _:
                assert_never(action)
        return ()

    def reply(self, result: Result) -> None:
        """Queue the answer to one Audio."""
        if self._state is State.CLOSED:
            return
        match result:
            case EndpointState():
                self._say("true" if result.ended else "false")
            case SummaryState():
                self._say(result)
            case Verified():
                self._say(spaced([window_object(window) for window in result.windows]) if result.windows else "[]")
            case Failed():
                self._refuse(result.fault, "audio", result.detail)
                self._say("500")
            case CallState() | CallRefused() | PoorQuality() | Assessed():
                raise MisuseError("a result that an IDVoice stream does not have")
            case _:
                assert_never(result)

    def tick(self, now: float) -> Sequence[Event]:
        """End a conversation in which nothing came for `idle_s`."""
        if now >= self.deadline:
            self._close(1008, IDLE)
        return ()

    def finish(self, goodbye: Goodbye) -> None:
        """End the conversation after the answers that wait."""
        if self._state is not State.CLOSED:
            self._end(Close(goodbye.value, _GOODBYE[goodbye]))

    def drain(self, room_bytes: int) -> list[Outgoing]:
        """Give answers in order, about `room_bytes` of them, at least one if any waits; a Close comes last."""
        messages: list[Outgoing] = []
        pending = self._pending
        while pending and (room_bytes > 0 or not messages):
            answer = pending.popleft()
            match answer:
                case str():
                    messages.append(answer)
                    room_bytes -= len(answer)
                case SummaryState():
                    text = self._spell(answer)
                    messages.append(text)
                    room_bytes -= len(text)
                case Close():
                    messages.append(answer)
                case _:
                    assert_never(answer)
        return messages

    def _read(self, text: str) -> Input:
        """Take `text` as the next parameter."""
        parameters = self._endpoint.parameters
        if self._state is State.STREAMING or self._taken == len(parameters):
            self._refuse(TEXT_LATE, "message")
            return Input.REFUSED
        parameter = parameters[self._taken]
        try:
            self._set(parameter, text)
        except PeerError as error:
            self._refuse(error.fault, parameter.value, error.detail)
            return Input.REFUSED
        self._taken += 1
        missing = len(parameters) - self._taken
        if missing == 0:
            return Input.LAST
        return Input.ENOUGH if missing == self._endpoint.optional else Input.MORE

    def _set(self, parameter: Parameter, text: str) -> None:
        match parameter:
            case Parameter.MIN_SPEECH:
                self._min_speech_ms = duration_ms(text)
            case Parameter.MAX_SILENCE:
                self._max_silence_ms = duration_ms(text)
            case Parameter.RATE:
                self._rate_hz = rate_hz(text, self._endpoint.encoding)
            case Parameter.TEMPLATE:
                self._template = self._read_template(template_bytes(text))
            case Parameter.CONTEXT:
                self._context_s = context_s(text)
            case Parameter.WINDOW:
                self._window_s = window_s(text, self._context_s)
            case _:
                assert_never(parameter)

    def _service(self) -> Service:
        rate_hz, encoding = self._rate_hz, self._endpoint.encoding
        if self._template is not None:
            context_s, window_s = self._memory_s()
            return Verification(rate_hz, self._template, window_s, context_s, self._options.hop_s, encoding)
        if Parameter.MIN_SPEECH in self._endpoint.parameters:
            return Endpointing(rate_hz, self._min_speech_ms, self._max_silence_ms, encoding)
        return Summary(rate_hz, encoding)

    def _memory_s(self) -> tuple[float, float]:
        """Context and window: the value given alone is what is remembered, unless the operator says otherwise."""
        value = self._context_s
        if self._window_s is not None:
            return value, self._window_s
        if self._options.three_parameter_value == "window":
            return max(10.0, value), value
        return value, min(3.0, value)

    def _spell(self, state: SummaryState) -> str:
        if self._summary_text is None:
            self._summary_text = SummaryText(self._options.frames_kept)
        return self._summary_text.render(state)

    def _say(self, answer: str | SummaryState) -> None:
        if len(self._pending) >= self._options.pending_max:
            self._close(1013, UNREAD)
        else:
            self._pending.append(answer)

    def _refuse(self, fault: Fault, about: str, detail: str = "") -> None:
        self.refusals.append(Refusal(fault, about, detail))

    def _close(self, code: int, fault: Fault) -> None:
        self._refuse(fault, "connection")
        self._end(close_for(code, fault))

    def _end(self, close: Close) -> None:
        self._pending.append(close)
        self._state = State.CLOSED
        self.deadline = NEVER
