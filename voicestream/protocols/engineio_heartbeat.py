"""The heartbeat of Engine.IO 4: the server pings, the client pongs.

    QUIET ── interval ──► AWAITING ── timeout ──► dead
      ▲                     │  └─┘ first other packet: timeout anew, once per ping
      └──────── pong ───────┘

The next ping comes one interval after the pong, not on a fixed raster (socketio.md section 4).
"""

from enum import Enum, auto


class Beat(Enum):
    PING = auto()  # a ping is due
    DEAD = auto()  # the pong did not come


class Heartbeat:
    """One deadline: the next ping, or the end of the wait for a pong."""

    __slots__ = ("_awaiting", "_interval_s", "_renewable", "_timeout_s", "deadline")

    def __init__(self, interval_s: float, timeout_s: float, now: float) -> None:
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._awaiting = False
        self._renewable = False
        self.deadline = now + interval_s

    def beat(self, now: float) -> Beat | None:
        """Say what is due at `now`, once.

        The wait for the pong is counted from when the ping was due, for a client counts from there too; a
        process that stood still leaves at least half of it.
        """
        if now < self.deadline:
            return None
        if self._awaiting:
            return Beat.DEAD
        self._awaiting = self._renewable = True
        self.deadline = max(self.deadline + self._timeout_s, now + self._timeout_s / 2)
        return Beat.PING

    def pong(self, now: float) -> None:
        """The client answered."""
        self._awaiting = self._renewable = False
        self.deadline = now + self._interval_s

    def other(self, now: float) -> None:
        """The client sent something else: it lives, so its pong may take longer, once."""
        if self._renewable:
            self._renewable = False
            self.deadline = now + self._timeout_s
