"""Socket.IO 5: the rules of the official suite, our own cases; and every state with every packet."""

import pytest

from tests.protocols.engineio_server import Server
from tests.protocols.socketio_server import QUIET, Listener, Suite, joined, listening, quiet, suite
from voicestream.errors import SOCKET_ATTACHMENT, SOCKET_MANY, SOCKET_PACKET, SOCKET_SILENT, SOCKET_STATE
from voicestream.protocols.base import NEVER, Close, Goodbye
from voicestream.protocols.engineio_event import Ending
from voicestream.protocols.socketio_event import Acknowledged, Connecting, Disconnected, Emitted, Ended

GOODBYE = Close(1000)
WELCOME = '40{"sid":"id of /"}'


# ---- connect --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "connect, answers",
    [
        ("40", [WELCOME, '42["auth",{}]']),
        ("40/,", [WELCOME, '42["auth",{}]']),
        ('40{"token":"123"}', [WELCOME, '42["auth",{"token":"123"}]']),
        ("40/custom,", ['40/custom,{"sid":"id of /custom"}', '42/custom,["auth",{}]']),
        ("40/custom", ['40/custom,{"sid":"id of /custom"}', '42/custom,["auth",{}]']),
        ('40/custom,{"token":"ü"}', ['40/custom,{"sid":"id of /custom"}', '42/custom,["auth",{"token":"ü"}]']),
        ("40/random", ['44/random,{"message":"Invalid namespace"}']),
    ],
)
def test_connect_is_answered_before_anything_is_emitted(connect: str, answers: list[str]) -> None:
    assert quiet().ask(connect) == answers


def test_an_unknown_namespace_leaves_the_connection_open() -> None:
    websocket = quiet()
    websocket.ask("40/random")
    assert websocket.ask("40")[0] == WELCOME


def test_a_client_that_connects_to_nothing_is_closed_after_the_connect_time_out() -> None:
    websocket = quiet()
    websocket.ask("40/random")
    websocket.server.advance(0.99)
    assert websocket.read() == []
    websocket.server.advance(0.01)
    assert websocket.read() == [GOODBYE]
    assert [refusal.fault for refusal in websocket.engine.refusals] == [SOCKET_SILENT]


def test_a_connected_client_may_leave_all_its_namespaces_and_stay() -> None:
    websocket = joined()
    websocket.ask("41")
    websocket.server.advance(60.0)
    assert websocket.ask("40")[0] == WELCOME


def test_a_namespace_may_have_slashes() -> None:
    websocket, listener = listening()
    websocket.send('40/socket.io/register,{"token":"t"}')
    assert websocket.read() == ['44/socket.io/register,{"message":"Invalid namespace"}']
    assert listener.told == []


def test_refusing_tells_why_and_leaves_the_connection_open() -> None:
    websocket, listener = listening()
    websocket.send('40/1,{"token":"bad"}')
    assert listener.told == [Connecting("/1", {"token": "bad"})]
    listener.io.refuse("/1", "invalid token", {"code": 1})
    assert websocket.read() == ['44/1,{"message":"invalid token","data":{"code":1}}']
    websocket.send("40/1")
    listener.io.refuse("/1", "invalid token")
    assert websocket.read() == ['44/1,{"message":"invalid token"}']


def test_nothing_is_said_in_a_namespace_before_its_connect() -> None:
    websocket, listener = listening()
    websocket.send("40/1")
    assert listener.io.emit("/1", "early") is None
    listener.io.leave("/1")
    assert websocket.read() == []
    assert listener.io.accept("/1", "s")
    assert not listener.io.accept("/1", "s")
    listener.io.refuse("/1", "too late")
    assert websocket.read() == ['40/1,{"sid":"s"}']


# ---- disconnect -----------------------------------------------------------------------------------


def test_a_disconnect_is_not_answered() -> None:
    websocket = suite()
    websocket.ask("40")
    websocket.send("41")
    websocket.server.advance(0.3)
    assert websocket.read() == ["2"]


def test_leaving_one_namespace_leaves_the_others() -> None:
    websocket = joined()
    websocket.ask("40/custom")
    assert websocket.ask("41/custom", '42["message","to main"]') == ['42["message-back","to main"]']


def test_our_leave_is_said_with_a_comma_and_the_transport_lives() -> None:
    websocket, listener = listening()
    websocket.send("40/1")
    listener.io.accept("/1", "s")
    listener.io.leave("/1")
    listener.io.leave("/1")
    assert listener.io.emit("/1", "late") is None
    assert websocket.read() == ['40/1,{"sid":"s"}', "41/1,"]
    websocket.send("40/1")
    assert listener.told == [Connecting("/1", {}), Connecting("/1", {})]


