"""Engine.IO 4: the rules of the official suite, our own cases; and every state with every input."""

import json

import pytest

from tests.protocols.engineio_server import ROOM, SUITE, Echo, Server
from voicestream.errors import ENGINE_HEARTBEAT, ENGINE_OVERLAP, ENGINE_PACKET, ENGINE_PACKETS, ENGINE_SILENT, UNREAD
from voicestream.protocols.base import NEVER, Close, Goodbye
from voicestream.protocols.engineio import EngineIO, Options
from voicestream.protocols.engineio_event import Closed, Ending, Message
from voicestream.protocols.engineio_request import BAD_REQUEST, UNKNOWN_SID, Answer
from voicestream.protocols.engineio_state import TRANSITIONS, Input, State

GONE = (UNKNOWN_SID.status, UNKNOWN_SID.body)
MISPLACED = (BAD_REQUEST.status, BAD_REQUEST.body)
OK = (200, b"ok")


@pytest.fixture
def server() -> Server:
    return Server()


def ending(server: Server, sid: str) -> Ending:
    """How the session ended; Closed is the last event."""
    last = server.applications[sid].heard[-1]
    assert isinstance(last, Closed)
    return last.ending


def codes(server: Server, sid: str) -> list[str]:
    return [refusal.fault.code for refusal in server.engines[sid].refusals]


# ---- handshake ------------------------------------------------------------------------------------


def test_a_polling_handshake_has_five_keys_in_milliseconds(server: Server) -> None:
    answer = server.get().answer
    assert answer == (200, b'0{"sid":"sid-0","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}')


def test_a_websocket_handshake_offers_no_upgrade(server: Server) -> None:
    (text,) = server.connect().read()
    assert isinstance(text, str)
    assert json.loads(text[1:])["upgrades"] == []


def test_what_is_queued_already_comes_with_the_handshake() -> None:
    engine = EngineIO("s", "polling", 0.0)
    engine.send("early")
    answer = engine.poll(0.0).answer
    assert answer is not None
    assert answer.body.endswith(b"}\x1e4early")


# ---- messages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", ["4hello", "4one\x1e4two\x1e4three", "4hello\x1ebAQIDBA==", "4", "4ü\x1eb"])
def test_a_payload_is_echoed_packet_by_packet(server: Server, payload: str) -> None:
    sid = server.polling()
    assert server.post(sid, payload) == OK
    assert server.get(sid).answer == (200, payload.encode())


def test_a_get_is_held_until_something_is_due(server: Server) -> None:
    sid = server.polling()
    get = server.get(sid)
    assert get.answer is None
    server.engines[sid].send("late")
    assert get.answer == (200, b"4late")


def test_text_stays_text_and_binary_binary_on_websocket(server: Server) -> None:
    websocket = server.connect()
    assert websocket.ask("4hello", b"\1\2\3")[1:] == ["4hello", b"\1\2\3"]


def test_an_answer_stops_below_the_largest_payload_but_holds_one_packet() -> None:
    server = Server(options=Options(max_payload=16))
    sid = server.polling()
    for text in ("a" * 40, "bbbb", "cccc", "dddd"):
        server.engines[sid].send(text)
    assert server.get(sid).answer == (200, b"4" + b"a" * 40)
    assert server.get(sid).answer == (200, b"4bbbb\x1e4cccc")
    assert server.get(sid).answer == (200, b"4dddd")


# ---- bad requests ---------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["abc", "", "7", "4a\x1e", "bA", "b*", "bé", b"4\xff"])
def test_a_malformed_post_is_400_and_ends_the_session(server: Server, body: str | bytes) -> None:
    sid = server.polling()
    assert server.post(sid, body)[0] == 400
    assert server.get(sid).answer == GONE
    assert ending(server, sid) is Ending.PARSE
    assert codes(server, sid) == [ENGINE_PACKET.code]


def test_packets_before_a_malformed_one_count(server: Server) -> None:
    sid = server.polling()
    server.post(sid, "4good\x1ebad\x1e4late")
    assert server.applications[sid].heard == [Message("good"), Closed(Ending.PARSE)]


