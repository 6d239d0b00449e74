"""What an Engine.IO session tells its application."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Ending(Enum):
    """Why a session ended, for the log; the number is the close code of its WebSocket."""

    CLIENT = ("client close", 1000)
    FORCED = ("forced close", 1000)
    TRANSPORT = ("transport close", 1000)
    PING_TIMEOUT = ("ping timeout", 1011)
    PARSE = ("parse error", 1002)
    HEARTBEAT = ("heartbeat direction", 1002)
    OVERLAP = ("request overlap", 1002)
    UNREAD = ("unread packets", 1013)


@dataclass(frozen=True, slots=True)
class Message:
    """The client sent text or bytes."""

    data: str | bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over: the last event."""

    ending: Ending


Event: TypeAlias = Message | Closed
