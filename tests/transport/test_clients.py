"""Real sockets and the clients of others: trio-websocket, websockets, websocket-client, and plain TCP gone wrong."""

import socket
import ssl
import struct
from collections.abc import Callable

import pytest
import trio
import trio_websocket
import trustme
import websocket
import websockets.sync.client

from tests.transport.fake import Book, echo, hear, received
from tests.transport.live import live, no_http
from tests.transport.wire import BINARY, CLOSE, TEXT, closing, masked, opening, split
from voicestream import errors
from voicestream.transport.listener import Admission, Listener, Route, anyone
from voicestream.transport.websocket import Disconnected, Timing, WebSocket

TALK = Route("/talk", anyone(echo))
MESSAGES: list[str | bytes] = ["", "Grüße 世界", b"", bytes(range(256)), "x" * 65_000, bytes(200_000)]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


# ---- clients of others ----------------------------------------------------------------------------


async def test_trio_websocket() -> None:
    async with live([TALK]) as (port, book), trio_websocket.open_websocket_url(f"ws://127.0.0.1:{port}/talk") as client:
        for message in MESSAGES:
            await client.send_message(message)
            assert await client.get_message() == message
        await client.ping(b"are you there")
    assert (book.endings, book.escapes) == ([(1000, "peer")], [])


def use_websockets(port: int) -> None:
    with websockets.sync.client.connect(f"ws://127.0.0.1:{port}/talk") as client:  # offers permessage-deflate
        assert client.protocol.extensions == []
        for message in MESSAGES:
            client.send(message)
        assert [client.recv() for _ in MESSAGES] == MESSAGES
        client.send(["in ", "many ", "fragments"])
        assert client.recv() == "in many fragments"
        assert client.ping("are you there").wait(5)
        client.close(4000, "done")


def use_websocket_client(port: int) -> None:
    client = websocket.create_connection(f"ws://127.0.0.1:{port}/talk", timeout=10)
    for message in MESSAGES:
        client.send_binary(message) if isinstance(message, bytes) else client.send(message)
    assert [client.recv() for _ in MESSAGES] == MESSAGES
    client.close()


@pytest.mark.parametrize("use, ending", [(use_websockets, (4000, "peer")), (use_websocket_client, (1000, "peer"))])
async def test_clients_on_a_thread(use: Callable[[int], None], ending: tuple[int, str]) -> None:
    async with live([TALK]) as (port, book):
        await trio.to_thread.run_sync(use, port)
    assert (book.endings, book.escapes) == ([ending], [])


async def test_tls(authority: trustme.CA) -> None:
    async with live([TALK], tls=server_context(authority)) as (port, book):
        url = f"wss://localhost:{port}/talk"
        async with trio_websocket.open_websocket_url(url, ssl_context=client_context(authority)) as client:
            for message in MESSAGES:
                await client.send_message(message)
                assert await client.get_message() == message
    assert (book.endings, book.escapes) == ([(1000, "peer")], [])


async def test_tls_refusals_are_read_and_plain_http_to_it_is_borne(authority: trustme.CA) -> None:
    async with live([TALK], tls=server_context(authority)) as (port, book):
        with pytest.raises(trio_websocket.ConnectionRejected) as refused:
            async with trio_websocket.open_websocket_url(f"wss://localhost:{port}/elsewhere", ssl_context=client_context(authority)):
                pass
        assert refused.value.status_code == 404
        plain = await trio.open_tcp_stream("127.0.0.1", port)
        await plain.send_all(opening())
        assert b"HTTP" not in await read_to_end(plain)
    assert ([refusal.fault for refusal in book.refusals], book.escapes) == ([errors.UNKNOWN_PATH, errors.TLS_HANDSHAKE], [])


# ---- plain TCP ------------------------------------------------------------------------------------


async def read_to_end(stream: trio.SocketStream) -> bytes:
    data_in = bytearray()
    while data := await stream.receive_some():
        data_in += data
    return bytes(data_in)


