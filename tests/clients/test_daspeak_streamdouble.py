"""A caller registered on the real server from the stream of streamdouble, which is a process too and plays Twilio at its own pace."""

from pathlib import Path

import soundfile

from tests.clients.daspeak import daspeak_server
from tests.clients.speech import Person
from tests.clients.test_daspeak_rest import Caller, await_end
from tests.clients.test_streamdouble import CALL, call


async def test_a_registration(tmp_path: Path, person: Person) -> None:
    soundfile.write(tmp_path / "talk.wav", person.enrol, 8000)
    with daspeak_server(tmp_path) as server:
        caller = Caller(server.house, server.api_key, tmp_path)
        id = caller.create("register", CALL, authenticity_threshold=0)
        code, report = await call(server.port, server.api_key, tmp_path / "talk.wav")
        result = await_end(lambda: caller.poll("register", id))
    assert (code, report["closed_by"], report["violations"]) == (0, "agent", [])
    assert (result["status"], result["voice_audio_collected"]) == ("success", 3.07)