def test_a_lost_transport_ends_every_namespace() -> None:
    websocket, listener = listening()
    websocket.send("40/1", "40/2")
    listener.io.accept("/1", "s")
    listener.io.emit("/1", "a", ack=True)
    websocket.abort()
    assert listener.told[2:] == [
        Disconnected("/1", (0,), Ending.TRANSPORT),
        Disconnected("/2", (), Ending.TRANSPORT),
        Ended(Ending.TRANSPORT),
    ]
    assert listener.deadline == NEVER


def test_our_end_flushes_and_closes() -> None:
    websocket, listener = listening()
    websocket.send("40/")
    listener.io.accept("/", "s")
    listener.io.emit("/", "last")
    assert list(listener.io.finish(0.0, Goodbye.DRAIN)) == [Disconnected("/", (), Ending.FORCED), Ended(Ending.FORCED)]
    assert websocket.read() == ['40{"sid":"s"}', '42["last"]', Close(1001)]
    assert listener.io.finish(0.0) == ()


# ---- events and acknowledgements ------------------------------------------------------------------

TWO = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'


@pytest.mark.parametrize(
    "sent, answers",
    [
        (['42["message",1,"2",{"3":[true]}]'], ['42["message-back",1,"2",{"3":[true]}]']),
        (['42456["message-with-ack",1,"2",{"3":[false]}]'], ['43456[1,"2",{"3":[false]}]']),
        ([f'452-["message",{TWO}]', b"\1\2\3", b"\4\5\6"], [f'452-["message-back",{TWO}]', b"\1\2\3", b"\4\5\6"]),
        ([f'452-789["message-with-ack",{TWO}]', b"\1", b"\2"], [f"462-789[{TWO}]", b"\1", b"\2"]),
        (['42["unknown"]'], []),
        (["43[]", "437[1]"], []),
    ],
)
def test_messages_come_back(sent: list[str | bytes], answers: list[str | bytes]) -> None:
    assert joined().ask(*sent) == answers


def test_attachments_cross_polling_as_base64() -> None:
    server = Server(Suite, QUIET)
    sid = server.polling()
    server.post(sid, '40\x1e451-["message",{"_placeholder":true,"num":0}]\x1ebAQID')
    answer = server.get(sid).answer
    assert answer is not None
    assert answer[1].endswith(b'\x1e451-["message-back",{"_placeholder":true,"num":0}]\x1ebAQID')


def test_an_acknowledgement_is_sent_once() -> None:
    websocket, listener = listening()
    websocket.send("40")
    listener.io.accept("/", "s")
    websocket.ask('420["e",5]')
    assert listener.told[-1] == Emitted("/", "e", [5], 0)
    assert [listener.io.acknowledge("/", 0, "done"), listener.io.acknowledge("/", 0, "again")] == [True, False]
    assert not listener.io.acknowledge("/", 1)
    assert websocket.read() == ['430["done"]']


def test_our_ids_count_from_0_in_each_namespace_and_are_acknowledged_once() -> None:
    websocket, listener = listening()
    websocket.send("40/1", "40/2")
    for namespace in ("/1", "/2"):
        listener.io.accept(namespace, "s")
    ids = [listener.io.emit(namespace, "e", ack=True) for namespace in ("/1", "/1", "/2")]
    assert ids == [0, 1, 0]
    assert websocket.ask('43/1,1["yes"]', '43/1,1["again"]', '43/1,7["never asked"]')[-1] == '42/2,0["e"]'
    assert listener.told[2:] == [Acknowledged("/1", 1, ["yes"])]
    websocket.send("41/1")
    assert listener.told[-1] == Disconnected("/1", (0,), None)


def test_a_droppable_event_goes_when_nobody_reads_but_no_piece_of_a_binary_one() -> None:
    websocket, listener = listening()
    websocket.send("40")
    listener.io.accept("/", "s")
    websocket.read()
    listener.io.emit("/", "binary", b"x", droppable=True)
    for number in range(50):
        listener.io.emit("/", "status", number, droppable=True)
    listener.io.emit("/", "result")
    messages = websocket.read()
    assert messages[:3] == ['451-["binary",{"_placeholder":true,"num":0}]', b"x", '42["status",21]']
    assert (len(messages), messages[-1]) == (32, '42["result"]')


def test_an_event_that_wants_an_acknowledgement_is_not_dropped() -> None:
    websocket, listener = listening()
    websocket.send("40")
    listener.io.accept("/", "s")
    listener.io.emit("/", "asked", ack=True, droppable=True)
    for _ in range(50):
        listener.io.emit("/", "status", droppable=True)
    assert websocket.read()[1] == '420["asked"]'


def test_an_early_tick_does_nothing() -> None:
    websocket, listener = listening()
    assert listener.io.tick(0.5) == ()
    assert websocket.read() == []


