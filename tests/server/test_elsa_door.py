"""Who may come in: the token in all its spellings, and what the others are told."""

from pathlib import Path

import pytest
from trio.testing import MockClock

from tests.assessment.house import CONFIG, FREE, SCRIPTED, House, house, told
from tests.transport.live import open_stream
from voicestream.protocols import elsa_scripted


@pytest.mark.parametrize("scheme", ["ELSA", "Elsa", "elsa", "Bearer", "BEARER"])
async def test_the_token_comes_in_several_spellings(tmp_path: Path, scheme: str, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        async with visited.visit(FREE, ("Authorization", f"{scheme} {visited.key}"), ("Origin", "http://foreign.example")) as websocket:
            await websocket.send_message(CONFIG)
            assert (await told(websocket))["status"] == "processing"


async def refusal(visited: House, path: str, *fields: str) -> bytes:
    """What an upgrade with these header fields is answered."""
    head = [f"GET {path} HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    head += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *fields, "", ""]
    answer = b""
    async with open_stream(visited.listener) as stream:
        await stream.send_all("\r\n".join(head).encode())
        while data := await stream.receive_some():
            answer += data
    return answer


@pytest.mark.parametrize("path", [FREE, SCRIPTED, elsa_scripted.ALIAS])
async def test_without_a_token_nobody_comes_in(tmp_path: Path, path: str, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        key = visited.key
        for value in ("", "ELSA", "ELSA wrong", f"Basic {key}", key, f"ELSA {key}x", f"ELSA {key} {key}", f"ELSA {key}, ELSA {key}"):
            answer = await refusal(visited, path, f"Authorization: {value}")
            assert answer.startswith(b"HTTP/1.1 401 "), value
        for offer in ("elsa.", "elsa.wrong", f"{key}", f"Elsa.{key}", f'elsa."{key}"'):
            assert (await refusal(visited, path, f"Sec-WebSocket-Protocol: {offer}")).startswith(b"HTTP/1.1 401 "), offer
        assert (await refusal(visited, path)).startswith(b"HTTP/1.1 401 ")


async def test_a_browser_shows_its_token_as_a_subprotocol(tmp_path: Path, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        async with visited.visit(FREE, subprotocols=["chat", f"elsa.{visited.key}"]) as websocket:
            assert websocket.subprotocol == f"elsa.{visited.key}"
            await websocket.send_message(CONFIG)
            assert (await told(websocket))["status"] == "processing"


async def test_a_refusal_is_told_in_the_familys_own_words(tmp_path: Path, autojump_clock: MockClock) -> None:
    with house(tmp_path) as visited:
        head, _, body = (await refusal(visited, FREE, "Authorization: ELSA secret")).partition(b"\r\n\r\n")
        assert b"WWW-Authenticate: ELSA" in head
        assert body == b'{"error": {"code": 2126, "message": "Not authorized", "errors": ["token missing or not good"]}}'
