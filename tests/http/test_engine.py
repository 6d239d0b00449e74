"""Engine.IO over plain HTTP on a real port: the errors of socketio.md section 2, bodies, and clients that go away."""

from collections.abc import AsyncIterator

import httpx
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.http.fake import Server
from tests.server.engine_house import Journal, engine_house
from tests.transport.wire import opening
from voicestream.protocols.engineio_event import Ending
from voicestream.server.config import Settings
from voicestream.server.daspeak import engine_options
from voicestream.server.engine import EngineServer, Options
from voicestream.server.engine_watch import EngineWatch
from voicestream.server.metrics import Metrics

PAYLOAD = 1_000_000
POST_HEAD = "POST /socket.io/?EIO=4&transport=polling&sid={} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n"

REFUSED = [
    ("GET", "", 400, {"code": 0, "message": "Transport unknown"}),
    ("GET", "?EIO=4&transport=pigeon", 400, {"code": 0, "message": "Transport unknown"}),
    ("GET", "?EIO=4&transport=polling&sid=unknown", 400, {"code": 1, "message": "Session ID unknown"}),
    ("POST", "?EIO=4&transport=polling", 400, {"code": 2, "message": "Bad handshake method"}),
    ("PUT", "?EIO=4&transport=polling", 400, {"code": 2, "message": "Bad handshake method"}),
    ("DELETE", "?EIO=4&transport=polling", 400, {"code": 2, "message": "Bad handshake method"}),
    ("OPTIONS", "?EIO=4&transport=polling", 400, {"code": 2, "message": "Bad handshake method"}),
    ("GET", "?EIO=4&transport=websocket", 400, {"code": 3, "message": "Bad request"}),
    ("GET", "?EIO=3&transport=polling", 400, {"code": 5, "message": "Unsupported protocol version"}),
    ("GET", "?transport=polling", 400, {"code": 5, "message": "Unsupported protocol version"}),
]


@pytest.mark.parametrize("method, query, status, body", REFUSED)
async def test_a_refusal_is_spelled_as_the_reference_spells_it(method: str, query: str, status: int, body: dict[str, object]) -> None:
    async with engine_house(port=0) as house:
        answer = await house.client.request(method, f"/socket.io/{query}")
        assert (answer.status_code, answer.json()) == (status, body)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "method, query", [("GET", "EIO=3&transport=polling"), ("GET", "EIO=4&transport=websocket"), ("PUT", "EIO=4&transport=polling")]
)
async def test_a_known_session_takes_no_other_version_transport_or_method(method: str, query: str) -> None:
    async with engine_house(port=0) as house:
        sid = await house.handshake()
        answer = await house.client.request(method, f"/socket.io/?{query}&sid={sid}")
        assert (answer.status_code, answer.json()) == (400, {"code": 3, "message": "Bad request"})
        assert (await house.post(sid, "40")).text == "ok"


async def test_an_upgrade_is_refused_before_it_is_one() -> None:
    async with engine_house(port=0) as house:
        stream = await house.dial()
        await stream.send_all(opening("/socket.io/?EIO=4&transport=websocket&sid=unknown"))
        answer = bytes(await stream.receive_some())
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"Session ID unknown" in answer


async def test_the_slash_at_the_end_may_be_missing() -> None:
    async with engine_house(port=0) as house:
        assert (await house.client.get("/socket.io?EIO=4&transport=polling")).text.startswith("0{")


async def test_a_foreign_origin_is_refused() -> None:
    async with engine_house(options=Options(origins=frozenset({"https://good.example"})), port=0) as house:
        url = "/socket.io/?EIO=4&transport=polling"
        answer = await house.client.get(url, headers={"Origin": "https://bad.example"})
        assert (answer.status_code, answer.json()) == (403, {"code": 4, "message": "Forbidden"})
        assert (await house.client.get(url, headers={"Origin": "https://good.example"})).status_code == 200


async def test_a_refused_request_is_counted() -> None:
    async with engine_house(port=0) as house:
        await house.client.get("/socket.io/?EIO=4&transport=polling&sid=unknown")
        assert house.figure('faults_total{code="VS1651"}') == 1
        assert house.figure('handshakes_refused_total{reason="engine"}') == 1


# ---- bodies ---------------------------------------------------------------------------------------


