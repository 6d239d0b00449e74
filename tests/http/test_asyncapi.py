"""The AsyncAPI document against the dialect itself: the same paths, parameters it accepts, answers of its shape."""

from collections.abc import Callable, Iterator
from json import dumps, loads
from typing import Any

import httpx
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from tests.http.fake import Server
from voicestream.errors import ASSESSMENT_SILENT
from voicestream.models.registry import speaker_model
from voicestream.protocols.elsa import Elsa
from voicestream.protocols.elsa_scripted import ElsaScripted
from voicestream.protocols.idvoice import ENDPOINTS, IDVoice
from voicestream.server.elsa import PATHS
from voicestream.sessions.vocabulary import EndpointState, Failed, Interval, LabelLog, PoorQuality, Result, SummaryState, Verified, Window
from voicestream.store.templates import unpack


async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/asyncapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def resolve(document: dict[str, Any], reference: dict[str, str]) -> Any:
    found: Any = document
    for key in reference["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return resolve(document, found) if isinstance(found, dict) and "$ref" in found else found


def references(node: object) -> Iterator[dict[str, str]]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def valid(document: dict[str, Any], message: str, instance: object) -> None:
    schema = document["components"]["messages"][message]["payload"]
    Draft202012Validator({**schema, "components": document["components"]}).validate(instance)


def results(kind: str) -> list[Result]:
    """What a session may answer on a channel of this kind."""
    if kind == "endpoint":
        return [EndpointState(True), EndpointState(False)]
    if kind == "verification":
        return [Verified(()), Verified((Window(Interval(0, 48000, 16000), 0.9, 0.6),))]
    log = LabelLog(16000)
    log.append(b"\0\0\1\1")
    return [SummaryState(log, 0, 0, 0, 0), SummaryState(log, 2000, 4, 2, 2)]


async def test_every_reference_resolves(client: httpx.AsyncClient) -> None:
    told = await document(client)
    found = list(references(told))
    assert found
    for reference in found:
        resolve(told, reference)


@pytest.mark.parametrize(
    ("settings", "component"), [({}, None), ({"component_verify": False}, "verify"), ({"component_media": False}, "media")]
)
async def test_the_channels_are_the_paths_on_offer(serve: Callable[..., Server], settings: dict[str, bool], component: str | None) -> None:
    told = await document(serve(**settings).client)
    addresses = {channel["address"] for channel in told["channels"].values()}
    assert addresses == {path for path, endpoint in ENDPOINTS.items() if endpoint.component != component} | set(PATHS)


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_the_documented_exchange_is_the_real_one(client: httpx.AsyncClient, path: str) -> None:
    told = await document(client)
    name = path.strip("/")
    model = speaker_model("mfcc")
    dialect = IDVoice(ENDPOINTS[path], lambda data: unpack(data, model), now=0.0)
    for reference in told["operations"][f"{name}_parameter"]["messages"]:
        message = resolve(told, reference)
        (text,) = message["payload"]["examples"]
        Draft202012Validator(message["payload"]).validate(text)
        dialect.receive(text, 0.0)
        (answer,) = dialect.drain(1000)
        assert answer == "200", message["name"]
        valid(told, "accepted", answer)
    (reply,) = told["operations"][f"{name}_audio"]["reply"]["messages"]
    kind = reply["$ref"].rsplit("/", 1)[1]
    dialect.receive(np.zeros(480, "<i2").tobytes(), 0.0)
    for result in results(kind):
        dialect.reply(result)
        (answer,) = dialect.drain(100_000)
        assert isinstance(answer, str)
        valid(told, kind, loads(answer))
    dialect.receive("late", 0.0)
    (answer,) = dialect.drain(1000)
    valid(told, kind, loads(str(answer)))


async def test_every_example_fits_its_schema(client: httpx.AsyncClient) -> None:
    told = await document(client)
    for name, message in told["components"]["messages"].items():
        for shown in message.get("examples", ()):
            valid(told, name, shown["payload"])


async def test_elsas_exchange_is_the_documented_one(client: httpx.AsyncClient) -> None:
    told = await document(client)
    free, scripted = Elsa(0.0), ElsaScripted(0.0)
    for dialect, opening in ((free, "elsa_config"), (scripted, "elsa_start")):
        dialect.receive(dumps(told["components"]["messages"][opening]["examples"][0]["payload"]), 0.0)
        dialect.reply(EndpointState(True))
        dialect.reply(PoorQuality("quiet"))
        dialect.reply(Failed(ASSESSMENT_SILENT))
    said = [[loads(text) for text in dialect.drain(10_000) if isinstance(text, str)] for dialect in (free, scripted)]
    for message, answer in zip(("elsa_opened", "elsa_finished", "elsa_bad_quality", "elsa_failed"), said[0], strict=True):
        valid(told, message, answer)
    names = ("elsa_connected", "elsa_started", "elsa_ack", "elsa_stopped", "elsa_warning", "elsa_error")
    for message, answer in zip(names, said[1], strict=True):
        valid(told, message, answer)


async def test_without_recognition_there_is_no_channel_of_elsas(serve: Callable[..., Server]) -> None:
    told = await document(serve(component_assessment=False).client)
    assert not [name for name in told["channels"] if name.startswith("elsa")]
