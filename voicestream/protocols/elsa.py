"""The ELSA dialect of free speech: a configuration, WAV packets, and a status for everything we say.

                 config            end_stream, endpoint, 30 s without audio, the plan's time
    AWAIT_CONFIG ──────► STREAMING ────────────────────────────────────────► SCORING ───► DONE
        │                  │  └┘ audio, 5 s without: paused                   │  └┘ all: ignored
        │ 10 s             │ a second config, a strange text                   │ success, failed, 120 s
        └── failed ────────┴───────────────────────────────────────────────────┴──► Close 1000

Every text of ours has a `status`; `failed` has a `reason`, `success` an `audio_link`: the official client reads them unguarded,
and starts its audio on the `processing` that has a `stream_id` (elsa.md section 2).
"""

from collections.abc import Callable, Sequence
from enum import IntEnum, auto
from typing import Any, Final, assert_never

import msgspec

from voicestream import errors
from voicestream.errors import ASSESSMENT_CONFIG, ASSESSMENT_IDLE, ASSESSMENT_LATE, Fault, MisuseError, PeerError
from voicestream.protocols.base import NEVER, Close, Goodbye, Incoming, Outgoing, Refusal
from voicestream.protocols.elsa_json import result_object
from voicestream.protocols.elsa_message import END, Config, new_stream_id, read_config, read_object
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

PATH: Final = "/api/v1/ws/score_audio_plus"
FINISHED: Final = "Finished receiving audio"

REASONS: Final[dict[Fault, str]] = {
    ASSESSMENT_CONFIG: "invalid_config",
    errors.ASSESSMENT_PLAN: "not_authorized_plan",
    errors.ASSESSMENT_SILENT: "no_audio",
    errors.NO_AUDIO: "no_audio",
    ASSESSMENT_IDLE: "timeout",
    ASSESSMENT_LATE: "timeout",
    errors.WORKER_SLOW: "timeout",
    errors.OVERLOADED: "busy",
    errors.ASSESSMENT_BUSY: "busy",
    errors.ASSESSMENT_OTHER_END: "busy",
    errors.AUDIO_LONG: "audio_too_long",
    errors.SESSION_LONG: "audio_too_long",
    errors.TOO_LONG_TO_ALIGN: "audio_too_long",
    **dict.fromkeys(
        (errors.ASSESSMENT_FORMAT, errors.UNREADABLE_AUDIO, errors.UNKNOWN_FORMAT, errors.NOT_FINITE, errors.RATE_UNSUPPORTED,
         errors.MANY_CHANNELS),
        "unsupported_format",
    ),
}  # fmt: skip
QUALITY: Final[dict[Recorded, str]] = {"noisy": "too_noisy", "clipped": "clipped", "quiet": "too_quiet", "no_speech": "no_speech"}


class State(IntEnum):
    AWAIT_CONFIG = auto()
    STREAMING = auto()
    SCORING = auto()  # no more audio is wanted
    DONE = auto()


class Input(IntEnum):
    CONFIG = auto()
    AUDIO = auto()
    END = auto()


class Action(IntEnum):
    OPEN = auto()
    FEED = auto()
    FINISH = auto()


# A row that is missing is a message out of order: failed. From SCORING on nothing is looked at.
TRANSITIONS: dict[tuple[State, Input], tuple[State, Action]] = {
    (State.AWAIT_CONFIG, Input.CONFIG): (State.STREAMING, Action.OPEN),
    (State.STREAMING, Input.AUDIO): (State.STREAMING, Action.FEED),
    (State.STREAMING, Input.END): (State.SCORING, Action.FINISH),
}


