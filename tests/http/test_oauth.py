"""OAuth2 over HTTP, as its clients see it."""

import base64
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import trio
import trio.testing

from tests.http.fake import UNIX_S, Server, shared_authority
from voicestream.store.authority import Authority
from voicestream.store.client import add_client

TOKEN = "/oauth2/token"
INTROSPECT = "/oauth2/introspect"
REVOKE = "/oauth2/revoke"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def authority() -> Authority:
    return shared_authority()[0]


@pytest.fixture
def form() -> dict[str, str]:
    _, known = shared_authority()
    return {"grant_type": "client_credentials", "client_id": known.client_id, "client_secret": known.client_secret}


def other_client(**told: object) -> dict[str, str]:
    made, secret = add_client(authority()._database, "other", UNIX_S, **told)  # type: ignore[arg-type]
    authority().reload()
    return {"client_id": made.client_id, "client_secret": secret}


def check(answer: httpx.Response, status: int, error: str, code: str) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert list(answer.json()) == ["error", "error_description"]
    assert answer.json()["error_description"].startswith(f"VS{code} ")
    assert answer.headers["Content-Type"] == "application/json"
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")


@pytest.mark.parametrize("path", ["/oauth2/token", "/socket.io/oauth2/token", "/oauth2/token/"])
async def test_a_token_under_each_of_its_names(client: httpx.AsyncClient, form: dict[str, str], path: str) -> None:
    answer = await client.post(path, data=form)
    assert answer.status_code == 200
    assert list(answer.json()) == ["access_token", "token_type", "expires_in"]
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3600)
    assert answer.headers["Content-Type"] == "application/json"
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    assert authority().token(answer.json()["access_token"], UNIX_S).name == form["client_id"]


async def test_by_basic_and_a_scope(client: httpx.AsyncClient, form: dict[str, str]) -> None:
    login = httpx.BasicAuth(form["client_id"], form["client_secret"])
    answer = await client.post(TOKEN, data={"grant_type": "client_credentials", "scope": "verify"}, auth=login)
    assert answer.json()["scope"] == "verify"
    assert authority().token(answer.json()["access_token"], UNIX_S).scopes == {"verify"}


@pytest.mark.parametrize(
    ("change", "status", "error", "code"),
    [
        ({"grant_type": ""}, 400, "invalid_request", "1802"),
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type", "1806"),
        ({"scope": "admin"}, 400, "invalid_scope", "1807"),
        ({"scope": "register verify admin"}, 400, "invalid_scope", "1807"),
        ({"client_secret": "wrong"}, 401, "invalid_client", "1808"),
        ({"client_id": "nobody"}, 401, "invalid_client", "1808"),
        ({"client_secret": ""}, 401, "invalid_client", "1808"),
        ({"x": "y" * 9000}, 400, "invalid_request", "1805"),
    ],
)
async def test_refusals(server: Server, form: dict[str, str], change: dict[str, str], status: int, error: str, code: str) -> None:
    answer = await server.client.post(TOKEN, data={**form, **change})
    check(answer, status, error, code)
    assert "WWW-Authenticate" not in answer.headers
    assert server.watch.refused == [f"VS{code}"]


async def test_an_unknown_client_and_a_wrong_secret_are_told_the_same(client: httpx.AsyncClient, form: dict[str, str]) -> None:
    wrong = await client.post(TOKEN, data={**form, "client_secret": "wrong"})
    unknown = await client.post(TOKEN, data={**form, "client_id": "nobody"})
    assert (wrong.content, wrong.headers) == (unknown.content, unknown.headers)


async def test_basic_is_challenged_by_basic(client: httpx.AsyncClient, form: dict[str, str]) -> None:
    answer = await client.post(TOKEN, data={"grant_type": "client_credentials"}, auth=httpx.BasicAuth(form["client_id"], "wrong"))
    check(answer, 401, "invalid_client", "1808")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="voicestream"'


