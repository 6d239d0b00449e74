"""What the adapter promises of hypercorn 0.18.0, and what it keeps from it."""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import trio
import trustme

from tests.transport.fake import Book, echo
from tests.transport.live import live
from tests.transport.wire import masked, opening
from voicestream.transport.http import HttpServer
from voicestream.transport.listener import Route, anyone

GET = b"GET %s HTTP/1.1\r\nHost: voice.example\r\n\r\n"


class App:
    """Echoes bodies; /slow answers when it is let, /large with 64 MiB, /broken raises."""

    def __init__(self) -> None:
        self.let = trio.Event()
        self.life: list[str] = []
        self.scopes: list[dict[str, Any]] = []
        self.large_given_up = trio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                message = await receive()
                self.life.append(message["type"])
                await send({"type": message["type"] + ".complete"})
            return
        self.scopes.append(scope)
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        if scope["path"] == "/broken":
            raise RuntimeError("a defect")
        if scope["path"] == "/slow":
            await self.let.wait()
        answer = body or scope["path"].encode()
        chunks = [bytes(1 << 16)] * 1024 if scope["path"] == "/large" else [answer]
        length = str(sum(map(len, chunks))).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        if scope["path"] == "/large":
            self.large_given_up.set()


@asynccontextmanager
async def serving(app: App, tls: ssl.SSLContext | None = None, **options: float) -> AsyncIterator[tuple[int, Book, HttpServer]]:
    server = HttpServer(app, **options)
    async with trio.open_nursery() as nursery:
        await server.start(nursery)
        async with live([Route("/talk", anyone(echo))], server.serve, tls) as (port, book):
            yield port, book, server
        await server.stop()


async def read_until(stream: trio.abc.Stream, end: bytes) -> bytes:
    """What comes up to and with `end`; all there is when the stream ends before."""
    received = bytearray()
    with trio.fail_after(5):
        while end not in received and (data := await stream.receive_some()):
            received += data
    return bytes(received)


async def test_lifespan_begins_before_and_ends_after_the_connections() -> None:
    app = App()
    async with serving(app):
        assert app.life == ["lifespan.startup"]
    assert app.life == ["lifespan.startup", "lifespan.shutdown"]


async def test_requests_on_one_kept_connection() -> None:
    async with serving(App()) as (port, book, _):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        for path in (b"/one", b"/two", b"/three"):
            await stream.send_all(GET % path)
            answer = await read_until(stream, b"\r\n\r\n" + path)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"server:" not in answer.lower()
    assert book.escapes == []


async def test_a_head_in_two_pieces_and_two_requests_in_one() -> None:
    async with serving(App()) as (port, _, _):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        request = GET % b"/one"
        await stream.send_all(request[:20])
        await trio.testing.wait_all_tasks_blocked(0.01)
        await stream.send_all(request[20:] + GET % b"/two")
        assert b"/one" in await read_until(stream, b"/two")


@pytest.mark.parametrize("secure", [False, True])
async def test_uploads_and_their_addresses(secure: bool) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    app, body = App(), bytes(range(256)) * 12_000  # 3 MB
    async with serving(app, context if secure else None) as (port, book, _):
        url = f"{'https' if secure else 'http'}://localhost:{port}/upload?x=1"
        async with httpx.AsyncClient(verify=trust) as client:
            for _ in range(2):
                assert (await client.post(url, content=body)).content == body
    assert book.escapes == []
    assert len({scope["client"] for scope in app.scopes}) == 1  # one connection, kept
    assert (app.scopes[0]["scheme"], app.scopes[0]["query_string"]) == ("https" if secure else "http", b"x=1")
    assert app.scopes[0]["client"][0] == "127.0.0.1"


async def test_an_upgrade_as_second_request_is_426() -> None:
    app = App()
    async with serving(app) as (port, book, _):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(GET % b"/one")
        await read_until(stream, b"/one")
        await stream.send_all(opening())
        assert (await read_until(stream, b"\r\n\r\n")).startswith(b"HTTP/1.1 426 ")
    assert ([scope["type"] for scope in app.scopes], book.escapes) == (["http"], [])


@pytest.mark.parametrize("stray", [b"\x00garbage", masked(1, b"a legal early frame")])
async def test_bytes_behind_a_second_upgrade_end_that_connection_alone(stray: bytes) -> None:
    """hypercorn#225, which ends hypercorn's own process."""
    async with serving(App()) as (port, book, _):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(GET % b"/one")
        await read_until(stream, b"/one")
        await stream.send_all(opening() + stray)
        await read_until(stream, b"never")
        other = await trio.open_tcp_stream("127.0.0.1", port)
        await other.send_all(GET % b"/two")
        assert await read_until(other, b"/two")
    assert book.escapes == []