def test_a_post_holds_64_packets(server: Server) -> None:
    sid = server.polling()
    assert server.post(sid, "\x1e".join(["4"] * 64)) == OK
    assert server.post(sid, "\x1e".join(["4"] * 65))[0] == 400
    assert codes(server, sid) == [ENGINE_PACKETS.code]


def test_a_malformed_frame_closes_the_websocket(server: Server) -> None:
    websocket = server.connect()
    assert websocket.ask("abc")[-1] == Close(1002)


def test_two_gets_end_the_session(server: Server) -> None:
    sid = server.polling()
    first, second = server.get(sid), server.get(sid)
    assert first.answer == (200, b"1")
    assert second.answer == (400, b"")
    assert server.get(sid).answer == GONE
    assert codes(server, sid) == [ENGINE_OVERLAP.code]


def test_two_posts_end_the_session(server: Server) -> None:
    sid = server.polling()
    engine = server.engines[sid]
    assert engine.begin_post("text/plain", None, 0.0) is None
    assert server.post(sid, "4a") == (400, b"")
    assert engine.end_post(b"4b", 0.0) == UNKNOWN_SID


def test_one_post_after_the_other_is_fine(server: Server) -> None:
    sid = server.polling()
    assert [server.post(sid, "4a"), server.post(sid, "4b")] == [OK, OK]


def test_a_get_whose_client_goes_away_ends_the_session(server: Server) -> None:
    sid = server.polling()
    server.get(sid).abort()
    assert server.get(sid).answer == GONE
    assert ending(server, sid) is Ending.TRANSPORT


def test_a_client_may_go_away_after_its_answer(server: Server) -> None:
    sid = server.polling()
    server.post(sid, "4a")
    server.get(sid).abort()
    assert server.get(sid).answer is None


def test_a_post_whose_client_goes_away_ends_the_session(server: Server) -> None:
    sid = server.polling()
    server.engines[sid].begin_post("text/plain", 10, 0.0)
    server.engines[sid].lose_post(0.0)
    assert server.get(sid).answer == GONE


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_too_large_is_413_and_the_session_lives_on(announced: bool) -> None:
    server = Server(options=Options(max_payload=4))
    sid = server.polling()
    engine = server.engines[sid]
    refusal = engine.begin_post("text/plain", 5 if announced else None, 0.0)
    if not announced:
        assert refusal is None
        refusal = engine.end_post(b"4abcd", 0.0)
    assert refusal == Answer(413)
    assert server.post(sid, "4abc") == OK
    assert server.applications[sid].heard == [Message("abc")]


def test_an_engineio_3_body_is_refused(server: Server) -> None:
    sid = server.polling()
    assert server.post(sid, b"4a", "application/octet-stream; x=y")[0] == 400
    assert server.get(sid).answer == GONE


# ---- heartbeat ------------------------------------------------------------------------------------


def test_polling_pings_and_pongs(server: Server) -> None:
    sid = server.polling()
    for _ in range(3):
        get = server.get(sid)
        server.advance(0.3)
        assert get.answer == (200, b"2")
        assert server.post(sid, "3") == OK


def test_the_next_ping_comes_an_interval_after_the_pong(server: Server) -> None:
    websocket = server.connect()
    server.advance(0.45)
    assert websocket.ask("3")[1:] == ["2"]
    server.advance(0.299)
    assert websocket.read() == []
    server.advance(0.002)
    assert websocket.read() == ["2"]


def test_a_silent_session_is_dead_after_interval_and_timeout(server: Server) -> None:
    sid = server.polling()
    websocket = server.connect()
    server.advance(0.5)
    assert server.get(sid).answer == GONE
    assert websocket.read()[1:] == ["2", Close(1011)]
    assert ending(server, sid) is Ending.PING_TIMEOUT
    assert codes(server, sid) == [ENGINE_SILENT.code]


def test_a_late_timer_does_not_lengthen_the_time_out(server: Server) -> None:
    engine = EngineIO("s", "polling", 0.0, SUITE)
    engine.tick(0.39)
    assert engine.deadline == pytest.approx(0.5)
    engine.poll(0.5)
    assert engine.transport is None


def test_a_standing_still_process_gives_its_clients_half_the_time_out() -> None:
    engine = EngineIO("s", "polling", 0.0, SUITE)
    engine.tick(9.0)
    assert engine.transport == "polling"
    assert engine.deadline == pytest.approx(9.1)


