"""A registration by npm's socket.io-client over every transport, in both spellings of the namespace, streamed as Twilio does."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.clients.daspeak import Server, daspeak_server, raw
from tests.clients.speech import Person

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with daspeak_server(tmp_path_factory.mktemp("daspeak"), socketio_leave_s=0.2) as running:
        yield running


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    form = {"grant_type": "client_credentials", "client_id": server.client_id, "client_secret": server.client_secret}
    return str(requests.post(f"http://127.0.0.1:{server.port}/oauth2/token", data=form, timeout=10).json()["access_token"])


def run(server: Server, folder: Path, person: Person, **wish: Any) -> dict[str, Any]:
    """What the client saw."""
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules" / "socket.io-client").is_dir():
        pytest.skip("no node with socket.io-client: scripts/test installs them")
    metadata = {
        "audio_protocol": "twilio", "audio_format": "raw", "audio_codec": "mulaw", "sample_format": "",
        "sample_rate": "8000", "channels": "1", "call_id": f"CA-{folder.name}",
    }  # fmt: skip
    wish = {
        "url": f"127.0.0.1:{server.port}",
        "key": server.api_key,
        "file": str(raw(person.enrol, folder / "audio.raw")),
        "initialize": {"metadata": metadata, "register_request": {"audio_total_duration": 2, "authenticity_threshold": 0}},
        **wish,
    }
    command = [node, str(HERE / "daspeak_node.mjs"), json.dumps(wish)]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, cwd=ROOT, check=True, timeout=60).stdout)
    return found


@pytest.mark.parametrize("transports", ["polling", "websocket", "polling,websocket"])
@pytest.mark.parametrize("namespace", ["/register", "/socket.io/register"])
def test_a_registration(namespace: str, transports: str, server: Server, token: str, person: Person, tmp_path: Path) -> None:
    found = run(server, tmp_path, person, namespace=namespace, transports=transports.split(","), token=token)
    names = [name for name, *_ in found["events"]]
    assert names == ["info-consumer-ready", *["info-vad-status"] * 5, "result-success"]
    assert found["events"][-1][2] == 44 + 2 * 4 * 4096  # the collected voice: a WAV file of 2.048 s
    assert found["reason"] == "io server disconnect"


def test_no_token(server: Server, person: Person, tmp_path: Path) -> None:
    found = run(server, tmp_path, person, namespace="/register", transports=["websocket"], token="nonsense")
    assert found == {"refused": "invalid token"}
