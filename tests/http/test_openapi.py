"""The OpenAPI document against the running application: the same paths, and answers of the promised shape."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from tests.http.fake import Server, shared_authority
from tests.http.recording import pcm16, speech, wav
from voicestream.server.http.services import Health

OTHER_REFUSALS = (["oauth2"], ["daspeak"], ["dpsrest"], ["api"])  # tags of what is refused in a shape of its own
EVERYTHING = {"component_template_converter": True}
VOICE = speech(4)
LONG_VOICE = speech(8)
FILES_OF_PAGES = "/web/"


async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def valid(document: dict[str, Any], schema: dict[str, Any], instance: object) -> None:
    Draft202012Validator(_json_schema({**schema, "components": document["components"]})).validate(instance)


def _json_schema(schema: Any) -> Any:
    """OpenAPI 3.0 says `nullable` where JSON Schema has a type of its own for nothing."""
    if isinstance(schema, list):
        return [_json_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    told = {name: _json_schema(one) for name, one in schema.items()}
    return {**told, "type": [told["type"], "null"]} if schema.get("nullable") is True else told


def example(document: dict[str, Any], content: dict[str, Any]) -> object:
    name = content["examples"]["example"]["$ref"].removeprefix("#/components/examples/")
    return document["components"]["examples"][name]["value"]


async def ask(client: httpx.AsyncClient, document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> httpx.Response:
    """The request that the document gives as an example; a recording where it wants one."""
    query = {parameter["name"]: parameter["example"] for parameter in operation.get("parameters", ()) if "example" in parameter}
    match list(operation.get("requestBody", {}).get("content", {}).items()):
        case [("multipart/form-data", _)]:
            return await client.post(path, params=query, files={"audio_file": wav(VOICE)})
        case [("application/octet-stream", _)]:
            return await client.post(path, params=query, content=pcm16(VOICE), headers={"Content-Type": "application/octet-stream"})
        case [("application/x-www-form-urlencoded", content)]:
            _, known = shared_authority()  # the example's client is not
            form = {**dict(example(document, content)), "client_id": known.client_id, "client_secret": known.client_secret}  # type: ignore[call-overload]
            return await client.post(path, data=form)
        case [("application/json", content)]:
            return await client.post(path, params=query, json=example(document, content))
    return await client.request(method, path, params=query)


def api_key() -> dict[str, str]:
    return {"apikey": shared_authority()[1].api_key}


class DasPeak:
    """Asks what the document's examples cannot: each wants a key, a model and credentials of this very server."""

    def __init__(self, client: httpx.AsyncClient, model: str, credential: str) -> None:
        self._client = client
        self._fields = {"hash": model, "calibration": "telephone-channel"}
        self._credential = credential

    @classmethod
    async def of(cls, client: httpx.AsyncClient) -> "DasPeak":
        (model,) = (await client.get("/daspeak/v1/models", headers=api_key())).json()["models"]
        made = await client.post(f"/daspeak/v1/models/{model}/credential/wav", files={"audio": wav(LONG_VOICE)}, headers=api_key())
        return cls(client, model, made.json()["credential"])

    async def ask(self, path: str, method: str, operation: dict[str, Any]) -> httpx.Response:
        ((_, content),) = operation.get("requestBody", {"content": {"": {"schema": {"properties": {}}}}})["content"].items()
        data, files = {}, {}
        for name, schema in content["schema"]["properties"].items():
            if schema.get("format") == "binary":
                files[name] = wav(LONG_VOICE)
            elif name == "credential_list":
                data[name] = json.dumps([{"id": "a", "credential": self._credential}])
            else:
                data[name] = self._credential if name.startswith("credential") else self._fields.get(name, "1")
        path = path.replace("{model_hash}", self._fields["hash"])
        return await self._client.request(method, path, data=data, files=files, headers=api_key())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        EVERYTHING,
        {"component_media": False},
        {"component_liveness": False},
        {"component_verify": False},
        {"component_verify": False, "component_media": False},
        {"component_daspeak": False},
        {"component_assessment": False},
    ],
)
async def test_every_route_is_documented_and_every_documented_path_is_a_route(
    serve: Callable[..., Server], settings: dict[str, Any]
) -> None:
    server = serve(**settings)
    routes = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method)
        for rule in server.app.url_map.iter_rules()
        if not rule.rule.startswith(FILES_OF_PAGES)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    documented = {(path, method) for path, method, _ in operations(await document(server.client))}
    assert documented == routes


async def test_the_document_is_openapi(serve: Callable[..., Server]) -> None:
    OpenAPIV30SpecValidator(await document(serve(**EVERYTHING).client)).validate()


async def test_every_example_fits_its_schema(serve: Callable[..., Server]) -> None:
    told = await document(serve(**EVERYTHING).client)
    for name, shown in told["components"]["examples"].items():
        valid(told, {"$ref": f"#/components/schemas/{name}"}, shown["value"])


async def test_every_refusal_is_shown_with_its_own_status(client: httpx.AsyncClient) -> None:
    told = await document(client)
    shown = [
        (int(status), response["content"]["application/json"]["example"])
        for _, method, operation in operations(told)
        if method == "POST" and operation["tags"] not in OTHER_REFUSALS
        for status, response in operation["responses"].items()
        if status != "200"
    ]
    assert {status for status, _ in shown} == {400, 408, 413, 415, 422, 503}
    for status, refusal in shown:
        assert refusal["status"] == status
        valid(told, {"$ref": "#/components/schemas/Error"}, refusal)