def test_another_packet_renews_the_time_out_once(server: Server) -> None:
    websocket = server.connect()
    server.advance(0.45)
    websocket.send("4a", "4b")
    assert server.engines["sid-0"].deadline == pytest.approx(0.65)
    server.advance(0.1)
    websocket.send("4c")
    server.advance(0.1)
    assert websocket.closed()


def test_a_held_get_ends_with_its_session(server: Server) -> None:
    sid = server.polling()
    server.advance(0.3)
    server.get(sid)
    get = server.get(sid)
    server.advance(0.2)
    assert get.answer == (200, b"1")


@pytest.mark.parametrize("ping", ["2", "2probe"])
def test_a_ping_from_the_client_is_accepted_and_ends_the_session(server: Server, ping: str) -> None:
    sid, websocket = server.polling(), server.connect()
    assert server.post(sid, ping) == OK
    assert server.get(sid).answer == GONE
    assert websocket.ask(ping)[-1] == Close(1002)
    assert codes(server, sid) == [ENGINE_HEARTBEAT.code]


# ---- closing --------------------------------------------------------------------------------------


def test_a_clients_close_answers_its_get_with_noop(server: Server) -> None:
    sid = server.polling()
    get = server.get(sid)
    assert server.post(sid, "4a\x1e1\x1e4b") == OK
    assert get.answer == (200, b"6")
    assert server.get(sid).answer == GONE
    assert server.applications[sid].heard == [Message("a"), Closed(Ending.CLIENT)]


def test_a_clients_close_closes_its_websocket(server: Server) -> None:
    assert server.connect().ask("1")[-1] == Close(1000)


def test_our_close_ends_a_held_get(server: Server) -> None:
    sid = server.polling()
    get = server.get(sid)
    server.engines[sid].finish(0.0)
    assert get.answer == (200, b"1")
    assert server.get(sid).answer == GONE


def test_our_close_waits_for_the_next_get_and_sends_what_waits(server: Server) -> None:
    sid = server.polling()
    engine = server.engines[sid]
    engine.send("last")
    engine.finish(0.0)
    engine.send("too late")
    assert server.post(sid, "4ignored") == OK
    assert server.get(sid).answer == (200, b"4last\x1e1")
    assert server.get(sid).answer == GONE
    server.turn()
    assert server.applications[sid].heard == [Closed(Ending.FORCED)]


def test_our_close_takes_as_many_gets_as_what_waits_needs() -> None:
    server = Server(options=Options(max_payload=6))
    sid = server.polling()
    server.engines[sid].send("first", "last")
    server.engines[sid].finish(0.0)
    assert server.get(sid).answer == (200, b"4first")
    assert server.get(sid).answer == (200, b"4last\x1e1")


def test_our_close_gives_up_after_its_time() -> None:
    server = Server(options=Options(close_timeout_s=30.0))
    sid = server.polling()
    server.engines[sid].finish(0.0)
    server.advance(29.9)
    assert server.current(sid) == "polling"
    server.advance(0.1)
    assert server.current(sid) is None
    assert server.engines[sid].deadline == NEVER


def test_our_close_flushes_the_websocket_first(server: Server) -> None:
    websocket = server.connect()
    websocket.engine.send("last")
    websocket.engine.finish(0.0, Goodbye.DRAIN)
    assert websocket.read()[1:] == ["4last", Close(1001)]
    assert websocket.ask("4late") == []


def test_a_lost_websocket_ends_its_session(server: Server) -> None:
    websocket = server.connect()
    websocket.abort()
    assert ending(server, "sid-0") is Ending.TRANSPORT


# ---- upgrade --------------------------------------------------------------------------------------


def test_an_upgrade_goes_noop_first_then_messages(server: Server) -> None:
    sid = server.polling()
    get = server.get(sid)
    websocket = server.connect(sid)
    assert websocket.ask("2probe") == ["3probe"]
    server.engines[sid].send("waits")
    assert get.answer is None
    server.advance(0.1)
    assert get.answer == (200, b"6")
    assert websocket.read() == []
    assert websocket.ask("5", "4hello") == ["4waits", "4hello"]


