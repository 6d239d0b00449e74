"""The Socket.IO client, text by text."""

import pytest

from voicestream import errors
from voicestream.cli.socketio_client import Event, Heard, Joined, Left, SocketClient
from voicestream.errors import PeerError

NAMES = ("/socket.io/register", "/register")
OPEN = '0{"sid":"kD2v","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
JOINED = '40/socket.io/register,{"sid":"x9"}'


def joined() -> SocketClient:
    client = SocketClient(NAMES, 0.0)
    for frame in (OPEN, JOINED):
        client.receive(frame, 0.0)
    client.drain()
    return client


def hear(client: SocketClient, *frames: str | bytes) -> list[Event]:
    return [event for frame in frames for event in client.receive(frame, 1.0)]


def test_an_opening_joins_the_namespace() -> None:
    client = SocketClient(NAMES, 0.0)
    assert client.receive(OPEN, 0.0) == []
    assert client.drain() == ["40/socket.io/register,{}"]  # as python-socketio writes it
    assert client.receive(JOINED, 0.0) == [Joined()]
    client.emit("initialize", {"metadata": {"call_id": "C1"}})
    assert client.drain() == ['42/socket.io/register,["initialize",{"metadata":{"call_id":"C1"}}]']


def test_a_server_of_older_names_is_joined_by_those() -> None:
    client = SocketClient(NAMES, 0.0)
    assert hear(client, OPEN, '44/socket.io/register,{"message":"Invalid namespace"}') == []
    assert client.drain() == ["40/socket.io/register,{}", "40/register,{}"]
    assert hear(client, '40/register,{"sid":"x9"}', '42/register,["a"]') == [Joined(), Heard("a", [])]


@pytest.mark.parametrize("payload", ['{"message":"invalid token"}', '"invalid token"'])
def test_a_refusal_is_told(payload: str) -> None:
    client = SocketClient(NAMES, 0.0)
    assert hear(client, OPEN, f"44/socket.io/register,{payload}") == [Left("the server refused the namespace: invalid token")]


def test_a_name_after_the_last_is_a_refusal_too() -> None:
    client = SocketClient(NAMES[:1], 0.0)
    told = hear(client, OPEN, '44/socket.io/register,{"message":"Invalid namespace"}')
    assert told == [Left("the server refused the namespace: Invalid namespace")]


def test_an_attachment_takes_its_place() -> None:
    client = joined()
    text = '451-/socket.io/register,["result-success",{"credential":"dm9p"},{"_placeholder":true,"num":0}]'
    assert client.receive(text, 1.0) == []
    assert client.receive(b"RIFF", 1.0) == [Heard("result-success", [{"credential": "dm9p"}, b"RIFF"])]


def test_an_event_may_have_one_argument_or_two() -> None:
    client = joined()
    one, two = hear(client, '42/socket.io/register,["info",{"a":1}]', '42/socket.io/register,["info",{"a":1},null]')
    assert (one, two) == (Heard("info", [{"a": 1}]), Heard("info", [{"a": 1}, None]))


def test_whoever_wants_an_ack_gets_one() -> None:
    client = joined()
    client.receive('42/socket.io/register,7["info",{}]', 1.0)
    assert client.drain() == ["43/socket.io/register,7[]"]


def test_other_namespaces_are_not_ours() -> None:
    assert hear(joined(), '42/verify,["info",{}]', "41/verify,") == []


def test_a_ping_is_answered_and_silence_is_the_end() -> None:
    client = SocketClient(NAMES, 0.0)
    client.receive(OPEN, 10.0)
    assert client.deadline == 55.0
    client.drain()
    client.receive("2", 35.0)
    assert client.drain() == ["3"]
    assert client.deadline == 80.0
    assert client.tick(79.9) == []
    assert client.tick(80.0) == [Left("the server fell silent")]


def test_a_server_that_says_nothing_at_all_is_given_up() -> None:
    client = SocketClient(NAMES, 5.0)
    assert client.tick(client.deadline) == [Left("the server fell silent")]


@pytest.mark.parametrize(
    "frame, reason", [("41/socket.io/register,", ""), ("41/socket.io/register", ""), ("1", "the server closed the session")]
)
def test_the_end_is_told(frame: str, reason: str) -> None:
    assert hear(joined(), frame) == [Left(reason)]


def test_leaving_is_said() -> None:
    client = joined()
    client.leave()
    assert client.drain() == ["41/socket.io/register,"]


@pytest.mark.parametrize("frame", ["", "9", "x", "0{", "4", "49", '42/socket.io/register,["a"', b"unasked", '4511-["a",{}]', "0[]"])
def test_another_protocol_is_an_error_with_a_number(frame: str | bytes) -> None:
    with pytest.raises(PeerError) as caught:
        joined().receive(frame, 1.0)
    assert caught.value.fault is errors.UNEXPECTED_ANSWER
