"""Slowness and nonsense before TLS is up: let go at the deadline, numbered, and a good client is served meanwhile."""

import ssl
from collections.abc import Iterator

import pytest
import trio
import trustme

from benchmarks.attacks import Target
from benchmarks.attacks.peer import connected
from benchmarks.house import House, house
from tests.attacks.test_attacks import logged

HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # how a TLS client begins


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def secure(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    place = tmp_path_factory.mktemp("tls")
    certificate = authority.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(place / "pair.pem"))
    with house(place / "log", tls_cert=place / "pair.pem", tls_key=place / "pair.pem", tls_handshake_s=0.6) as running:
        yield running


async def healthy(port: int, authority: trustme.CA) -> bool:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    stream = await trio.open_ssl_over_tcp_stream("localhost", port, ssl_context=context, https_compatible=True)
    await stream.send_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return b" 200 " in await stream.receive_some()


@pytest.mark.parametrize("data", [b"", HELLO], ids=["silent", "half a hello"])
async def test_a_slow_hello_is_let_go(secure: House, authority: trustme.CA, data: bytes) -> None:
    began = secure.log_end()
    with trio.fail_after(10):
        async with connected(Target(secure.port, "")) as peer:
            await peer.say(data)
            assert await healthy(secure.port, authority)
            assert await peer.cut() == "cut"
    assert [entry["code"] for entry in await logged(secure, began, "VS1113")] == ["VS1113"]


async def test_a_hello_byte_by_byte_is_let_go(secure: House) -> None:
    async with connected(Target(secure.port, "", drip_s=0.1)) as peer:
        await peer.drip([bytes((byte,)) for byte in HELLO * 10], Target(secure.port, "", drip_s=0.1))
        assert await peer.cut() == "cut"


async def test_plain_http_to_tls_is_refused(secure: House, authority: trustme.CA) -> None:
    began = secure.log_end()
    async with connected(Target(secure.port, "")) as peer:
        await peer.say(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await peer.cut() == "cut"
    assert [entry["code"] for entry in await logged(secure, began, "VS1113")] == ["VS1113"]
    assert await healthy(secure.port, authority)
