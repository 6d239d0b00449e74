"""One session that a wild client and a wild application share, step by step, and the laws that hold after each."""

from collections.abc import Callable, Sequence

from tests.protocols.engineio_server import Echo, Get, Server, WebSocket
from tests.protocols.tape import Tape
from voicestream.protocols.base import NEVER, Close
from voicestream.protocols.engineio import EngineIO, Options

CALM = Options(ping_interval_s=2.0, ping_timeout_s=1.0, upgrade_timeout_s=1.5, close_timeout_s=4.0)
FRAMES: list[str | bytes] = ["2probe", "5", "3", "2", "1", "4a", "6", "x", "", b"\0"]
FRAMES += ["40", "40/1", "41", '42["message",1]', '425["e"]', "430[]", '451-["e"]', "4{"]  # Socket.IO's
STEPS = ["get", "abort", "post", "connect", "frame", "frame", "frame", "lose", "send", "finish", "time"]
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


LIFE_BYTES = 128  # of a tape


def live(application: Callable[[EngineIO, float], Echo], tape: Tape, frames: Sequence[str | bytes] = FRAMES) -> Life:
    """A whole life of up to 25 steps; the client says what is in `frames`."""
    life = Life(application, tape.choice(OPENINGS))
    for _ in range(tape.below(26)):
        life.step(tape.choice(STEPS), tape.choice(frames), tape.choice((0.0, 0.1, 1.0, 3.0)), tape.below(4))
        life.obey()
    life.end()
    return life