# ---- what closes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "4abc", "42{}", '42abc["e"]', '42["connect"]', '42["disconnecting"]', '450-["e"]', '45-["e"]', '459-["e"]',
        '45999999999-["e"]', '45' + "9" * 5000 + '-["e"]', "40[]", "40null", "412{}", "4", "47", "42", "43", "42[]", "42[true]",
        '42["e"', '42[NaN]', '42["e",1e400]', '421234567890123456["e"]', '42["e","\\ud800"]', '42["e","\x01"]', "4 ",
        "43{}", "40" + "/" + "a" * 128, '451-["e",{"_placeholder":true,"num":1}]', '451-["e",{"_placeholder":true,"num":-1}]',
        '451-["e",{"_placeholder":true,"num":"0"}]', '451-["e",{"_placeholder":true}]', '451-["e",{"_placeholder":true,"num":false}]',
        '42["e",' + "[" * 32 + "]" * 32 + "]", '42["e",' + "[" * 100_000, '42["e","\udc80"]', "41null", '41/custom,"x"', '4٢["e"]',
    ],
)  # fmt: skip
def test_a_malformed_packet_closes_the_connection(text: str) -> None:
    websocket = joined()
    assert websocket.ask(text, '42["message"]') == [GOODBYE]
    assert [refusal.fault for refusal in websocket.engine.refusals] == [SOCKET_PACKET]


@pytest.mark.parametrize("text", ["40", '42/custom,["e"]', "43/custom,0[]", "41/custom", '44{"message":"x"}', '44/custom,"x"', "44"])
def test_a_packet_out_of_place_closes_the_connection(text: str) -> None:
    websocket = joined()
    assert websocket.ask(text) == [GOODBYE]
    assert [refusal.fault for refusal in websocket.engine.refusals] == [SOCKET_STATE]


@pytest.mark.parametrize("text", ["40/1", '42/1,["e"]', "43/1,0[]", "41/1"])
def test_a_namespace_is_silent_while_it_is_authorised(text: str) -> None:
    websocket, listener = listening()
    assert websocket.ask("40/1", text) == [GOODBYE]
    assert listener.told[1:] == [Disconnected("/1", (), Ending.PARSE), Ended(Ending.PARSE)]
    assert not listener.io.accept("/1", "s")


@pytest.mark.parametrize(
    "messages",
    [
        [b"unannounced"],
        ['451-["e",{"_placeholder":true,"num":0}]', '42["message"]'],
        ['452-["e"]', b"x", "41"],
        ['452-["e"]', b"x" * 600_000, b"x" * 400_001],
    ],
)
def test_attachments_out_of_place_close_the_connection(messages: list[str | bytes]) -> None:
    websocket = joined()
    assert websocket.ask(*messages) == [GOODBYE]
    assert [refusal.fault for refusal in websocket.engine.refusals] == [SOCKET_ATTACHMENT]


def test_missing_attachments_close_the_connection_after_10_s() -> None:
    websocket = joined()
    websocket.send('452-["message"]', b"x")
    websocket.server.advance(9.99)
    assert websocket.read() == []
    websocket.server.advance(0.01)
    assert websocket.read() == [GOODBYE]


def test_attachments_in_time_stop_the_clock() -> None:
    websocket = joined()
    websocket.send('451-["message"]', b"x")
    websocket.server.advance(60.0)
    assert websocket.read() == ['42["message-back"]']


def test_a_connection_has_16_namespaces() -> None:
    websocket, listener = listening()
    websocket.send(*[f"40/{number}" for number in range(16)])
    assert websocket.read() == []
    assert websocket.ask("40/16") == [GOODBYE]
    assert listener.io.refusals[-1].fault is SOCKET_MANY


def test_a_client_waits_for_1024_acknowledgements_at_most() -> None:
    websocket, listener = listening()
    websocket.send("40")
    listener.io.accept("/", "s")
    websocket.ask(*[f'42{number}["e"]' for number in range(1024)])
    assert websocket.ask('421024["e"]') == [GOODBYE]


@pytest.mark.parametrize("opening", [(), ("40",), ("40", "451-[1]"), ("4abc",)])
@pytest.mark.parametrize("packet", ["40", "41", '42["e"]', "43[]", "44", '451-["e"]', "461-[]", b"", "", "47", "49"])
def test_nothing_raises_and_a_close_is_the_end(opening: tuple[str, ...], packet: str | bytes) -> None:
    server = Server(Listener, QUIET)
    websocket = server.connect()
    listener = server.applications["sid-0"]
    assert isinstance(listener, Listener)
    websocket.send(*opening)
    listener.io.accept("/", "s")
    websocket.send(packet, packet, packet)
    said = websocket.read()
    assert all(not isinstance(message, Close) for message in said[:-1])
    assert sum(isinstance(event, Ended) for event in listener.told) == isinstance(said[-1], Close)