def test_a_get_during_an_upgrade_is_answered_every_100_ms(server: Server) -> None:
    sid = server.polling()
    server.connect(sid).send("2probe")
    for _ in range(2):
        get = server.get(sid)
        server.advance(0.08)
        assert get.answer is None
        server.advance(0.025)
        assert get.answer == (200, b"6")


def test_messages_go_by_polling_until_the_probe(server: Server) -> None:
    sid = server.polling()
    server.connect(sid)
    server.post(sid, "4a")
    assert server.get(sid).answer == (200, b"4a")


def test_an_upgrade_needs_no_probe(server: Server) -> None:
    sid = server.polling()
    get = server.get(sid)
    assert server.connect(sid).ask("5", "4a") == ["4a"]
    assert get.answer == (200, b"6")


@pytest.mark.parametrize("probe", [True, False])
@pytest.mark.parametrize("stray", ["4a", b"\0", "2", "5x", "1", "3probe", "", "abc"])
def test_anything_else_before_5_closes_the_new_socket_only(server: Server, stray: str | bytes, probe: bool) -> None:
    sid = server.polling()
    websocket = server.connect(sid)
    if probe:
        websocket.ask("2probe")
    assert websocket.ask(stray, "5") == [Close(1000)]
    server.post(sid, "4still")
    assert server.get(sid).answer == (200, b"4still")


def test_a_new_socket_that_dies_leaves_polling_as_it_was(server: Server) -> None:
    sid = server.polling()
    websocket = server.connect(sid)
    websocket.ask("2probe")
    get = server.get(sid)
    server.engines[sid].send("waits")
    websocket.abort()
    assert get.answer == (200, b"4waits")


def test_an_upgrade_that_does_not_end_in_time_is_dropped() -> None:
    server = Server(options=Options(upgrade_timeout_s=10.0))
    sid = server.polling()
    websocket = server.connect(sid)
    server.advance(9.9)
    assert not websocket.closed()
    server.advance(0.1)
    assert websocket.closed()
    assert server.connect(sid).ask("2probe") == ["3probe"]


def test_polling_is_over_after_an_upgrade(server: Server) -> None:
    sid, websocket = server.upgraded()
    assert server.get(sid).answer == MISPLACED
    assert server.post(sid, "4a") == MISPLACED
    assert websocket.ask("4hello") == ["4hello"]


@pytest.mark.parametrize("upgraded", [True, False])
def test_a_second_websocket_is_closed_at_once(server: Server, upgraded: bool) -> None:
    sid = server.polling()
    websocket = server.connect(sid)
    websocket.ask(*(["2probe", "5"] if upgraded else ["2probe"]))
    second = server.connect(sid)
    assert second.ask("2probe") == [Close(1000)]
    second.abort()
    assert websocket.ask(*([] if upgraded else ["5"]), "4hello") == ["4hello"]


def test_nothing_of_an_upgrade_stays_behind_it() -> None:
    server = Server(options=Options(ping_interval_s=25.0, upgrade_timeout_s=10.0))
    sid, _ = server.upgraded()
    assert server.engines[sid].deadline == 25.0


def test_a_post_amid_an_upgrade_does_not_end_the_websocket(server: Server) -> None:
    sid = server.polling()
    engine = server.engines[sid]
    engine.begin_post("text/plain", None, 0.0)
    websocket = server.connect(sid)
    websocket.ask("2probe", "5")
    assert engine.end_post(b"4late", 0.0) == BAD_REQUEST
    engine.lose_post(0.0)
    assert websocket.ask("4hello") == ["4hello"]


def test_the_ping_of_an_upgrade_waits_for_the_websocket(server: Server) -> None:
    sid = server.polling()
    websocket = server.connect(sid)
    websocket.ask("2probe")
    server.advance(0.35)
    assert websocket.ask("5") == ["2"]
    server.advance(0.19)
    assert websocket.ask("3") == []


def test_a_close_amid_an_upgrade_goes_by_websocket(server: Server) -> None:
    sid = server.polling()
    websocket = server.connect(sid)
    websocket.ask("2probe")
    server.engines[sid].send("last")
    server.engines[sid].finish(0.0)
    assert websocket.ask("5") == ["4last", Close(1000)]


