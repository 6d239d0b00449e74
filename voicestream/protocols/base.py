"""The seam between a conversation loop and any dialect.

A dialect is synchronous: it is handed messages and the time, and keeps what it wants to say until it
is drained. It never raises for what a peer sends.

    receive(message, now) -> events        reply(result)             tick(now) at `deadline` -> events
    finish(goodbye)                        drain(room) -> messages to send, Close last
    refusals: for the log
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from voicestream.errors import DRAINING, INTERNAL, OVERLOADED, SESSION_LONG, Fault
from voicestream.sessions.vocabulary import Event, Result

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Close:
    """The last thing a dialect says: RFC 6455 close code and a fixed reason of at most 123 bytes."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something the peer sent that was refused, for the log and a metric; never holds the peer's own text."""

    fault: Fault
    about: str  # what was refused: the parameter's name, "audio", "message", "connection"
    detail: str = ""  # our own numbers


class Goodbye(Enum):
    """Why the server ends a conversation that the peer would have gone on with."""

    DRAIN = 1001
    SESSION_TIME = 1008
    OVERLOAD = 1013
    INTERNAL = 1011


_GOODBYE_FAULTS = {
    Goodbye.DRAIN: DRAINING,
    Goodbye.SESSION_TIME: SESSION_LONG,
    Goodbye.OVERLOAD: OVERLOADED,
    Goodbye.INTERNAL: INTERNAL,
}


def close_for(code: int, fault: Fault) -> Close:
    """The Close whose reason is the number and sentence of `fault`."""
    return Close(code, f"{fault.code} {fault.sentence}")


def farewell(goodbye: Goodbye) -> Close:
    """The Close that tells a peer of a machine why we end."""
    return close_for(goodbye.value, _GOODBYE_FAULTS[goodbye])


Incoming: TypeAlias = str | bytes  # a text or a binary message
Outgoing: TypeAlias = str | bytes | Close


class Dialect(Protocol):
    """How one peer spells things."""

    deadline: float  # when tick() wants to be called, in the unit of `now`; NEVER for not at all
    refusals: list[Refusal]  # what was refused since the loop last looked: it logs, counts and clears them

    @property
    def full(self) -> bool:
        """No more messages, please, until a reply or the deadline: TCP slows the peer down."""
        ...

    def receive(self, message: Incoming, now: float) -> Sequence[Event]: ...

    def reply(self, result: Result) -> None: ...

    def tick(self, now: float) -> Sequence[Event]: ...

    def finish(self, goodbye: Goodbye) -> None:
        """Say the last word now; or, with a `deadline` that is not NEVER, when the result has come that is waited for."""
        ...

    def drain(self, room_bytes: int) -> list[Outgoing]:
        """Messages in order, about `room_bytes` of them (at least one if any waits); nothing after a Close."""
        ...
