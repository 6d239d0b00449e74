"""The states of one Engine.IO session and what moves it between them.

                 attach                 "2probe": "3probe"
    POLLING ───────────────► PROBING ────────────────────────► PROBED ◄─┐ "2probe"; a GET is answered "6"
      ▲  │                    │ │ │                             │ │ │ └─┘
      └──│── anything else, ──┘ │ │                             │ │ └── as PROBING ──► POLLING
         │   gone, time is up   │ └── "5" ──► WEBSOCKET ◄─ "5" ─┘ │
         │ finish               │ finish        ▲   │             │ finish
         ▼                      ▼        attach │   │ finish      │
      CLOSING ◄─────────────────┴───────────────│───│─────────────┘
         │                                  OPENING ▼
         └── the next GET: "1"; "5": Close; time is up ──► CLOSED ◄── client's "1", an error, gone ── (any state)

A second WebSocket is accepted and closed at once, in every state (socketio.md sections 3 to 6).
"""

from enum import IntEnum, auto


class State(IntEnum):
    OPENING = auto()  # handshake over WebSocket, the socket is not attached yet
    POLLING = auto()
    PROBING = auto()  # polling, and a new socket is attached
    PROBED = auto()  # it was answered "3probe": messages wait for it, each GET is answered "6"
    WEBSOCKET = auto()
    CLOSING = auto()  # we said goodbye; a GET, or the end of an upgrade, takes what waits
    CLOSED = auto()


class Input(IntEnum):
    ATTACH = auto()
    PROBE = auto()  # "2probe" on the new socket
    UPGRADE = auto()  # "5" on the new socket
    STRAY = auto()  # anything else on the new socket, its end, or upgradeTimeout
    FINISH = auto()
    END = auto()


class Action(IntEnum):
    ADOPT = auto()  # the first socket of a session that begins on WebSocket
    JOIN = auto()  # the new socket
    REFUSE = auto()  # a second socket
    PONG = auto()
    SWITCH = auto()
    DROP = auto()  # the new socket
    LINGER = auto()
    END = auto()
    NOTHING = auto()


TRANSITIONS: dict[tuple[State, Input], tuple[State, Action]] = {
    (State.OPENING, Input.ATTACH): (State.WEBSOCKET, Action.ADOPT),
    (State.OPENING, Input.FINISH): (State.CLOSED, Action.END),
    (State.POLLING, Input.ATTACH): (State.PROBING, Action.JOIN),
    (State.POLLING, Input.FINISH): (State.CLOSING, Action.LINGER),
    (State.PROBING, Input.ATTACH): (State.PROBING, Action.REFUSE),
    (State.PROBING, Input.PROBE): (State.PROBED, Action.PONG),
    (State.PROBING, Input.UPGRADE): (State.WEBSOCKET, Action.SWITCH),
    (State.PROBING, Input.STRAY): (State.POLLING, Action.DROP),
    (State.PROBING, Input.FINISH): (State.CLOSING, Action.LINGER),
    (State.PROBED, Input.ATTACH): (State.PROBED, Action.REFUSE),
    (State.PROBED, Input.PROBE): (State.PROBED, Action.PONG),
    (State.PROBED, Input.UPGRADE): (State.WEBSOCKET, Action.SWITCH),
    (State.PROBED, Input.STRAY): (State.POLLING, Action.DROP),
    (State.PROBED, Input.FINISH): (State.CLOSING, Action.LINGER),
    (State.WEBSOCKET, Input.ATTACH): (State.WEBSOCKET, Action.REFUSE),
    (State.WEBSOCKET, Input.FINISH): (State.CLOSED, Action.END),
    (State.CLOSING, Input.ATTACH): (State.CLOSING, Action.REFUSE),
    (State.CLOSING, Input.PROBE): (State.CLOSING, Action.PONG),
    (State.CLOSING, Input.UPGRADE): (State.CLOSED, Action.SWITCH),
    (State.CLOSING, Input.STRAY): (State.CLOSING, Action.DROP),
    (State.CLOSING, Input.FINISH): (State.CLOSING, Action.NOTHING),
    (State.CLOSED, Input.ATTACH): (State.CLOSED, Action.REFUSE),
    (State.CLOSED, Input.FINISH): (State.CLOSED, Action.NOTHING),
    (State.CLOSED, Input.END): (State.CLOSED, Action.NOTHING),
    **{(state, Input.END): (State.CLOSED, Action.END) for state in State if state is not State.CLOSED},
}
