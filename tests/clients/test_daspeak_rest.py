"""REST signalling by curl, its audio by the `websockets` library, against a running server, which may die and come again."""

import base64
import json
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import connect

from benchmarks.house import House, house
from tests.clients.daspeak import daspeak_server, raw
from tests.clients.speech import Pcm, Person

AUDIO = {"audio_protocol": "twilio", "audio_format": "raw", "audio_codec": "mulaw", "sample_format": "", "sample_rate": 8000, "channels": 1}
CHUNK_BYTES = 160  # 20 ms


class Caller:
    """An integrator's script: curl for the signalling, one WebSocket for the audio."""

    def __init__(self, running: House, api_key: str, folder: Path) -> None:
        self.running = running
        self._api_key = api_key
        self._file = folder / "audio.raw"

    def curl(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Status and body of a GET, or of a POST of `body`."""
        command = ["curl", "-s", "-w", "\n%{http_code}", "-H", f"apikey: {self._api_key}", f"http://127.0.0.1:{self.running.port}{path}"]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        text, _, status = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.rpartition("\n")
        return int(status), json.loads(text)

    def create(self, kind: str, call_id: str, **request: Any) -> str:
        status, settings = self.curl("/dpsrest/v1/audio_settings", AUDIO)
        assert status == 201
        body = {"audio_settings_id": settings["id"], "call_id": call_id, "audio_total_duration": 3, **request}
        status, created = self.curl(f"/dpsrest/v1/{kind}_session", body)
        assert (status, created["status"]) == (201, "created"), created
        return str(created["id"])

    def poll(self, kind: str, id: str) -> dict[str, Any]:
        status, polled = self.curl(f"/dpsrest/v1/{kind}_session/{id}")
        assert status == 200
        return polled

    def stream(self, call_id: str, samples: Pcm) -> None:
        """As fast as it goes, until the server has enough and closes."""
        audio = raw(samples, self._file).read_bytes()
        url = f"ws://127.0.0.1:{self.running.port}/daspeak-stream/v1/twilio"
        with connect(url, additional_headers={"apikey": self._api_key}) as websocket, suppress(ConnectionClosedOK):
            websocket.send(json.dumps({"event": "start", "start": {"callSid": call_id}}))
            for begin in range(0, len(audio), CHUNK_BYTES):
                payload = base64.b64encode(audio[begin : begin + CHUNK_BYTES]).decode()
                websocket.send(json.dumps({"event": "media", "media": {"payload": payload}}))
            websocket.recv()

    def result(self, kind: str, call_id: str, samples: Pcm, **request: Any) -> tuple[str, dict[str, Any]]:
        """Create, stream and poll; the id and what was said last."""
        id = self.create(kind, call_id, **request)
        self.stream(call_id, samples)
        return id, await_end(lambda: self.poll(kind, id))


def await_end(poll: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    give_up_at = time.monotonic() + 30
    while (polled := poll())["status"] in ("created", "consumer_ready", "in_progress"):
        assert time.monotonic() < give_up_at
    return polled


def test_a_caller_is_registered_then_known_from_another(tmp_path: Path, crowd: list[Person]) -> None:
    with daspeak_server(tmp_path) as server:
        caller = Caller(server.house, server.api_key, tmp_path)
        assert caller.curl("/dpsrest/v1/alive") == (200, {"status": "ok"})
        _, registered = caller.result("register", "call-1", crowd[0].enrol)
        assert (registered["status"], registered["content"]) == ("success", "Registration: approved")
        assert registered["voice_audio_collected"] == registered["audio_seconds"] == 3.07
        assert registered["vad_percentage"] == 102
        credential = {"credential": registered["credential"], "authenticity_threshold": 0.1}
        _, same = caller.result("verify", "call-2", crowd[0].test, **credential)
        _, other = caller.result("verify", "call-3", crowd[1].test, **credential)
        assert (same["status"], other["status"]) == ("success", "fail_score")
        assert same["similarity"] == same["score"] > other["score"]


def test_a_server_that_is_killed_keeps_its_results_and_ends_what_went_on(tmp_path: Path, person: Person) -> None:
    with daspeak_server(tmp_path) as server:
        caller = Caller(server.house, server.api_key, tmp_path)
        done, registered = caller.result("register", "call-1", person.enrol)
        waiting = caller.create("register", "call-2")
        server.house.process.kill()
        server.house.process.wait()
    with house(tmp_path / "again", data_folder=tmp_path / "data") as running:
        caller = Caller(running, server.api_key, tmp_path)
        assert caller.poll("register", done) == registered
        assert caller.poll("register", waiting)["status"] == "error"
        [interrupted] = [entry for entry in running.log() if entry.get("code") == "VS1914"]
        assert interrupted["sessions"] == 1
