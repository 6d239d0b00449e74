"""REST signalling as documented, against the running application: its answers and its refusals."""

from typing import Any

import httpx
import pytest

from tests.http.fake import Server
from tests.http.test_daspeak_rest import APPROVED, VERIFIED, Caller, writing
from tests.http.test_openapi import document, example, operations, valid
from voicestream import errors
from voicestream.errors import PeerError


class Documented:
    """A caller whose every answer is held against the document."""

    def __init__(self, caller: Caller, told: dict[str, Any]) -> None:
        self.caller = caller
        self.told = told

    async def ask(self, path: str, body: Any = None, id: str = "") -> httpx.Response:
        """POST `body`, or GET `id`."""
        path = f"/dpsrest/v1/{path}"
        operation = self.told["paths"][path + "/{id}" * bool(id)]["get" if id else "post"]
        answer = await (self.caller.client.get(f"{path}/{id}") if id else self.caller.client.post(path, json=body))
        response = operation["responses"][str(answer.status_code)]
        valid(self.told, response["content"]["application/json"]["schema"], answer.json())
        return answer

    def example(self, path: str) -> dict[str, Any]:
        content = self.told["paths"][f"/dpsrest/v1/{path}"]["post"]["requestBody"]["content"]["application/json"]
        return dict(example(self.told, content))  # type: ignore[call-overload]


@pytest.fixture
async def documented(server: Server) -> Documented:
    caller = Caller(server)
    return Documented(caller, await document(caller.client))


async def test_the_examples_of_the_document_work_but_for_their_ids(documented: Documented) -> None:
    caller = documented.caller
    settings = (await documented.ask("audio_settings", documented.example("audio_settings"))).json()["id"]
    assert (await documented.ask("audio_settings", id=settings)).status_code == 200
    async with writing(caller.server):
        for kind in ("register", "verify"):
            mine = {"credential": f"credential of {caller.tenant}"} if kind == "verify" else {}
            body = {**documented.example(f"{kind}_session"), "audio_settings_id": settings, **mine}
            created = await documented.ask(f"{kind}_session", body)
            assert created.status_code == 201
            caller.tell(APPROVED if kind == "register" else VERIFIED, body["call_id"])
            assert (await documented.ask(f"{kind}_session", id=created.json()["id"])).status_code == 200


async def test_refusals_are_documented(documented: Documented) -> None:
    caller = documented.caller
    body = {**documented.example("register_session"), "audio_settings_id": await caller.settings_id()}
    statuses = [(await documented.ask("register_session", changed)).status_code for changed in ({}, [], {**body, "audio_settings_id": "x"})]
    assert statuses == [400, 400, 404]
    for fault, status in ((errors.CALL_BUSY, 409), (errors.DRAINING, 503)):
        caller.server.exchange.refusal = PeerError(fault)
        assert (await documented.ask("register_session", body)).status_code == status
    assert (await documented.ask("verify_session", id=body["audio_settings_id"])).status_code == 404
    caller.client.headers.pop("apikey")
    assert (await documented.ask("register_session", body)).status_code == 401


async def test_every_refusal_shown_fits_its_schema(documented: Documented) -> None:
    shown = 0
    for _, _, operation in operations(documented.told):
        if operation["tags"] == ["dpsrest"]:
            for status, response in operation["responses"].items():
                content = response["content"]["application/json"]
                if int(status) >= 400:
                    valid(documented.told, content["schema"], content["example"])
                    shown += 1
    assert shown > 30