async def test_two_authorization_headers_are_none(client: httpx.AsyncClient, form: dict[str, str]) -> None:
    coded = base64.b64encode(f"{form['client_id']}:{form['client_secret']}".encode()).decode()
    headers = [("Authorization", f"Basic {coded}"), ("Authorization", f"Basic {coded}"), *FORM.items()]
    check(await client.post(TOKEN, content=b"grant_type=client_credentials", headers=headers), 401, "invalid_client", "1808")


async def test_header_and_form_together(client: httpx.AsyncClient, form: dict[str, str]) -> None:
    answer = await client.post(TOKEN, data=form, auth=httpx.BasicAuth(form["client_id"], form["client_secret"]))
    check(answer, 400, "invalid_request", "1804")


async def test_a_parameter_twice(client: httpx.AsyncClient) -> None:
    check(await client.post(TOKEN, content=b"grant_type=a&grant_type=a", headers=FORM), 400, "invalid_request", "1803")


async def test_json_is_no_form(client: httpx.AsyncClient, form: dict[str, str]) -> None:
    check(await client.post(TOKEN, json=form), 400, "invalid_request", "1801")


async def test_nothing_in_the_query_counts(client: httpx.AsyncClient, form: dict[str, str]) -> None:
    check(await client.post(TOKEN, params=form, content=b"", headers=FORM), 400, "invalid_request", "1802")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("path", [TOKEN, "/socket.io/oauth2/token", REVOKE, INTROSPECT])
async def test_post_alone(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "OPTIONS, POST")


async def test_a_body_that_does_not_come(client: httpx.AsyncClient, autojump_clock: trio.testing.MockClock) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"grant"
        await trio.sleep_forever()

    assert (await client.post(TOKEN, content=stuck(), headers=FORM)).status_code == 408
    assert trio.current_time() == pytest.approx(60, abs=1e-3)


async def test_a_body_without_end(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1024)
            await trio.lowlevel.checkpoint()

    check(await client.post(TOKEN, content=endless(), headers=FORM), 400, "invalid_request", "1805")


async def test_introspection_tells_a_tenant_of_its_own_tokens(server: Server, form: dict[str, str]) -> None:
    token = (await server.client.post(TOKEN, data=form)).json()["access_token"]
    query = {**form, "token": token, "token_type_hint": "access_token"}
    told = (await server.client.post(INTROSPECT, data=query)).json()
    assert (told["active"], told["client_id"], told["scope"], told["exp"]) == (True, form["client_id"], "register verify", UNIX_S + 3600)
    assert (await server.client.post(INTROSPECT, data={**query, **other_client()})).json() == {"active": False}
    assert (await server.client.post(INTROSPECT, data={**query, "token": "x"})).json() == {"active": False}
    check(await server.client.post(INTROSPECT, data={"token": token}), 401, "invalid_client", "1808")
    server.unix_s = UNIX_S + 3600
    assert (await server.client.post(INTROSPECT, data=query)).json() == {"active": False}


async def test_a_revoked_token_is_not_active(client: httpx.AsyncClient, form: dict[str, str]) -> None:
    token = (await client.post(TOKEN, data=form)).json()["access_token"]
    check(await client.post(REVOKE, data={**other_client(), "token": token}), 400, "invalid_grant", "1810")
    assert (await client.post(INTROSPECT, data={**form, "token": token})).json()["active"]
    for told in (token, token, "no token"):
        assert (await client.post(REVOKE, data={**form, "token": told})).status_code == 200
    assert (await client.post(INTROSPECT, data={**form, "token": token})).json() == {"active": False}
    check(await client.post(REVOKE, data=form), 400, "invalid_request", "1802")


async def test_metadata_name_paths_that_exist(serve: Callable[..., Server]) -> None:
    server = serve(public_url="https://voice.example/")
    told = (await server.client.get("/.well-known/oauth-authorization-server")).json()
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        path = told[name].removeprefix(told["issuer"])
        assert (await server.client.post(path)).json()["error"] == "invalid_request"


async def test_switched_off_there_is_nothing(serve: Callable[..., Server]) -> None:
    client = serve(component_daspeak=False).client
    for path in (TOKEN, "/socket.io/oauth2/token", REVOKE, INTROSPECT):
        assert (await client.post(path)).status_code == 404
    assert (await client.get("/.well-known/oauth-authorization-server")).status_code == 404