async def test_last_message_then_close_then_end_of_stream() -> None:
    async with live([TALK]) as (port, _):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(opening() + masked(TEXT, b"1"))
        await stream.send_all(masked(BINARY, b"last") + closing(1000))
        await stream.send_eof()
        frames = split((await read_to_end(stream)).partition(b"\r\n\r\n")[2])
    assert frames == [(TEXT, b"1"), (BINARY, b"last"), (CLOSE, b"\x03\xe8")]


async def test_a_refusal_is_read_though_the_peer_sent_more_than_we_wanted() -> None:
    async with live([TALK]) as (port, _):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(opening("/elsewhere") + bytes(300_000))
        assert (await read_to_end(stream)).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("stray", [b"\x00", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 5000])
async def test_stray_bytes_behind_an_upgrade_harm_nobody_else(stray: bytes) -> None:
    """hypercorn#225: in other servers one such packet ends the process."""
    async with live([TALK]) as (port, book), trio_websocket.open_websocket_url(f"ws://127.0.0.1:{port}/talk") as client:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(opening() + stray)
        await stream.send_eof()
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 101 ")
        await stream.aclose()
        await client.send_message("still there")
        assert await client.get_message() == "still there"
    assert book.escapes == []


async def reset(port: int, data: bytes) -> None:
    """Connect, send `data` and reset the connection."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    await stream.send_all(data)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await stream.aclose()


async def test_resets_in_every_state_are_no_defects() -> None:
    async with live([TALK]) as (port, book):
        for data in (b"", b"GET", opening(), opening("/elsewhere"), opening() + masked(TEXT, b"x") * 100, opening() + closing(1000)):
            for _ in range(5):
                await reset(port, data)
        assert await trio.to_thread.run_sync(use_websocket_client, port) is None
    assert (book.escapes, book.open) == ([], set())


async def test_a_connection_gone_before_it_is_greeted_is_forgotten() -> None:
    book = Book()
    (door,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with door:
        await reset(door.socket.getsockname()[1], b"x")
        stream = await door.accept()
        await Listener([TALK], no_http, book, Admission()).greet(stream)
        assert stream.socket.fileno() == -1
    assert book.escapes == []


async def test_a_peer_that_never_reads_is_closed_and_its_answers_are_not_made() -> None:
    made = 0

    def source(room_bytes: int) -> list[str | bytes]:
        nonlocal made
        made += 1
        return [bytes(room_bytes)]  # as if the answers had no end

    gone = trio.Event()

    async def talk(websocket: WebSocket) -> None:
        websocket.attach(source)
        try:
            while True:
                await received(websocket)
                websocket.flush()
        except Disconnected:
            gone.set()

    async with live([Route("/talk", anyone(talk), timing=Timing(write_s=0.2, outbox_bytes=64 * 1024))]) as (port, book):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await stream.send_all(opening() + masked(TEXT, b"x"))
        with trio.fail_after(10):
            await gone.wait()
        assert made < 200  # what the kernel's buffers took, some megabytes
    assert (book.endings, book.escapes) == ([(1013, "server")], [])


async def test_a_half_open_connection_is_found_by_its_silence() -> None:
    async with live([Route("/talk", anyone(hear), timing=Timing(ping_s=0.1, pong_s=0.1, close_s=0.1))]) as (port, book):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(opening())
        with trio.fail_after(5):
            data = await read_to_end(stream)  # reads, but answers nothing
    assert [opcode for opcode, _ in split(data.partition(b"\r\n\r\n")[2])] == [9, CLOSE]
    assert book.endings == [(1011, "server")]


async def test_a_closed_connection_leaves_its_number_to_others() -> None:
    """Two connections after one another have the same descriptor: the first one must not read what the second gets."""
    async with live([TALK]) as (port, book):
        for number in range(20):
            async with trio_websocket.open_websocket_url(f"ws://127.0.0.1:{port}/talk") as client:
                await client.send_message(str(number))
                assert await client.get_message() == str(number)
            await reset(port, opening() + masked(TEXT, b"x") * 50)
    assert book.escapes == []
