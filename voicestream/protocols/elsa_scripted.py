"""The ELSA dialect of given sentences: typed messages, several streams one after the other on a connection.

                start             end_stream, endpoint          result, error
    AWAIT_START ─────► STREAMING ─────────────────────► SCORING ─────────────► READY ──► start ──► STREAMING
        │ 10 s: error     │  └┘ audio: audioACK            └┘ all: ignored       │ └┘ late audio: ignored
        ▼                 ▼ 30 s without audio, the plan's time                  ▼ 30 s
      Close 1000        scored if there is speech, else error                  Close 1000

An `ELSA:error` ends the stream and not the connection, unless there were too many; the official client answers it with a Close
of its own, whose code 100 no WebSocket knows (elsa.md section 3).
"""

from collections.abc import Callable, Sequence
from enum import IntEnum, auto
from typing import Any, Final, assert_never

import msgspec

from voicestream.errors import (
    ASSESSMENT_CONFIG,
    ASSESSMENT_IDLE,
    ASSESSMENT_LATE,
    ASSESSMENT_ORDER,
    INTERNAL,
    Fault,
    MisuseError,
    PeerError,
)
from voicestream.protocols.base import NEVER, Close, Goodbye, Incoming, Outgoing, Refusal
from voicestream.protocols.elsa_json import result_object
from voicestream.protocols.elsa_json_word import Json
from voicestream.protocols.elsa_message import END, START, new_stream_id, read_object, read_start
from voicestream.protocols.elsa_option import GOODBYES, Options
from voicestream.sessions.assessment_result import Recorded
from voicestream.sessions.vocabulary import (
    Assessed,
    Audio,
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

PATH: Final = "/api/v2/ws/score_audio"
ALIAS: Final = "/api/v2/connect"

_WARNINGS: Final[dict[Recorded, str]] = {
    "noisy": "The recording is noisy.", "clipped": "The recording is clipped.", "quiet": "The recording is too quiet.",
    "no_speech": "No speech was found in the recording.",
}  # fmt: skip
_UNKNOWN: Final = "A word of the sentence is in no dictionary: its sounds are guessed."
_MOST_ERRORS: Final = 16  # of one connection
_MOST_WAITING: Final = 1000  # messages that a peer has not read, beyond which packets are not acknowledged


class State(IntEnum):
    AWAIT_START = auto()
    STREAMING = auto()
    SCORING = auto()  # no more audio is wanted
    READY = auto()  # for another stream
    DONE = auto()


class Input(IntEnum):
    START = auto()
    AUDIO = auto()
    END = auto()


class Action(IntEnum):
    OPEN = auto()
    FEED = auto()
    FINISH = auto()
    NOTHING = auto()


# A row that is missing is a message out of order: an error. While SCORING nothing is looked at.
TRANSITIONS: dict[tuple[State, Input], tuple[State, Action]] = {
    (State.AWAIT_START, Input.START): (State.STREAMING, Action.OPEN),
    (State.STREAMING, Input.AUDIO): (State.STREAMING, Action.FEED),
    (State.STREAMING, Input.END): (State.SCORING, Action.FINISH),
    (State.READY, Input.START): (State.STREAMING, Action.OPEN),
    (State.READY, Input.AUDIO): (State.READY, Action.NOTHING),
    (State.READY, Input.END): (State.READY, Action.NOTHING),
}


class ElsaScripted:
    """Streams of given sentences, one at a time."""

    __slots__ = (
        "_errors", "_hints", "_leaving", "_new_id", "_now", "_options", "_packets", "_pending", "_state", "_until", "deadline", "refusals",
    )  # fmt: skip

    def __init__(self, now: float, options: Options | None = None, new_id: Callable[[], str] = new_stream_id) -> None:
        self._options = options or Options()
        self._new_id = new_id
        self._state = State.AWAIT_START
        self._hints = False
        self._packets = 0
        self._until = NEVER  # audio of this stream is waited for
        self._errors = 0
        self._leaving = False  # no stream may follow this one
        self._now = now
        self._pending: list[Outgoing] = []
        self.deadline = now + self._options.config_s
        self.refusals: list[Refusal] = []
        self._say("ELSA:wsConnect")

    @property
    def full(self) -> bool:
        return False

    def receive(self, message: Incoming, now: float) -> Sequence[Event]:
        """Take one message: a start opens, binary is Audio, an end finishes."""
        self._now = now
        if self._state in (State.SCORING, State.DONE):
            return ()
        try:
            return self._take(message)
        except PeerError as error:
            was_open = self._state is State.STREAMING
            self._refuse(error.fault, "message")
            return (Finished(error.fault),) if was_open else ()

    def reply(self, result: Result) -> None:
        """Take what the session found about the stream at hand."""
        if self._state not in (State.STREAMING, State.SCORING):
            return
        match result:
            case EndpointState():
                self._acknowledge(result.ended)
            case PoorQuality():
                self._say("ELSA:warning", message=_WARNINGS.get(result.word, _WARNINGS["no_speech"]))
            case Assessed():
                self._tell(result)
            case Failed():
                self._refuse(result.fault, "audio", result.detail)
            case SummaryState() | Verified() | CallState() | CallRefused():
                raise MisuseError("a result that an assessment does not have")
            case _:
                assert_never(result)

    def tick(self, now: float) -> Sequence[Event]:
        """End a stream in which nothing comes or that takes too long, and a connection that nobody uses."""
        self._now = now
        if now < self.deadline:
            return ()
        match self._state:
            case State.AWAIT_START:
                self._refuse(ASSESSMENT_IDLE, "connection")
                self._end(Close(1000))
            case State.STREAMING:  # the session knows whether there is enough to be scored
                self._state, self.deadline = State.SCORING, now + self._options.scoring_s
                return (Finished(ASSESSMENT_IDLE),)
            case State.SCORING:
                self._refuse(ASSESSMENT_LATE, "connection")
                return (Finished(ASSESSMENT_LATE),)
            case State.READY:
                self._end(Close(1000))
        return ()

    def finish(self, goodbye: Goodbye) -> None:
        """End the connection from our side; a stream that is being scored when the server goes down has its result yet to come."""
        if self._state is State.DONE:
            return
        if self._state is State.SCORING and goodbye is Goodbye.DRAIN:
            self._leaving = True
            return
        if self._state is not State.READY:
            self._say("ELSA:error", message=GOODBYES.get(goodbye, INTERNAL).sentence)
        self._end(Close(1001 if goodbye is Goodbye.DRAIN else 1000))

    def drain(self, room_bytes: int) -> list[Outgoing]:
        """What waits, a Close last."""
        pending, self._pending = self._pending, []
        return pending

    def _take(self, message: Incoming) -> Sequence[Event]:
        fields: dict[str, Any] = {}
        if isinstance(message, bytes):
            heard = Input.AUDIO
        else:
            fields = read_object(message)
            heard = _input(fields.get("type"))
        row = TRANSITIONS.get((self._state, heard))
        if row is None:
            raise PeerError(ASSESSMENT_ORDER)
        state, action = row
        match action:
            case Action.OPEN:
                service = read_start(fields, self._options.plans)
                self._state, self._hints, self._packets = state, service.hints, 0
                self._until = self._now + self._options.longest_s(service)
                self.deadline = min(self._now + self._options.idle_s, self._until)
                self._say("ELSA:start_stream_result", data={"stream_id": self._new_id()})
                return (Opened(service),)
            case Action.FEED:
                self.deadline = min(self._now + self._options.idle_s, self._until)
                assert isinstance(message, bytes)
                return (Audio(message),)
            case Action.FINISH:
                self._state, self.deadline = state, self._now + self._options.scoring_s
                return (Finished(),)
            case Action.NOTHING:
                return ()

    def _acknowledge(self, ended: bool) -> None:
        """A packet was heard; ended: no more are wanted."""
        if self._state is State.STREAMING:
            if len(self._pending) < _MOST_WAITING:
                self._say("ELSA:audioACK", data={"packet": self._packets})
            self._packets += 1
        if ended:
            self._state, self.deadline = State.SCORING, self._now + self._options.scoring_s
            self._say("ELSA:stopped_listening")

    def _tell(self, result: Assessed) -> None:
        links = {"result_link": result.result_link, "audio_link": result.audio_link}
        data: Json = {"stream_finished": True, **links, **result_object(result.assessment, hints=self._hints)}
        if result.assessment.unknown:
            self._say("ELSA:warning", message=_UNKNOWN)
        self._say("ELSA:decoding_result", data=data)
        self._say("ELSA:ready")
        self._rest()

    def _refuse(self, fault: Fault, about: str, detail: str = "") -> None:
        self.refusals.append(Refusal(fault, about, detail))
        self._say("ELSA:error", message=fault.sentence)
        self._errors += 1
        self._rest()

    def _rest(self) -> None:
        """A stream is over."""
        if self._leaving:
            self._end(Close(1001))
        elif self._errors >= _MOST_ERRORS:
            self._end(Close(1000))
        else:
            self._state, self.deadline = State.READY, self._now + self._options.idle_s

    def _say(self, kind: str, **fields: object) -> None:
        self._pending.append(msgspec.json.encode({"type": kind, **fields}).decode())

    def _end(self, close: Close) -> None:
        self._pending.append(close)
        self._state, self.deadline = State.DONE, NEVER


def _input(kind: object) -> Input:
    if kind == START:
        return Input.START
    if kind == END:
        return Input.END
    raise PeerError(ASSESSMENT_CONFIG)