def test_the_first_goodbye_counts(server: Server) -> None:
    sid = server.polling()
    websocket = server.connect(sid)
    server.engines[sid].finish(0.0, Goodbye.DRAIN)
    server.engines[sid].finish(0.0, Goodbye.OVERLOAD)
    assert websocket.ask("5") == [Close(1001)]


def test_a_close_amid_an_upgrade_goes_by_polling_too(server: Server) -> None:
    sid = server.polling()
    websocket = server.connect(sid)
    websocket.ask("2probe")
    server.engines[sid].send("last")
    server.engines[sid].finish(0.0)
    assert server.get(sid).answer == (200, b"4last\x1e1")
    assert websocket.ask("5") == [Close(1000)]


# ---- limits ---------------------------------------------------------------------------------------


def test_the_oldest_droppable_messages_go_first() -> None:
    server = Server(options=Options(outbox_packets=3))
    websocket = server.connect()
    websocket.read()
    for number in range(3):
        websocket.engine.send(f"status {number}", droppable=True)
        websocket.engine.send(f"result {number}")
    assert websocket.read() == ["4result 0", "4result 1", "4result 2"]


def test_a_client_that_does_not_read_is_closed() -> None:
    server = Server(options=Options(outbox_bytes=1000))
    websocket = server.connect()
    for _ in range(9):
        websocket.engine.send("x")
    server.turn()
    assert websocket.read() == [Close(1013)]
    assert codes(server, "sid-0") == [UNREAD.code]


def test_drain_gives_about_as_much_as_there_is_room_for(server: Server) -> None:
    websocket = server.connect()
    websocket.read()
    websocket.engine.send("abc", "def", "ghi")
    assert websocket.engine.drain(websocket.socket, 5) == ["4abc", "4def"]
    assert websocket.engine.drain(websocket.socket, 0) == ["4ghi"]


def test_ten_thousand_pongs_leave_nothing_behind(server: Server) -> None:
    websocket = server.connect()
    websocket.read()
    websocket.send(*["3"] * 10_000)
    assert websocket.read() == []
    assert websocket.engine.deadline == pytest.approx(0.3)


# ---- every state x every input --------------------------------------------------------------------

CANDIDATE = {State.PROBING, State.PROBED, State.CLOSING}


def reach(state: State) -> Server:
    """A server whose only session is in `state`, with a socket on probation where the state may have one."""
    server = Server(options=Options())
    if state is State.OPENING:
        engine = EngineIO("sid-0", "websocket", 0.0)
        server.engines["sid-0"], server.applications["sid-0"] = engine, Echo(engine, 0.0)
    elif state is State.WEBSOCKET:
        server.upgraded()
    else:
        sid = server.polling()
        if state in CANDIDATE:
            websocket = server.connect(sid)
            if state is not State.PROBING:
                websocket.ask("2probe")
        if state is State.CLOSING:
            server.engines[sid].finish(0.0)
        if state is State.CLOSED:
            server.post(sid, "1")
    return server


def test_the_table_answers_every_state_and_input() -> None:
    asked = {(state, heard) for state in State for heard in (Input.ATTACH, Input.FINISH, Input.END)}
    asked |= {(state, heard) for state in CANDIDATE for heard in (Input.PROBE, Input.UPGRADE, Input.STRAY)}
    assert set(TRANSITIONS) == asked


@pytest.mark.parametrize("state", State)
def test_nothing_raises_in_any_state(state: State) -> None:
    calls = {
        "poll": lambda engine: engine.poll(1.0),
        "post": lambda engine: engine.begin_post("text/plain", 2, 1.0) or engine.end_post(b"4a", 1.0),
        "bad post": lambda engine: engine.begin_post("text/plain", 1, 1.0) or engine.end_post(b"x", 1.0),
        "lose post": lambda engine: engine.lose_post(1.0),
        "attach": lambda engine: engine.drain(engine.attach(1.0), ROOM),
        "send": lambda engine: engine.send("a", b"b"),
        "finish": lambda engine: engine.finish(1.0),
        "tick": lambda engine: engine.tick(1e9),
    }
    for first in calls.values():
        for second in calls.values():
            engine = reach(state).engines["sid-0"]
            first(engine)
            second(engine)
            events = engine.events()
            assert sum(isinstance(event, Closed) for event in events) <= 1
            assert (engine.deadline == NEVER) == (engine.transport is None)
