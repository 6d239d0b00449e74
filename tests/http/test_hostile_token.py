"""Hostile access tokens at introspection and revocation: none is active, none is anything but a text, no answer differs."""

import httpx
import pytest

from tests.http.fake import shared_authority
from tests.http.test_oauth import INTROSPECT, REVOKE, other_client
from tests.store.test_token import AT, HOSTILE, TOKEN, TOKENS
from voicestream.store.client import add_client

ROWS = [(name, token) for name, token in HOSTILE if len(token) < 6000 and "surrogate" not in name]  # a form has 8 KiB


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A client of the tenant whose good token the hostile ones are made of."""
    authority, _ = shared_authority()
    monkeypatch.setattr(authority, "tokens", TOKENS)
    form = other_client(tenant="acme")
    made, _ = add_client(authority.database, "theirs", AT, tenant="acme")
    with authority.database.write() as connection:
        connection.execute("DELETE FROM secrets WHERE client_id = ?", (made.client_id,))
        connection.execute("UPDATE OR IGNORE clients SET client_id = 'c1' WHERE client_id = ?", (made.client_id,))
    authority.reload()
    return form


async def test_none_is_active(client: httpx.AsyncClient, asking: dict[str, str]) -> None:
    assert len(ROWS) >= 60
    for name, token in ROWS:
        answer = await client.post(INTROSPECT, data={**asking, "token": token})
        told = answer.json()
        assert (answer.status_code, told) in ((200, {"active": False}), (400, told)), name
        assert "active" not in told or told == {"active": False}
    assert (await client.post(INTROSPECT, data={**asking, "token": TOKEN})).json()["active"]


async def test_none_is_revoked(client: httpx.AsyncClient, asking: dict[str, str]) -> None:
    for name, token in ROWS[:20]:
        assert (await client.post(REVOKE, data={**asking, "token": token})).status_code == 200, name
    assert (await client.post(INTROSPECT, data={**asking, "token": TOKEN})).json()["active"]
