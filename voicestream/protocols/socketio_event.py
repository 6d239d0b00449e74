"""What a Socket.IO connection tells its application."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from voicestream.protocols.engineio_event import Ending
from voicestream.protocols.socketio_attachment import Value


@dataclass(frozen=True, slots=True)
class Connecting:
    """The client wants into a namespace that we have: answer with accept() or refuse()."""

    namespace: str
    auth: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Emitted:
    """The client emitted an event. `id`: it wants an acknowledge()."""

    namespace: str
    name: str | int | float
    arguments: Sequence[Value]
    id: int | None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The client acknowledged what emit() gave this id; comes once at most."""

    namespace: str
    id: int
    arguments: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Disconnected:
    """A namespace that was connecting or connected is left. `ending` None: by the client's own word, and the connection lives.

    `unanswered`: ids that will not be acknowledged any more.
    """

    namespace: str
    unanswered: tuple[int, ...]
    ending: Ending | None


@dataclass(frozen=True, slots=True)
class Ended:
    """The connection is over, after a Disconnected for each of its namespaces: the last event."""

    ending: Ending


Event: TypeAlias = Connecting | Emitted | Acknowledged | Disconnected | Ended
