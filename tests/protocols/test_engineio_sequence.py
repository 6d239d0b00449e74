"""Random lives of a session, Engine.IO alone and with Socket.IO on top: nothing raises, nothing is lost or doubled."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocols.engineio_life import LIFE_BYTES, live
from tests.protocols.engineio_server import Echo, Get, Server, WebSocket
from tests.protocols.socketio_server import Listener, Suite
from tests.protocols.tape import Tape, tapes
from voicestream.protocols.base import NEVER
from voicestream.protocols.engineio import EngineIO, Options
from voicestream.protocols.engineio_event import Closed, Message

Application = Callable[[EngineIO, float], Echo]


@given(tapes(LIFE_BYTES))
@settings(max_examples=150, deadline=None)
def test_a_session_obeys_and_ends(tape: Tape) -> None:
    heard = live(Echo, tape).server.applications["sid-0"].heard
    assert [isinstance(event, Closed) for event in heard] == [False] * (len(heard) - 1) + [True]


@pytest.mark.parametrize("application", [Suite, Listener])
@given(tapes(LIFE_BYTES))
@settings(max_examples=75, deadline=None)
def test_a_connection_obeys_and_ends(application: Application, tape: Tape) -> None:
    assert live(application, tape).server.applications["sid-0"].deadline == NEVER


@pytest.mark.fuzz
@pytest.mark.parametrize("application", [Echo, Suite, Listener])
@given(tapes(LIFE_BYTES))
@settings(max_examples=20_000, deadline=None)
def test_very_many_lives(application: Application, tape: Tape) -> None:
    live(application, tape)


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
