"""The Genesys AudioHook dialect (protocol version 2), of which we are the server: one JSON dialogue, and audio beside it.

Its states and their table are in audiohook_state.py; a session is heard about as a Call, of which only the customer speaks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

import msgspec

from voicestream import errors
from voicestream.errors import Fault, MisuseError, PeerError
from voicestream.protocols.audiohook_media import Selection, select
from voicestream.protocols.audiohook_message import (
    RATE_HZ,
    TEXTS,
    ClientError,
    CloseReason,
    Discarded,
    Envelope,
    Nothing,
    Open,
    Ping,
    Update,
    read_call_id,
    read_envelope,
    read_offers,
    read_parameters,
)
from voicestream.protocols.audiohook_state import DIALOGUE, OPENED, TRANSITIONS, Action, Input, State
from voicestream.protocols.base import NEVER, Close, Goodbye, Incoming, Outgoing, Refusal, close_for, farewell
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
    Gap,
    Opened,
    Paused,
    PoorQuality,
    Result,
    Resumed,
    SummaryState,
    Verified,
)

_SERVER_ERROR = {"reason": "error", "info": "Server error"}


@dataclass(frozen=True, slots=True)
class Options:
    """What an operator may set about this dialect."""

    open_s: float = 5.0
    hold_s: float = 5.0  # both of time since opened and of audio
    close_s: float = 10.0  # for `close` after disconnect, and for the end of TCP after closed
    idle_s: float = 30.0
    quiet_s: float = 2.0  # after opened, if no ping comes before
    in_flight_s: float = 1.0  # of audio after `paused`
    unknown_call: Literal["pause", "disconnect"] = "pause"  # when nobody asks for the call
    after_result: Literal["disconnect", "pause"] = "disconnect"


class AudioHook:
    """One AudioHook session. session_id, organization_id: of the upgrade's headers; authorized: whether its credentials were good."""

    full = False  # pings must be answered: what is too much is refused, not left unread

    def __init__(
        self, session_id: str, organization_id: str, now: float, options: Options | None = None, *, authorized: bool = True
    ) -> None:
        self._session_id = session_id
        self._organization_id = organization_id
        self._authorized = authorized
        self._options = options or Options()
        self._state = State.PREPARING
        self._now = now
        self._selection: Selection | None = None
        self._open = False  # Opened was said, and Finished was not
        self._heard = False  # somebody listens
        self._we_paused = False
        self._held_samples = 0
        self._bearable_samples = 0.0  # in PAUSED
        self._client_seq = 0
        self._server_seq = 0
        self._ponged = False
        self._unasked: list[tuple[str, dict[str, str]]] = []  # waits for the first pong
        self._pending: list[Outgoing] = []
        self._ends_at = now + self._options.open_s  # what ends there depends on the state
        self._hold_ends_at = NEVER
        self._quiet_ends_at = NEVER
        self.deadline = self._ends_at
        self.refusals: list[Refusal] = []

    @property
    def is_internal(self) -> bool:
        """Only the agent's channel was offered: for a metric."""
        return self._selection is not None and self._selection.is_internal

    def receive(self, message: Incoming, now: float) -> Sequence[Event]:
        """Take one message; `open`, `ping` and `close` are answered at once."""
        if self._state is State.GONE:
            return ()
        self._now = now
        if self._state in OPENED:
            self._ends_at = now + self._options.idle_s
        try:
            events = self._hear(message)
        except PeerError as error:
            events = self._mistake(error)
        self._set_alarm()
        return events

    def reply(self, result: Result) -> None:
        """Take what the session says about the call: the peer is told pause, resume or disconnect."""
        if self._state not in OPENED:
            return
        match result:
            case CallState.HELD:
                pass
            case CallState.HEARD:
                self._be_heard()
            case CallState.COLLECTED if self._options.after_result == "pause":
                self._pause()
            case CallState.COLLECTED:
                self._disconnect({"reason": "completed"})
            case CallRefused():
                self.refusals.append(Refusal(result.fault, "connection"))
                self._disconnect({"reason": "unauthorized"})
            case Failed():
                self.refusals.append(Refusal(result.fault, "audio", result.detail))
                self._disconnect(_SERVER_ERROR)
            case EndpointState() | SummaryState() | Verified() | PoorQuality() | Assessed():
                raise MisuseError("a result that a call does not have")
            case _:
                assert_never(result)
        self._set_alarm()

    def tick(self, now: float) -> Sequence[Event]:
        """Say what waited for a ping that did not come, pause a call that nobody asked for, end what is over."""
        self._now = now
        events: Sequence[Event] = ()
        if now >= self._quiet_ends_at:
            self._speak_up()
        if now >= self._hold_ends_at:
            events = self._give_up_holding()
        if now >= self._ends_at:
            events = (*events, *self._expire())
        self._set_alarm()
        return events

    def finish(self, goodbye: Goodbye) -> None:
        """End the connection from our side, without the peer's consent."""
        if self._state is State.GONE:
            return
        if self._state in DIALOGUE:
            self._say("disconnect", _SERVER_ERROR)
        self._go(farewell(goodbye))
        self._set_alarm()

    def drain(self, room_bytes: int) -> list[Outgoing]:
        """What waits, a few hundred bytes at most: one answer to a message, and a Close last."""
        pending, self._pending = self._pending, []
        return pending

    # ---- what the peer says -------------------------------------------------------------------------

    def _hear(self, message: Incoming) -> Sequence[Event]:
        if isinstance(message, bytes):
            return self._step(Input.BINARY, frames=message)
        envelope = read_envelope(message)
        if self._state not in DIALOGUE:
            if envelope.id == self._session_id and envelope.type == "close":
                self._client_seq = envelope.seq
                return self._step(Input.CLOSE)
            return ()
        self._check(envelope)
        parameters = read_parameters(envelope)
        match parameters:
            case Open():
                return self._hear_open(parameters) if self._state is State.PREPARING else ()
            case Ping():
                return self._step(Input.PING)
            case Discarded():
                return self._step(Input.RESUMED if envelope.type == "resumed" else Input.DISCARDED, gap=parameters.samples)
            case Nothing():
                return self._step(Input.PAUSED) if envelope.type == "paused" else ()
            case CloseReason():
                return self._step(Input.CLOSE)
            case ClientError():
                self.refusals.append(Refusal(errors.HOOK_CLIENT_ERROR, "message", f"code {parameters.code}"))
                return ()
            case Update():
                return ()
            case _:
                assert_never(parameters)

    def _check(self, envelope: Envelope) -> None:
        if envelope.seq != self._client_seq + 1:
            raise PeerError(errors.HOOK_SEQ)
        self._client_seq = envelope.seq
        if envelope.serverseq > self._server_seq:
            raise PeerError(errors.HOOK_SERVERSEQ)
        if envelope.id != self._session_id:
            raise PeerError(errors.HOOK_SESSION)

    def _hear_open(self, opening: Open) -> Sequence[Event]:
        offers, call_id = read_offers(opening), read_call_id(opening)
        if not self._authorized or opening.organization_id.lower() != self._organization_id.lower():
            self.refusals.append(Refusal(errors.HOOK_FOREIGN, "open"))
            return self._step(Input.FOREIGN_OPEN)
        selection = self._selection = None if opening.is_probe else select(offers)
        parameters: dict[str, object] = {"media": [selection.offer.raw] if selection else [], "startPaused": False}
        if opening.supported_languages:
            parameters["supportedLanguages"] = []
        self._say("opened", parameters)
        if selection is None:
            return self._step(Input.SILENT_OPEN)
        return self._step(Input.OPEN, call=Call(call_id, RATE_HZ, selection.encoding, opening.organization_id))

    def _step(self, heard: Input, frames: bytes = b"", gap: int = 0, call: Call | None = None) -> Sequence[Event]:
        """Follow the table."""
        before = self._state
        row = TRANSITIONS.get((before, heard))
        if row is None:
            return ()
        self._state, action = row
        match action:
            case Action.OPEN | Action.ANSWER:
                self._ends_at = self._now + self._options.idle_s
                self._quiet_ends_at = self._now + self._options.quiet_s
                if call is None:
                    return ()
                self._open = True
                self._begin_holding()
                return (Opened(call),)
            case Action.DENY:
                self._say("disconnect", {"reason": "unauthorized"})
                self._ends_at = self._now + self._options.close_s
            case Action.PONG:
                self._say("pong", {})
                self._ponged = True
                self._speak_up()
            case Action.GAP:
                return self._gap(gap)
            case Action.PAUSE:
                self._hold_ends_at = NEVER
                self._bearable_samples = self._options.in_flight_s * RATE_HZ
                return (Paused(),) if before is not State.PAUSED and self._open else ()
            case Action.RESUME:
                if self._selection is not None and not self._open:  # a disconnect waits to be said
                    self._state = State.PAUSED
                elif self._heard or self._selection is None:
                    self._state = State.ACTIVE
                else:
                    self._begin_holding()
                return (*self._gap(gap), Resumed()) if self._open else ()
            case Action.FEED:
                return self._feed(frames)
            case Action.DISCARD:
                self._discard(frames)
            case Action.REFUSE:
                raise PeerError(errors.HOOK_AUDIO_STATE)
            case Action.CLOSE:
                self._say("closed", {})
                self._hold_ends_at = self._quiet_ends_at = NEVER
                self._ends_at = self._now + self._options.close_s
                return self._finished()
            case _:
                assert_never(action)
        return ()

    # ---- audio --------------------------------------------------------------------------------------

    def _feed(self, frames: bytes) -> Sequence[Event]:
        selection = self._selected()
        audio = selection.mono(frames)
        if self._state is State.HOLDING:
            self._held_samples += len(audio) // selection.bytes_per_sample
            if self._held_samples > self._options.hold_s * RATE_HZ:
                return self._give_up_holding()
        return (Audio(audio),) if audio else ()

    def _discard(self, frames: bytes) -> None:
        selection = self._selected()
        self._bearable_samples -= len(selection.mono(frames)) // selection.bytes_per_sample
        if self._bearable_samples < 0:
            raise PeerError(errors.HOOK_AUDIO_STATE)

    def _selected(self) -> Selection:
        if self._selection is None:
            raise PeerError(errors.HOOK_NO_MEDIA)
        return self._selection

    def _gap(self, samples: int) -> Sequence[Event]:
        return (Gap(samples),) if samples and self._open else ()

    def _finished(self, fault: Fault | None = None) -> Sequence[Event]:
        was_open, self._open = self._open, False
        return (Finished(fault),) if was_open else ()

    # ---- holding, pausing, ending -------------------------------------------------------------------

    def _begin_holding(self) -> None:
        self._held_samples = 0
        self._hold_ends_at = self._now + self._options.hold_s

    def _give_up_holding(self) -> Sequence[Event]:
        if self._options.unknown_call == "pause":
            self._pause()
            return (Paused(forget=True),)
        self.refusals.append(Refusal(errors.CALL_UNKNOWN, "connection"))
        events = self._finished(errors.CALL_UNKNOWN)
        self._disconnect({"reason": "error", "info": errors.CALL_UNKNOWN.sentence})
        return events

    def _be_heard(self) -> None:
        self._heard = True
        self._hold_ends_at = NEVER
        if self._state is State.HOLDING:
            self._state = State.ACTIVE
        elif self._we_paused:
            self._we_paused = False
            self._volunteer("resume", {})

    def _pause(self) -> None:
        """Ask the peer to pause until somebody listens; what is still under way is thrown away."""
        self._state = State.PAUSED
        self._heard, self._we_paused = False, True
        self._hold_ends_at = NEVER
        self._bearable_samples = float("inf")  # until it says `paused`
        self._volunteer("pause", {})

    def _disconnect(self, parameters: dict[str, str]) -> None:
        self._state, self._open = State.PAUSED, False  # until it is said
        self._bearable_samples = float("inf")
        self._hold_ends_at = NEVER
        self._volunteer("disconnect", parameters)

    def _mistake(self, error: PeerError) -> Sequence[Event]:
        if self._state not in DIALOGUE:
            return ()
        self.refusals.append(Refusal(error.fault, "message", error.detail))
        name = self._state.name if error.fault is errors.HOOK_AUDIO_STATE else ""
        self._signal({"reason": "error", "info": f"Client Error: {TEXTS[error.fault]}{name}"})
        return self._finished(error.fault)

    def _expire(self) -> Sequence[Event]:
        if self._state is State.CLOSED:
            self._go(Close(1000))
            return ()
        faults = {State.PREPARING: errors.START_LATE, State.SIGNALED: errors.HOOK_CLOSE_LATE, State.UNAUTHORIZED: errors.HOOK_CLOSE_LATE}
        fault = faults.get(self._state, errors.CALL_STALLED)
        self.refusals.append(Refusal(fault, "connection"))
        self._go(close_for(1001 if fault is errors.CALL_STALLED else 1000, fault))
        return self._finished(fault)

    # ---- saying -------------------------------------------------------------------------------------

    def _volunteer(self, kind: str, parameters: dict[str, str]) -> None:
        """Say what nobody asked for, but not before the first pong."""
        self._unasked.append((kind, parameters))
        if self._ponged:
            self._speak_up()

    def _speak_up(self) -> None:
        self._quiet_ends_at = NEVER
        self._ponged = True
        unasked, self._unasked = self._unasked, []
        for kind, parameters in unasked:
            if kind == "disconnect":
                self._signal(parameters)
                return
            self._say(kind, parameters)

    def _signal(self, parameters: dict[str, str]) -> None:
        self._say("disconnect", parameters)
        self._state = State.UNAUTHORIZED if parameters["reason"] == "unauthorized" else State.SIGNALED
        self._hold_ends_at = self._quiet_ends_at = NEVER
        self._ends_at = self._now + self._options.close_s

    def _say(self, kind: str, parameters: dict[str, object] | dict[str, str]) -> None:
        self._server_seq += 1
        message = {"version": "2", "id": self._session_id, "type": kind, "seq": self._server_seq, "clientseq": self._client_seq}
        self._pending.append(msgspec.json.encode({**message, "parameters": parameters}).decode())

    def _go(self, close: Close) -> None:
        self._pending.append(close)
        self._state = State.GONE
        self._ends_at = self._hold_ends_at = self._quiet_ends_at = NEVER

    def _set_alarm(self) -> None:
        self.deadline = min(self._ends_at, self._hold_ends_at, self._quiet_ends_at)
