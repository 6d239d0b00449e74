"""python-socketio and npm's socket.io-client as they come, over polling, over WebSocket, and from one to the other."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import trio

from tests.server.engine_house import engine_house
from voicestream.protocols import engineio
from voicestream.server.engine import Options

HERE = Path(__file__).resolve().parent
TOLD = {"auth": {"token": "t"}, "back": ["a", "00ff", {"b": [1, True]}], "ack": ["c", "01"], "nope": "refused"}
BRISK = engineio.Options(ping_interval_s=3, ping_timeout_s=3)
TRANSPORTS = ["polling", "websocket", "polling,websocket"]


def _node() -> list[str]:
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node: scripts/test installs it")
    if not (HERE.parent.parent / "node_modules" / "socket.io-client").is_dir():
        pytest.skip("no npm package socket.io-client: scripts/test installs it")
    return [found, str(HERE / "socketio_client.mjs")]


@pytest.mark.parametrize("transports", TRANSPORTS)
@pytest.mark.parametrize("client", ["python", "node"])
async def test_a_client_gets_all_it_asks_for(client: str, transports: str) -> None:
    command = _node() if client == "node" else [sys.executable, str(HERE / "socketio_client.py")]
    async with engine_house(port=0, options=Options(engine=BRISK)) as house:
        with trio.fail_after(60):
            done = await trio.run_process([*command, f"http://127.0.0.1:{house.port}", transports], capture_stdout=True)
        assert json.loads(done.stdout) == TOLD | {"transport": transports.split(",")[-1]}
        assert house.book.escapes == []
        assert house.figure('faults_total{code="VS5000"}') == 0
        with trio.fail_after(30):  # a client that is gone between two polls is missed at the next ping
            while house.server.connections:  # noqa: ASYNC110 - nothing tells
                await trio.sleep(0.05)
