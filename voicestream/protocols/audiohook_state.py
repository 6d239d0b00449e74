"""The states of an AudioHook session, in the order of audiohook.md section 5.

                open: opened          heard                 pause, paused
    PREPARING ──────────────► HOLDING ───────► ACTIVE ◄─────────────────────► PAUSED
       │ │                     │ └┘ audio       │ └┘ audio    resumed          │ └┘ audio: thrown away, 1 s of it
       │ │                     └ nobody heard it in 5 s: pause ───────────────►│
       │ │ open, but not       │                │                              │
       │ │ authorised          ├────────────────┴──────────────────────────────┤ collected, refused, a mistake
       │ └──────────► UNAUTHORIZED              ▼                              │
       │ a mistake ──────────────┼─────────► SIGNALED: disconnect was said ◄───┘
       │                         │              │
       └─────────── close ───────┴── close ─────┴─► CLOSED: closed was said ── the peer ends TCP, or 10 s ──► GONE (Close 1000)

    5 s without open, 10 s without close: GONE (1000); 30 s without any message: GONE (1001); goodbye: GONE

Only `close` is answered in SIGNALED and UNAUTHORIZED; ping is answered in all states before. An open of which no audio
will come (a probe, no usable media) leads to ACTIVE at once. Nothing that is not an answer is said before the first
pong (audiohook.md sections 5-7).
"""

from enum import IntEnum, auto


class State(IntEnum):
    PREPARING = auto()
    HOLDING = auto()  # nobody has asked for the call yet
    ACTIVE = auto()
    PAUSED = auto()
    SIGNALED = auto()
    UNAUTHORIZED = auto()
    CLOSED = auto()
    GONE = auto()


class Input(IntEnum):
    OPEN = auto()
    SILENT_OPEN = auto()  # of which no audio will come
    FOREIGN_OPEN = auto()
    PING = auto()
    DISCARDED = auto()
    PAUSED = auto()
    RESUMED = auto()
    CLOSE = auto()
    BINARY = auto()


class Action(IntEnum):
    OPEN = auto()
    ANSWER = auto()  # like OPEN, but there is no call
    DENY = auto()
    PONG = auto()
    GAP = auto()
    PAUSE = auto()
    RESUME = auto()
    CLOSE = auto()
    FEED = auto()
    DISCARD = auto()
    REFUSE = auto()


# What has no row changes nothing.
DIALOGUE = (State.PREPARING, State.HOLDING, State.ACTIVE, State.PAUSED)
OPENED = (State.HOLDING, State.ACTIVE, State.PAUSED)
TRANSITIONS: dict[tuple[State, Input], tuple[State, Action]] = {
    (State.PREPARING, Input.OPEN): (State.HOLDING, Action.OPEN),
    (State.PREPARING, Input.SILENT_OPEN): (State.ACTIVE, Action.ANSWER),
    (State.PREPARING, Input.FOREIGN_OPEN): (State.UNAUTHORIZED, Action.DENY),
    (State.PREPARING, Input.BINARY): (State.PREPARING, Action.REFUSE),
    (State.HOLDING, Input.BINARY): (State.HOLDING, Action.FEED),
    (State.ACTIVE, Input.BINARY): (State.ACTIVE, Action.FEED),
    (State.PAUSED, Input.BINARY): (State.PAUSED, Action.DISCARD),
    (State.PAUSED, Input.RESUMED): (State.HOLDING, Action.RESUME),  # or ACTIVE, as somebody listens
    (State.HOLDING, Input.RESUMED): (State.HOLDING, Action.GAP),
    (State.ACTIVE, Input.RESUMED): (State.ACTIVE, Action.GAP),
    **{(state, Input.PAUSED): (State.PAUSED, Action.PAUSE) for state in OPENED},
    **{(state, Input.DISCARDED): (state, Action.GAP) for state in OPENED},
    **{(state, Input.PING): (state, Action.PONG) for state in DIALOGUE},
    **{(state, Input.CLOSE): (State.CLOSED, Action.CLOSE) for state in (*DIALOGUE, State.SIGNALED, State.UNAUTHORIZED)},
}