async def test_a_switched_off_component_leaves_no_empty_heading(serve: Callable[..., Server]) -> None:
    told = await document(serve(component_verify=False).client)
    used = {tag for _, _, operation in operations(told) for tag in operation["tags"]}
    assert {tag["name"] for tag in told["tags"]} == used


async def test_every_documented_request_is_answered_as_documented(serve: Callable[..., Server]) -> None:
    client = serve(**EVERYTHING).client
    told = await document(client)
    das_peak = await DasPeak.of(client)
    for path, method, operation in operations(told):
        if operation["tags"] in (["dpsrest"], ["api"]):  # want a key, and ids that this server gave: tests of their own
            continue
        if operation["tags"] == ["daspeak"]:
            answer = await das_peak.ask(path, method, operation)
        else:
            answer = await ask(client, told, path, method, operation)
        assert answer.status_code == 200, (path, answer.text)
        content = operation["responses"]["200"]["content"]
        media = answer.headers["Content-Type"].partition(";")[0]
        assert media in content, path
        valid(told, content[media]["schema"], answer.json() if media == "application/json" else answer.text)


async def test_every_refusal_fits_its_schema_and_is_documented(serve: Callable[..., Server]) -> None:
    client = serve(**EVERYTHING).client
    told = await document(client)
    for path, method, operation in operations(told):
        if method == "POST" and operation["tags"] not in OTHER_REFUSALS:
            answer = await client.post(path, content=b"\0", headers={"Content-Type": "video/mp4"})
            assert answer.status_code == 415, path
            assert str(answer.status_code) in operation["responses"], path
            valid(told, {"$ref": "#/components/schemas/Error"}, answer.json())


async def test_every_refusal_of_das_peak_fits_its_schema(client: httpx.AsyncClient) -> None:
    told = await document(client)
    for path, method, operation in operations(told):
        if operation["tags"] == ["daspeak"]:
            keyless = await client.request(method, path)
            assert keyless.status_code == 401
            shown = {status: response for status, response in operation["responses"].items() if status != "200"}
            valid(told, shown["401"]["content"]["application/json"]["schema"], keyless.json())
            for response in shown.values():
                content = response["content"]["application/json"]
                valid(told, content["schema"], content["example"])
            if method == "POST":
                answer = await client.post(path, content=b"\0", headers={**api_key(), "Content-Type": "video/mp4"})
                assert answer.status_code == 415
                valid(told, shown["415"]["content"]["application/json"]["schema"], answer.json())


async def test_every_answer_and_refusal_of_elsa_fits_its_schema(client: httpx.AsyncClient) -> None:
    told = await document(client)
    key = {"Authorization": f"ELSA {shared_authority()[1].api_key}"}
    for path, method, operation in operations(told):
        if operation["tags"] == ["api"]:
            refusals = {status: answer for status, answer in operation["responses"].items() if not status.startswith("2")}
            for answer in refusals.values():
                valid(told, answer["content"]["application/json"]["schema"], answer["content"]["application/json"]["example"])
            if method != "POST":
                assert (await client.request(method, path, headers=key)).status_code == 404
                continue
            asked = {"api_plan": "standard", "return_json": "true", "sentence": "so"}
            scored = await client.post(path, data=asked, files={"audio_file": wav(VOICE)}, headers=key)
            valid(told, operation["responses"]["200"]["content"]["application/json"]["schema"], scored.json())
            for headers, status in ((key, 415), ({}, 401)):
                refused = await client.post(path, content=b"\0", headers={**headers, "Content-Type": "video/mp4"})
                assert (refused.status_code, str(status) in refusals) == (status, True)
                valid(told, {"$ref": "#/components/schemas/ElsaError"}, refused.json())


async def test_every_refusal_of_oauth_fits_its_schema(client: httpx.AsyncClient) -> None:
    told = await document(client)
    for path, method, operation in operations(told):
        if method == "POST" and operation["tags"] == ["oauth2"]:
            answer = await client.post(path, content=b"\0", headers={"Content-Type": "video/mp4"})
            assert answer.status_code == 400
            valid(told, {"$ref": "#/components/schemas/OAuthError"}, answer.json())
            for status, response in operation["responses"].items():
                if status != "200":
                    valid(told, {"$ref": "#/components/schemas/OAuthError"}, response["content"]["application/json"]["example"])


async def test_the_samples_too_few_for_a_template_are_a_documented_422(client: httpx.AsyncClient) -> None:
    told = await document(client)
    path = "/voice_template_factory/create_voice_template_from_samples"
    answer = await client.post(path, params={"sample_rate": 16000}, content=pcm16(VOICE[:8000]))
    assert answer.status_code == 422
    assert "422" in told["paths"][path]["post"]["responses"]
    valid(told, {"$ref": "#/components/schemas/Error"}, answer.json())


async def test_not_ready_is_a_documented_503(server: Server) -> None:
    server.health_page = lambda: Health(started=False, ready=False)
    told = await document(server.client)
    for path in ("/readyz", "/startupz"):
        answer = await server.client.get(path)
        assert answer.status_code == 503
        valid(told, told["paths"][path]["get"]["responses"]["503"]["content"]["application/json"]["schema"], answer.json())
    assert (await server.client.get("/healthz")).status_code == 200
