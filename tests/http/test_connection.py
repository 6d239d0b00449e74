"""The application behind the real HTTP server, on real sockets: request lines and endings that only those have."""

from collections.abc import AsyncIterator

import pytest
import trio

from tests.http.fake import Server
from tests.http.recording import pcm16, speech
from voicestream.transport.http import HttpServer


@pytest.fixture
async def address(server: Server) -> AsyncIterator[tuple[str, int]]:
    http = HttpServer(server.app)

    async def greet(stream: trio.SocketStream) -> None:
        await http.serve(stream, bytes(await stream.receive_some()))

    async with trio.open_nursery() as nursery:
        await http.start(nursery)
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, greet, [listener])
        yield listener.socket.getsockname()
        await http.stop()
        nursery.cancel_scope.cancel()


async def say(address: tuple[str, int], request: bytes) -> bytes:
    """Everything the server says to `request` until it closes."""
    async with await trio.open_tcp_stream(*address) as stream:
        await stream.send_all(request)
        answer = b""
        with trio.fail_after(10):
            async for data in stream:
                answer += data
    return answer


HOST = b"Host: x\r\nConnection: close\r\n\r\n"
REQUESTS = {
    "kept open by nobody": (b"GET /healthz HTTP/1.1\r\n" + HOST, b"200"),
    "HTTP/1.0": (b"GET /healthz HTTP/1.0\r\n\r\n", b"200"),
    "no path": (b"GET ?x HTTP/1.1\r\n" + HOST, b"200"),
    "no slash": (b"GET healthz HTTP/1.1\r\n" + HOST, b"200"),
    "a whole address": (b"GET http://elsewhere/healthz HTTP/1.1\r\n" + HOST, b"200"),
    "an address that is none": (b"GET http://[x HTTP/1.1\r\n" + HOST, b"404"),
    "asterisk": (b"OPTIONS * HTTP/1.1\r\n" + HOST, b"404"),
    "bytes of no alphabet": (b"GET /%00%ff%fe HTTP/1.1\r\n" + HOST, b"404"),
    "broken escapes": (b"GET /%zz%u1234 HTTP/1.1\r\n" + HOST, b"404"),
    "a host that is none": (b"GET /healthz HTTP/1.1\r\nHost: \xff[::/a?b#c@d:99999999\r\nConnection: close\r\n\r\n", b"200"),
    "headers of no alphabet": (b"GET /healthz HTTP/1.1\r\nCookie: ;=\xff\r\nAccept: ;q=x\r\nIf-None-Match: \xe9\r\n" + HOST, b"200"),
    "a range backwards": (b"GET /web/page.css HTTP/1.1\r\nRange: bytes=5-2\r\n" + HOST, b"400"),
    "a length that is a lie upwards": (
        b"POST /snr_computer/compute_with_samples?sample_rate=8000 HTTP/1.1\r\nContent-Length: 9999999999999\r\n" + HOST,
        b"413",
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
async def test_the_answer_comes_and_then_the_end(address: tuple[str, int], name: str) -> None:
    request, status = REQUESTS[name]
    assert (await say(address, request)).split(b" ", 2)[1] == status


async def test_an_upload_that_breaks_off_is_forgotten(address: tuple[str, int], server: Server) -> None:
    head = b"POST /snr_computer/compute_with_samples?sample_rate=8000 HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n"
    for _ in range(20):
        async with await trio.open_tcp_stream(*address) as stream:
            await stream.send_all(head + bytes(5000))
    voice = pcm16(speech(1, 8000))
    whole = head.replace(b"9000", str(len(voice)).encode()).replace(b"Host: x", b"Host: x\r\nConnection: close") + voice
    assert b" 200 " in await say(address, whole)
    assert "VS5000" not in server.watch.refused
