"""Hostile access tokens at the server's doors for them, in a header and in the CONNECT payload: none gets in.

The rows are those of tests/store/test_token.py; here they meet an authority that has their key and knows their client.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from trio.testing import MockClock
from trio_websocket import WebSocketConnection

from tests.server.race import RaceHouse
from tests.store.test_token import AT, HOSTILE, TOKEN, TOKENS
from voicestream.store.client import add_client

HANDSHAKE = "/socket.io/?EIO=4&transport=websocket"
# What a message of 1 MB holds; `Bearer` a browser may write.
IN_PAYLOAD = [(name, token) for name, token in HOSTILE if len(token) < 900_000 and token.isascii() and not token.startswith("Bearer")]
# What a header holds; blanks at its ends are none of its value.
IN_HEADER = [(name, token) for name, token in IN_PAYLOAD if token.isprintable() and token.strip() == token != "" and len(token) < 4000]


class House(RaceHouse):
    """Signalling whose authority issued the good token that the hostile ones are made of."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        made, _ = add_client(self.database, "theirs", AT, tenant="acme")
        with self.database.write() as connection:
            connection.execute("DELETE FROM secrets WHERE client_id = ?", (made.client_id,))
            connection.execute("UPDATE clients SET client_id = 'c1' WHERE client_id = ?", (made.client_id,))
        self.authority.tokens = TOKENS
        self.authority.refresh()
        self.at = AT

    @asynccontextmanager
    async def client(self, *headers: tuple[str, str]) -> AsyncIterator[WebSocketConnection]:
        async with self.visit(HANDSHAKE, *headers) as client:
            await client.get_message()
            yield client


async def connect(client: WebSocketConnection, auth: object) -> str:
    """What CONNECT with this payload is answered."""
    await client.send_message(f"40/register,{json.dumps(auth)}")
    return str(await client.get_message())


def test_there_are_enough() -> None:
    assert len(IN_HEADER) >= 60


async def test_in_the_payload(tmp_path: Path, autojump_clock: MockClock) -> None:
    house = House(tmp_path)
    async with house.running():
        for name, token in IN_PAYLOAD:
            async with house.client() as client:
                assert await connect(client, {"token": token}) == '44/register,{"message":"invalid token"}', name
        async with house.client() as client:
            assert (await connect(client, {"token": TOKEN})).startswith('40/register,{"sid":')
    assert house.book.escapes == []


async def test_in_the_header(tmp_path: Path, autojump_clock: MockClock) -> None:
    house = House(tmp_path)
    async with house.running():
        for name, token in IN_HEADER:
            async with house.client(("authorization", f"Bearer {token}")) as client:
                assert await connect(client, {"token": TOKEN}) == '44/register,{"message":"invalid token"}', name
        async with house.client(("authorization", f"Bearer {TOKEN}")) as client:
            assert (await connect(client, {})).startswith('40/register,{"sid":')
    assert house.book.escapes == []


async def test_what_is_no_text_at_all(tmp_path: Path, autojump_clock: MockClock) -> None:
    house = House(tmp_path)
    async with house.running():
        for auth in ({}, {"token": None}, {"token": 1}, {"token": [TOKEN]}, {"token": {"token": TOKEN}}, {"Token": TOKEN}):
            async with house.client() as client:
                assert await connect(client, auth) == '44/register,{"message":"invalid token"}'
