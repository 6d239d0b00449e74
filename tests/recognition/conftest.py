"""The whole server with its real recognition, in a process of its own: what a product meets that is pointed at it."""

import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from trio_websocket import ConnectionClosed, open_websocket_url

from benchmarks.house import house
from tests.assessment.house import FREE, rest
from voicestream.server.assessor import own_assessor
from voicestream.server.config import Settings
from voicestream.store.api_key import add_key
from voicestream.store.database import FILE_NAME, Database


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server is, and what lets one in."""

    port: int
    key: str

    def url(self, path: str, scheme: str = "ws") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    async def say(self, *messages: str | bytes, path: str = FREE) -> tuple[list[dict[str, Any]], int]:
        """Say all of it at once; every text of the server's, and the code of its Close."""
        headers = [("Authorization", f"ELSA {self.key}")]
        async with open_websocket_url(self.url(path), extra_headers=headers) as websocket:
            with suppress(ConnectionClosed):  # it may have heard enough
                for message in messages:
                    await websocket.send_message(message)
            return await rest(websocket)

    def upload(self, wav: bytes, path: str = "/api/v1/score_audio_plus", **fields: str) -> dict[str, Any]:
        """The result of the HTTP twin."""
        form = {"api_plan": "standard", "return_json": "true", **fields}
        told = httpx.post(
            self.url(path, "http"), headers={"Authorization": f"ELSA {self.key}"}, data=form, files={"audio_file": wav}, timeout=120
        )
        assert told.status_code == 200
        return dict(told.json())


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server with one worker, which must not have logged an error of its own when all is over."""
    folder, installed = tmp_path_factory.mktemp("recognition"), Settings()
    if own_assessor(installed) is None:
        pytest.skip(f"speech assessment is not installed in {installed.data_path()}: scripts/test installs it")
    Path(folder, "models").symlink_to(installed.data_path() / "models")
    with closing(Database(folder / FILE_NAME)) as database:
        _, key = add_key(database, "a product", "acme", time.time())
    with house(folder / "log", data_folder=folder, assessment_workers=1, assessment_warm="true") as running:
        yield Place(running.port, key)
        assert [entry for entry in running.log() if entry.get("level") == "error" or entry["event"] == "no JSON"] == []
