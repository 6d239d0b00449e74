"""The vendor's own examples against our server, and the numbers that the vendor published for them.

They are not ours to keep: VOICESTREAM_VENDOR_EXAMPLES names a checkout of github.com/IDRnD/idvoice-docker-examples (MIT).
Only the host is replaced in a copy of it, and a method that NumPy 2.3 took away.
"""

import json
import os
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.clients import chromium
from tests.clients.lockstep import converse
from tests.clients.speech import cut

VARIABLE = "VOICESTREAM_VENDOR_EXAMPLES"
FRAMES = [12, 25, 38, 51, 63, 76, 89, 102]
TOTALS_S = [
    0.38331249356269836, 0.7666249871253967, 1.1499375104904175, 1.5332499742507935,
    1.916562557220459, 2.299875020980835, 2.683187484741211, 3.066499948501587,
]  # fmt: skip


@pytest.fixture(scope="module")
def examples(port: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkout = os.environ.get(VARIABLE)
    if checkout is None:
        pytest.skip(f"{VARIABLE} does not name a checkout of the vendor's examples")
    copy = tmp_path_factory.mktemp("vendor") / "examples"
    shutil.copytree(Path(checkout) / "websockets_examples", copy)
    for file in [*copy.rglob("*.py"), *copy.rglob("*.js")]:
        text = file.read_text().replace("0.0.0.0:8080", f"127.0.0.1:{port}").replace(".tostring()", ".tobytes()")
        file.write_text(text)
    return copy


def run(script: Path) -> tuple[int, list[str]]:
    """How many parameters were answered with 200, and the results that the script printed between its rulers."""
    done = subprocess.run([sys.executable, script.name], cwd=script.parent, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if set(line) != {"-"}]
    told = [index for index, line in enumerate(lines) if line.startswith("Sending samples")]
    return sum(line.startswith("Setting") and line.endswith(" 200") for line in lines), [
        line for line in lines[told[0] + 1 :] if line[0] in "tf{["
    ]


def test_endpoint_example(examples: Path) -> None:
    accepted, results = run(examples / "media/python/speech_endpoint_detector_stream_example.py")
    assert (accepted, len(results), set(results) <= {"true", "false"}) == (3, 8, True)


def test_summary_example(examples: Path) -> None:
    accepted, results = run(examples / "media/python/speech_summary_stream_example.py")
    found = [json.loads(result)["current_speech_summary"] for result in results]
    assert accepted == 1
    assert [len(summary["vad_result"]["frames"]) for summary in found] == FRAMES
    assert [summary["total_length"] for summary in found] == TOTALS_S
    assert sum(found[-1]["vad_result"]["frames"]) == pytest.approx(57, abs=6)


def test_verify_example(examples: Path) -> None:
    accepted, results = run(examples / "verify/python/verify_stream_example.py")
    windows = [json.loads(result) for result in results]
    assert (accepted, len(windows)) in ((4, 10), (3, 10))  # the generations before 3.13 have no window
    assert [len(some) for some in windows] == [0, 3, 3, 3, 2, 3, 3, 3, 2, 3]
    assert all(window["verify_result"]["probability"] > 0.9 for some in windows for window in some)  # one person's two recordings


def test_published_lengths_of_a_file(port: int, examples: Path) -> None:
    with wave.open(str(examples / "media/python/genuine.wav")) as recording:
        data = recording.readframes(recording.getnframes())
    whole = json.loads(converse(port, "/speech_summary_stream", ["16000"], [data])[0])
    odd = json.loads(converse(port, "/speech_summary_stream", ["16000"], cut(data, [4097, 1]))[-1])
    assert whole == odd
    summary = whole["current_speech_summary"]
    frames = summary["vad_result"]["frames"]
    assert summary["speech_signal_length"] == float(np.float32(0.03 * sum(frames)))
    assert summary["background_length"] == float(np.float32(0.03 * (102 - sum(frames))))


def test_pages_of_the_vendor(examples: Path) -> None:
    if not chromium.PATH.exists():
        pytest.skip(f"no {chromium.PATH}: scripts/test installs it")
    places = {
        "endpoint": "media/javascript/speech_endpoint_detector",
        "summary": "media/javascript/speech_summary_stream",
        "verify": "verify/javascript",
    }
    shown: dict[str, str] = {}
    with chromium.site(examples) as url, chromium.browsers(examples / "verify/python/m001_01_001.wav") as (browser,):
        pages = {name: browser.new_page() for name in places}
        for name, page in pages.items():
            page.goto(f"{url}/{places[name]}/example.html")  # its alerts are dismissed
        pages["verify"].wait_for_function("document.getElementById('output1').value !== ''")
        for name, page in pages.items():
            page.wait_for_function("document.getElementById('output').value.split('\\n').length > 4")
            shown[name] = page.input_value("#output")
        probability = float(pages["verify"].input_value("#output1"))
    assert set(shown["endpoint"].split()) <= {'"200"', '"true"', '"false"'}
    assert json.loads(shown["summary"].splitlines()[-1])["current_speech_summary"]["total_length"] > 0
    assert probability > 0.9
