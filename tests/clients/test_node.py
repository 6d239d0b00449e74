"""Node's `ws` client in the three styles, with odd and even cuts, against the answers that the protocol says."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.rehearsal import rehearse
from tests.clients.lockstep import enrol
from tests.clients.speech import Person, cut

HERE = Path(__file__).resolve().parent
STYLES = ["lock_step", "pipelined_parameters", "everything_first"]
OPENINGS = {"/speech_endpoint_detector": ["300", "500", "16000"], "/speech_summary_stream": ["16000"]}


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node: scripts/test installs it")
    if not (HERE.parent.parent / "node_modules" / "ws").is_dir():
        pytest.skip("no npm package ws: scripts/test installs it")
    return found


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("path", [*OPENINGS, "/voice_verify_stream"])
def test_node_gets_every_answer(port: int, node: str, person: Person, path: str, style: str) -> None:
    data = person.at("test", 16000)[: 6 * 16000].astype("<i2").tobytes()
    parameters = OPENINGS.get(path) or [enrol(port, person.enrol, 8000), "16000", "10", "3"]
    sizes = [1, 8191, 640]
    job = {
        "url": f"ws://127.0.0.1:{port}{path}", "parameters": parameters,
        "audio": base64.b64encode(data).decode(), "sizes": sizes, "style": style,
    }  # fmt: skip
    done = subprocess.run([node, HERE / "style.mjs"], input=json.dumps(job).encode(), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == {"answers": rehearse(path, parameters, cut(data, sizes)), "code": 1000}