class Elsa:
    """One stream of free speech."""

    __slots__ = (
        "_config", "_finished_told", "_idle_at", "_now", "_options", "_pending", "_state", "_stream_id", "_until", "deadline", "refusals",
    )  # fmt: skip

    def __init__(self, now: float, options: Options | None = None, new_id: Callable[[], str] = new_stream_id) -> None:
        self._options = options or Options()
        self._state = State.AWAIT_CONFIG
        self._config: Config | None = None
        self._stream_id = new_id()
        self._now = now
        self._idle_at = self._until = NEVER  # audio is waited for: so long from the last, and in all
        self._finished_told = False
        self._pending: list[Outgoing] = []
        self.deadline = now + self._options.config_s
        self.refusals: list[Refusal] = []

    @property
    def full(self) -> bool:
        return False

    def receive(self, message: Incoming, now: float) -> Sequence[Event]:
        """Take one message: the configuration opens, binary is Audio, `ELSA:end_stream` finishes; what comes later is ignored."""
        self._now = now
        if self._state >= State.SCORING:
            return ()
        try:
            return self._take(message, now)
        except PeerError as error:
            was_open = self._state is State.STREAMING
            self._refuse(error.fault, "message")
            return (Finished(error.fault),) if was_open else ()

    def reply(self, result: Result) -> None:
        """Take what the session found: its last word ends the conversation."""
        if self._state is State.DONE:
            return
        match result:
            case EndpointState():
                if result.ended:
                    self._stop()
            case PoorQuality():
                self._say("bad_quality", reason=QUALITY.get(result.word, "no_speech"))
            case Assessed():
                self._succeed(result)
            case Failed():
                self._refuse(result.fault, "audio", result.detail)
            case SummaryState() | Verified() | CallState() | CallRefused():
                raise MisuseError("a result that an assessment does not have")
            case _:
                assert_never(result)

    def tick(self, now: float) -> Sequence[Event]:
        """End a stream in which nothing comes, or that takes too long; tell a verbose client of its pause."""
        self._now = now
        if now < self.deadline:
            return ()
        match self._state:
            case State.AWAIT_CONFIG:
                self._refuse(ASSESSMENT_IDLE, "connection")
            case State.STREAMING if now < self._idle_at:
                self._say("paused", stream_id=self._stream_id)
                self.deadline = self._idle_at
            case State.STREAMING:  # the session knows whether there is enough to be scored
                self._state, self.deadline = State.SCORING, now + self._options.scoring_s
                return (Finished(ASSESSMENT_IDLE),)
            case State.SCORING:
                self._refuse(ASSESSMENT_LATE, "connection")
                return (Finished(ASSESSMENT_LATE),)
        return ()

    def finish(self, goodbye: Goodbye) -> None:
        """End the stream from our side; one that is being scored when the server goes down has its result yet to come."""
        if self._state is State.DONE or (self._state is State.SCORING and goodbye is Goodbye.DRAIN):
            return
        self._say("failed", reason=REASONS.get(GOODBYES.get(goodbye, errors.INTERNAL), "server_error"))
        self._end(Close(1001 if goodbye is Goodbye.DRAIN else 1000))

    def drain(self, room_bytes: int) -> list[Outgoing]:
        """What waits: a handful of messages, of which one may hold a result; a Close comes last."""
        pending, self._pending = self._pending, []
        return pending

    def _take(self, message: Incoming, now: float) -> Sequence[Event]:
        fields: dict[str, Any] = {}
        if isinstance(message, bytes):
            heard = Input.AUDIO
        else:
            fields = read_object(message)
            heard = Input.END if fields.get("type") == END else Input.CONFIG
        row = TRANSITIONS.get((self._state, heard))
        if row is None:
            raise PeerError(ASSESSMENT_CONFIG)
        state, action = row
        match action:
            case Action.OPEN:
                self._config = config = read_config(fields, self._options.plans)
                self._state = state
                self._until = now + self._options.longest_s(config.service)
                self._hear(now)
                if config.verbose:
                    self._say("accepted", stream_id=self._stream_id)
                self._say("processing", stream_id=self._stream_id)
                return (Opened(config.service),)
            case Action.FEED:
                self._hear(now)
                assert isinstance(message, bytes)
                return (Audio(message),)
            case Action.FINISH:
                self._stop()
                return (Finished(),)

    def _hear(self, now: float) -> None:
        self._idle_at = min(now + self._options.idle_s, self._until)
        verbose = self._config is not None and self._config.verbose
        self.deadline = min(now + self._options.pause_s, self._idle_at) if verbose else self._idle_at

    def _stop(self) -> None:
        if self._state is not State.SCORING:
            self._state, self.deadline = State.SCORING, self._now + self._options.scoring_s
        if not self._finished_told:
            self._finished_told = True
            self._say("processing", message=FINISHED)

    def _succeed(self, result: Assessed) -> None:
        fields: dict[str, Any] = {"result_link": result.result_link, "audio_link": result.audio_link}
        return_json = self._config is not None and self._config.return_json
        if not return_json and not result.result_link:  # it could not be kept, and there is no other way to tell it
            self._refuse(errors.ASSESSMENT_STORE, "result")
            return
        if return_json:
            fields |= result_object(result.assessment)
        elif result.assessment.partial_error is not None:
            fields["partial_error"] = result.assessment.partial_error
        self._say("success", **fields)
        self._end(Close(1000))

    def _refuse(self, fault: Fault, about: str, detail: str = "") -> None:
        self.refusals.append(Refusal(fault, about, detail))
        self._say("failed", reason=REASONS.get(fault, "server_error"))
        self._end(Close(1000))

    def _say(self, status: str, **fields: object) -> None:
        self._pending.append(msgspec.json.encode({"status": status, **fields}).decode())

    def _end(self, close: Close) -> None:
        self._pending.append(close)
        self._state, self.deadline = State.DONE, NEVER