@pytest.mark.parametrize("request_after", [b"", GET % b"/one"])
async def test_an_offer_of_h2c_is_ignored(request_after: bytes) -> None:
    """Java's HttpClient and curl --http2 make it unasked, with any request."""
    offers = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
    async with serving(App()) as (port, book, _):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        if request_after:
            await stream.send_all(request_after)
            await read_until(stream, b"/one")
        await stream.send_all((GET % b"/offer")[:-2] + offers)
        answer = await read_until(stream, b"/offer")
        assert answer.startswith(b"HTTP/1.1 200 ")
    assert book.escapes == []


async def test_http2_by_prior_knowledge_as_second_request_stays_http1() -> None:
    app = App()
    async with serving(app) as (port, _, _):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(GET % b"/one")
        await read_until(stream, b"/one")
        await stream.send_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        answer = await read_until(stream, b"never")
    assert b"\x00\x00" not in answer  # no HTTP/2 frame
    assert {scope["http_version"] for scope in app.scopes} <= {"1.1", "2.0"}


@pytest.mark.parametrize("bad", [b"\x00\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"])
async def test_a_bad_second_request_is_refused_and_the_connection_ends(bad: bytes) -> None:
    async with serving(App()) as (port, book, _):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(GET % b"/one")
        await read_until(stream, b"/one")
        await stream.send_all(bad)
        assert (await read_until(stream, b"never")).startswith(b"HTTP/1.1 400 ")
    assert book.escapes == []


async def test_a_second_request_with_two_lengths_is_refused_and_the_connection_ends() -> None:
    hidden = GET % b"/hidden"
    two = b"POST /two HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
    app = App()
    async with serving(app) as (port, book, _):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(GET % b"/one")
        await read_until(stream, b"/one")
        await stream.send_all(two + hidden)
        answer = await read_until(stream, b"never")
        assert answer.startswith(b"HTTP/1.1 400 ") or not answer  # hypercorn may stumble over what is hidden and hang up first
    assert ([scope["path"] for scope in app.scopes], book.escapes) == (["/one"], [])


async def test_an_app_that_raises_is_a_500_and_no_more() -> None:
    async with serving(App()) as (port, book, _), httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}/broken")).status_code == 500
        assert (await client.get(f"http://127.0.0.1:{port}/fine")).text == "/fine"
    assert book.escapes == []


async def test_a_peer_that_does_not_read_its_answer_is_given_up() -> None:
    app = App()
    async with serving(app, write_s=0.2) as (port, book, _):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await stream.send_all(GET % b"/large")
        with trio.fail_after(10):
            await app.large_given_up.wait()
        assert len(await read_until(stream, b"never")) < 1 << 26
    assert book.escapes == []


async def test_an_idle_connection_is_closed() -> None:
    async with serving(App(), keep_alive_s=0.1) as (port, book, _):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(GET % b"/one")
        assert (await read_until(stream, b"never")).endswith(b"/one")
    assert book.escapes == []


async def test_a_request_that_came_while_the_process_stood_still_is_answered(mock_clock: trio.testing.MockClock) -> None:
    async with serving(App(), keep_alive_s=5) as (port, book, _):
        streams = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(20)]
        for stream in streams:
            await stream.send_all(GET % b"/one")
            await read_until(stream, b"/one")
        for stream in streams:
            await stream.send_all(GET % b"/two")
        mock_clock.jump(6)
        for stream in streams:
            assert (await read_until(stream, b"/two")).endswith(b"/two")
    assert book.escapes == []


async def test_a_drain_closes_what_is_idle_and_finishes_what_is_under_way() -> None:
    app = App()
    async with serving(app, keep_alive_s=60) as (port, book, server):
        idle = await trio.open_tcp_stream("127.0.0.1", port)
        await idle.send_all(GET % b"/one")
        await read_until(idle, b"/one")
        busy = await trio.open_tcp_stream("127.0.0.1", port)
        await busy.send_all(GET % b"/slow")
        await trio.testing.wait_all_tasks_blocked(0.05)
        await server.drain()
        assert await read_until(idle, b"never") == b""
        app.let.set()
        assert (await read_until(busy, b"never")).endswith(b"/slow")
    assert book.escapes == []


async def test_who_hangs_up_in_the_middle_of_an_upload_is_no_defect() -> None:
    app = App()
    async with serving(app) as (port, book, _):
        for _ in range(3):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            await stream.send_all(b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
            await stream.aclose()
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert len(app.scopes) == 3
    assert book.escapes == []
