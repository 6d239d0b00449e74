"""Assessments in a whole server: its port, its metrics, its data folder, its other components."""

import io
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
import trio
from trio_websocket import open_websocket_url

from tests.assessment.fake_assessor import FakeAssessor
from tests.assessment.house import CONFIG, END, rest
from tests.clients.speech import Person, people
from voicestream.cli.prompt import FOLDER
from voicestream.protocols import elsa
from voicestream.server.app import serve
from voicestream.server.config import Settings
from voicestream.store.api_key import add_key
from voicestream.store.database import FILE_NAME, Database


@pytest.fixture(scope="module")
def person() -> Person:
    found = people()
    if not found:
        pytest.skip(f"no recorded people in {FOLDER}: scripts/test installs them")
    return found[0]


@pytest.mark.parametrize("component_daspeak", [True, False])
async def test_a_stream_and_its_links_on_one_port(tmp_path: Path, person: Person, component_daspeak: bool) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.asarray(person.at("test", 16000)[: 3 * 16000]), 16000, format="WAV")
    database = Database(tmp_path / FILE_NAME)
    _, key = add_key(database, "a key", "acme", 0.0)
    database.close()
    settings = Settings(host="127.0.0.1", port=0, data_folder=tmp_path, component_daspeak=component_daspeak)
    async with trio.open_nursery() as nursery:
        (port,) = await nursery.start(serve, settings, FakeAssessor())
        url = f"127.0.0.1:{port}"
        async with open_websocket_url(f"ws://{url}{elsa.PATH}", extra_headers=[("Authorization", f"Elsa {key}")]) as websocket:
            for message in (CONFIG, file.getvalue(), END):
                await websocket.send_message(message)
            texts, code = await rest(websocket)
        assert (texts[-1]["status"], code) == ("success", 1000)
        async with httpx.AsyncClient(base_url=f"http://{url}") as client:
            assert (await client.get(texts[-1]["result_link"])).json()["transcript"] == texts[-1]["transcript"]
            assert (await client.get(elsa.PATH)).status_code == 426
            page = (await client.get("/metrics")).text
            assert 'voicestream_assessments_total{outcome="success"} 1.0' in page
            assert 'voicestream_sessions_total{operation="unscripted",outcome="completed",protocol="elsa"} 1.0' in page
            oauth = await client.post("/oauth2/token")
            assert (oauth.status_code == 404) is not component_daspeak
        nursery.cancel_scope.cancel()


async def test_without_recognition_there_is_no_path(tmp_path: Path) -> None:
    async with trio.open_nursery() as nursery:
        (port,) = await nursery.start(serve, Settings(host="127.0.0.1", port=0, data_folder=tmp_path))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert (await client.post("/api/v1/score_audio_plus")).status_code == 404
            assert (await client.get(elsa.PATH)).status_code == 404
        nursery.cancel_scope.cancel()
