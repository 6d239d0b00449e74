"""The short way of a token request: who may take it, and that everybody else arrives at the HTTP server with every byte."""

import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from functools import partial

import pytest
import trio
import trio.testing
import trustme

from tests.http.fake import UNIX_S, shared_authority
from voicestream.protocols.oauth2 import Presented
from voicestream.server.http.token_door import TokenDoor
from voicestream.server.login import Login

FORM = "application/x-www-form-urlencoded"
CRLF = "\r\n"


class AtOnce:
    async def run(self, work, model):  # type: ignore[no-untyped-def]
        return work()


class House:
    """A door, the HTTP server behind it, which keeps what it is handed and hangs up, and one client."""

    client: trio.SocketStream

    def __init__(self) -> None:
        authority, told = shared_authority()
        self.authority, self.told = authority, told
        self.login = Login(authority, AtOnce(), lambda: UNIX_S)
        self.door = TokenDoor(self.login, self.http, body_s=0.05, write_s=1.0, keep_alive_s=0.05)
        self.handed_on: list[bytes] = []
        self.body = f"grant_type=client_credentials&client_id={told.client_id}&client_secret={told.client_secret}".encode()

    async def http(self, stream: trio.abc.Stream, data: bytes) -> None:
        self.handed_on.append(data)

    async def greet(self, stream: trio.SocketStream) -> None:
        await self.door.serve(stream, bytes(await stream.receive_some()))

    def asked(self, line: str = "POST /oauth2/token HTTP/1.1", **fields: str) -> bytes:
        told = {"Host": "x", "Content-Type": FORM, "Content-Length": str(len(self.body))} | fields
        return f"{line}\r\n{''.join(f'{name}: {value}{CRLF}' for name, value in told.items())}\r\n".encode() + self.body

    async def token(self) -> str:
        """What one answer grants."""
        answer = b""
        while not answer.endswith(b"}"):
            answer += await self.client.receive_some()
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"Cache-Control: no-store" in head
        assert f"content-length: {len(body)}\r\n".encode() in head
        return str(json.loads(body)["access_token"])


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """Its client's secret is remembered."""
    house = House()
    await house.login.client(Presented(house.told.client_id, house.told.client_secret), "127.0.0.1")
    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, house.greet, 0, host="127.0.0.1"))
        house.client = await trio.testing.open_stream_to_socket_listener(listener)
        yield house
        await house.client.aclose()
        nursery.cancel_scope.cancel()


async def test_a_known_client_is_answered_again_and_again(house: House) -> None:
    for path in ("/oauth2/token", "/socket.io/oauth2/token"):
        await house.client.send_all(house.asked(f"POST {path} HTTP/1.1"))
        principal = house.authority.token(await house.token(), UNIX_S)
        assert principal.name == house.told.client_id
    assert not house.handed_on


async def test_two_requests_in_one_segment(house: House) -> None:
    await house.client.send_all(house.asked() + house.asked())
    answers = b""
    while answers.count(b"access_token") < 2 or not answers.endswith(b"}"):
        answers += await house.client.receive_some()
    assert not house.handed_on


async def test_a_request_that_came_while_the_process_stood_still(house: House, mock_clock: trio.testing.MockClock) -> None:
    for _ in range(20):
        await house.client.send_all(house.asked())
        mock_clock.jump(0.06)
        assert await house.token()
    assert not house.handed_on


async def test_a_body_may_come_late(house: House) -> None:
    asked = house.asked()
    await house.client.send_all(asked[:-40])
    await trio.testing.wait_all_tasks_blocked()
    await house.client.send_all(asked[-40:])
    assert await house.token()


async def test_over_tls_too(house: House) -> None:
    authority = trustme.CA()
    server, client = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)

    async def greet(stream: trio.SocketStream) -> None:
        secure = trio.SSLStream(stream, server, server_side=True, https_compatible=True)
        await house.door.serve(secure, bytes(await secure.receive_some()))

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, greet, 0, host="127.0.0.1"))
        plain = await trio.testing.open_stream_to_socket_listener(listener)
        secure = trio.SSLStream(plain, client, server_hostname="127.0.0.1", https_compatible=True)
        await secure.send_all(house.asked())
        assert b"access_token" in await secure.receive_some()
        nursery.cancel_scope.cancel()


async def test_a_client_that_is_gone_already_is_no_defect(house: House) -> None:
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    plain = await trio.testing.open_stream_to_socket_listener(listener)
    stream = await listener.accept()
    plain.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    plain.socket.close()  # a reset
    with pytest.raises(trio.BrokenResourceError):
        await stream.receive_some()
    await house.door.serve(stream, house.asked())
    assert house.handed_on == [house.asked()]


async def test_in_a_drain_the_http_server_has_the_word(house: House) -> None:
    house.door.draining = True
    await house.client.send_all(house.asked())
    assert await until_handed_on(house) == house.asked()


async def until_handed_on(house: House) -> bytes:
    assert await house.client.receive_some() == b""
    [data] = house.handed_on
    return data


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("GET /oauth2/token HTTP/1.1", {}),
        ("POST /oauth2/token HTTP/1.0", {}),
        ("POST /oauth2/token?x HTTP/1.1", {}),
        ("POST /oauth2/tokens HTTP/1.1", {}),
        ("POST /oauth2/token HTTP/1.1", {"Transfer-Encoding": "chunked"}),
        ("POST /oauth2/token HTTP/1.1", {"Expect": "100-continue"}),
        ("POST /oauth2/token HTTP/1.1", {"Connection": "close"}),
        ("POST /oauth2/token HTTP/1.1", {"Content-Length": "+10"}),
        ("POST /oauth2/token HTTP/1.1", {"Content-Length": "99999"}),
        ("POST /oauth2/token HTTP/1.1", {"content-length": "3"}),  # a second one
        ("POST /oauth2/token HTTP/1.1", {"Host": "\u00e9"}),
        ("POST /oauth2/token HTTP/1.1", {"Content-Type": "application/json"}),
        ("POST /oauth2/token HTTP/1.1", {"Authorization": "Basic eDp5"}),
    ],
)
async def test_what_is_unusual_is_handed_on_whole(house: House, line: str, fields: dict[str, str]) -> None:
    asked = house.asked(line, **fields)
    await house.client.send_all(asked)
    assert await until_handed_on(house) == asked


async def test_what_follows_an_answer_is_handed_on_too(house: House) -> None:
    await house.client.send_all(house.asked())
    await house.token()
    await house.client.send_all(b"GET / HTTP/1.1\r\n\r\n")
    assert await until_handed_on(house) == b"GET / HTTP/1.1\r\n\r\n"


async def test_a_body_that_does_not_come_is_handed_on(house: House) -> None:
    await house.client.send_all(house.asked()[:-1])
    assert await until_handed_on(house) == house.asked()[:-1]


async def test_an_unknown_secret_is_handed_on(house: House) -> None:
    house.body += b"x"
    await house.client.send_all(house.asked())
    assert await until_handed_on(house) == house.asked()


async def test_guessers_are_not_answered_here(house: House) -> None:
    for number in range(10):
        with pytest.raises(Exception, match="VS1808"):
            await house.login.client(Presented(house.told.client_id, f"wrong {number}"), "127.0.0.1")
    await house.client.send_all(house.asked())
    assert await until_handed_on(house) == house.asked()


async def test_an_idle_connection_is_closed(house: House) -> None:
    await house.client.send_all(house.asked())
    await house.token()
    assert await house.client.receive_some() == b""
    assert not house.handed_on
