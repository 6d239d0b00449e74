"""Random lives of a session, Engine.IO alone and with Socket.IO on top: nothing raises, nothing is lost or doubled."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocols.engineio_server import Echo, Get, Server, WebSocket
from tests.protocols.socketio_server import Listener, Suite
from voicestream.protocols.base import NEVER, Close
from voicestream.protocols.engineio import EngineIO, Options
from voicestream.protocols.engineio_event import Closed, Message

CALM = Options(ping_interval_s=2.0, ping_timeout_s=1.0, upgrade_timeout_s=1.5, close_timeout_s=4.0)
FRAMES: list[str | bytes] = ["2probe", "5", "3", "2", "1", "4a", "6", "x", "", b"\0"]
FRAMES += ["40", "40/1", "41", '42["message",1]', '425["e"]', "430[]", '451-["e"]', "4{"]  # Socket.IO's
STEPS = ["get", "abort", "post", "connect", "frame", "frame", "frame", "lose", "send", "finish", "time"]
LIVES = st.lists(
    st.tuples(st.sampled_from(STEPS), st.sampled_from(FRAMES), st.sampled_from([0.0, 0.1, 1.0, 3.0]), st.integers(0, 3)), max_size=25
)
OPENINGS = [[], ["2probe"], ["2probe", "5"], ["2probe", "5", "40"], ["5", "40", '451-["e"]']]


class Life:
    """One session that a wild client and a wild application share; asks for the laws after each step."""

    def __init__(self, application: Callable[[EngineIO, float], Echo], opening: list[str]) -> None:
        self.server = Server(application, CALM)
        self.sid = self.server.polling()
        self.engine = self.server.engines[self.sid]
        self.gets: list[Get] = []
        self.sockets: list[WebSocket] = []
        self.closed: list[WebSocket] = []
        if opening:
            self.sockets.append(self.server.connect(self.sid))
            self.sockets[0].send(*opening)

    def step(self, step: str, frame: str | bytes, seconds: float, which: int) -> None:
        server = self.server
        if step == "get":
            self.gets.append(server.get(self.sid))
        elif step == "abort" and self.gets and self.gets[-1].engine:
            self.gets.pop().abort()
        elif step == "post":
            server.post(self.sid, frame)
        elif step == "connect" and server.current(self.sid):
            self.sockets.append(server.connect(self.sid))
        elif step == "frame" and self.sockets:
            self.sockets[which % len(self.sockets)].send(frame)
        elif step == "lose" and self.sockets:
            self.sockets[which % len(self.sockets)].abort()
        elif step == "send":
            self.engine.send("ours", b"ours", droppable=bool(which % 2))
        elif step == "finish" and which == 0:
            self.engine.finish(server.now)
            server.turn()
        elif step == "time":
            server.advance(seconds)

    def obey(self) -> None:
        assert sum(get.answer is None for get in self.gets) <= 1
        for websocket in self.sockets:
            said = websocket.read()
            assert not (said and websocket in self.closed)
            assert all(not isinstance(message, Close) for message in said[:-1])
            if said and isinstance(said[-1], Close):
                self.closed.append(websocket)
        dead = self.server.current(self.sid) is None
        assert (self.engine.deadline == NEVER) == dead
        if dead:
            assert all(get.answer is not None for get in self.gets)

    def end(self) -> None:
        """Whatever happened, the session is over when nobody speaks any more."""
        self.server.advance(20.0)
        self.obey()
        assert self.server.current(self.sid) is None


def live(application: Callable[[EngineIO, float], Echo], opening: list[str], steps: list[tuple[str, str | bytes, float, int]]) -> Life:
    life = Life(application, opening)
    for step in steps:
        life.step(*step)
        life.obey()
    life.end()
    return life


@given(st.sampled_from(OPENINGS), LIVES)
@settings(max_examples=150, deadline=None)
def test_a_session_obeys_and_ends(opening: list[str], steps: list[tuple[str, str | bytes, float, int]]) -> None:
    heard = live(Echo, opening, steps).server.applications["sid-0"].heard
    assert [isinstance(event, Closed) for event in heard] == [False] * (len(heard) - 1) + [True]


@pytest.mark.parametrize("application", [Suite, Listener])
@given(st.sampled_from(OPENINGS), LIVES)
@settings(max_examples=75, deadline=None)
def test_a_connection_obeys_and_ends(
    application: Callable[[EngineIO, float], Echo], opening: list[str], steps: list[tuple[str, str | bytes, float, int]]
) -> None:
    assert live(application, opening, steps).server.applications["sid-0"].deadline == NEVER


@pytest.mark.fuzz
@pytest.mark.parametrize("application", [Echo, Suite, Listener])
@given(st.sampled_from(OPENINGS), LIVES)
@settings(max_examples=20_000, deadline=None)
def test_very_many_lives(
    application: Callable[[EngineIO, float], Echo], opening: list[str], steps: list[tuple[str, str | bytes, float, int]]
) -> None:
    live(application, opening, steps)


@given(st.lists(st.sampled_from(["post", "get", "probe", "upgrade", "drop", "time"]), max_size=20))
@settings(max_examples=150, deadline=None)
def test_an_upgrade_at_any_moment_loses_and_doubles_nothing(steps: list[str]) -> None:
    server = Server(options=Options(max_payload=60))
    sid = server.polling()
    received: list[str] = []
    candidate: WebSocket | None = None
    main: WebSocket | None = None
    get: Get | None = None
    sent = 0

    def collect() -> None:
        nonlocal get
        if get is not None and get.answer is not None:
            received.extend(get.answer[1].decode().split("\x1e"))
            get = None
        if main is not None:
            received.extend(message for message in main.read() if isinstance(message, str))

    for step in [*steps, "probe", "upgrade", "time"]:
        if step == "post":
            message, sent = f"4{sent}", sent + 1
            if main is not None:
                main.send(message)
            else:
                server.post(sid, message)
        elif step == "get" and main is None and get is None:
            get = server.get(sid)
        elif step == "probe" and main is None and candidate is None:
            candidate = server.connect(sid)
            candidate.ask("2probe")
        elif step == "upgrade" and candidate is not None:
            candidate.send("5")
            main, candidate = candidate, None
        elif step == "drop" and candidate is not None:
            candidate.abort()
            candidate = None
        elif step == "time":
            server.advance(0.1)
        collect()
    assert [text for text in received if text != "6"] == [f"4{number}" for number in range(sent)]
    assert server.applications[sid].heard == [Message(str(number)) for number in range(sent)]