async def in_pieces(size_bytes: int) -> AsyncIterator[bytes]:
    for begin in range(0, size_bytes, 50_000):
        yield b"4" * min(50_000, size_bytes - begin)


@pytest.mark.parametrize("size_bytes", [PAYLOAD + 1, 3 * PAYLOAD])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_too_large_is_refused_and_the_session_lives_on(chunked: bool, size_bytes: int) -> None:
    journal = Journal()
    async with engine_house(journal, port=0) as house:
        sid = await house.joined()
        answer = await house.post(sid, in_pieces(size_bytes) if chunked else b"4" * size_bytes)
        assert (answer.status_code, answer.content) == (413, b"")
        journal.connections[0].emit("/", "still")
        assert await house.packets(sid, 1) == ['42["still"]']
        assert house.figure('faults_total{code="VS1607"}') == 1


async def test_a_body_too_large_leaves_its_connection_open() -> None:
    """Closed over what is still to come, it would be reset, and the answer with it."""
    async with engine_house(port=0) as house:
        sid = await house.handshake()
        stream = await house.dial()
        size_bytes = 3 * PAYLOAD
        await stream.send_all(POST_HEAD.format(sid, size_bytes).encode() + b"4" * size_bytes)
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 413 ")
        await stream.send_all(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")


async def test_a_body_of_the_full_size_is_taken() -> None:
    journal = Journal()
    async with engine_house(journal, port=0) as house:
        sid = await house.joined()
        text = "x" * (PAYLOAD - len('42["e",""]'))
        assert (await house.post(sid, f'42["e","{text}"]')).text == "ok"
        await wait_all_tasks_blocked()
        assert journal.heard[-1].arguments == [text]  # type: ignore[union-attr]


async def test_a_binary_body_closes_the_session() -> None:
    async with engine_house(port=0) as house:
        sid = await house.handshake()
        assert (await house.post(sid, b"\0", "application/octet-stream")).status_code == 400
        assert (await house.get(sid)).json()["code"] == 1


async def test_a_packet_that_is_none_closes_the_session() -> None:
    async with engine_house(port=0) as house:
        sid = await house.handshake()
        assert (await house.post(sid, "abc")).status_code == 400
        assert (await house.get(sid)).json()["code"] == 1


async def test_a_get_with_a_body_is_refused() -> None:
    async with engine_house(port=0) as house:
        sid = await house.handshake()
        query = {"EIO": "4", "transport": "polling", "sid": sid}
        assert (await house.client.request("GET", "/socket.io/", params=query, content=b"x")).status_code == 400


# ---- clients that go away -------------------------------------------------------------------------

GET = "GET /socket.io/?EIO=4&transport=polling&sid={} HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.mark.parametrize("request_text", [GET, POST_HEAD.replace("{}\r\n\r\n", "100\r\n\r\n42[")])
async def test_a_connection_that_breaks_under_a_request_ends_the_session(request_text: str) -> None:
    journal = Journal()
    async with engine_house(journal, port=0) as house:
        sid = await house.joined()
        stream = await house.dial()
        await stream.send_all(request_text.format(sid).encode())
        while not house.listener._count:
            await trio.lowlevel.checkpoint()
        await stream.aclose()
        with trio.fail_after(5):
            assert await journal.ending() is Ending.TRANSPORT


async def test_get_and_post_share_a_kept_connection() -> None:
    async with engine_house(port=0) as house:
        house.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{house.port}", limits=httpx.Limits(max_connections=1))
        sid = await house.handshake()
        await house.post(sid, "40")
        assert (await house.packets(sid, 2))[1] == '42["auth",{}]'


# ---- in the product's application -----------------------------------------------------------------


async def test_every_answer_has_cors_headers_where_they_are_configured() -> None:
    settings = Settings(allow_cors=True)
    engine = EngineServer("/socket.io", ("/",), Journal(), EngineWatch(Metrics("0", {}), "/socket.io"), engine_options(settings))
    client = Server(settings, engines=[engine]).client
    async with trio.open_nursery() as nursery:
        await nursery.start(engine.run)
        for method, query, status in [("GET", "EIO=4&transport=polling", 200), ("GET", "", 400), ("OPTIONS", "", 204)]:
            answer = await client.request(method, f"/socket.io/?{query}")
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == "*"
        nursery.cancel_scope.cancel()
