"""The exchanges of the vendor's own clients, with their libraries, over a real socket."""

import io
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
import trio

from tests.assessment.fake_assessor import FakeAssessor
from tests.assessment.house import house
from tests.clients.elsa import Scripted, Unscripted, exchange
from tests.clients.speech import Person
from voicestream.protocols import elsa, elsa_scripted
from voicestream.server.job_runner import JobRunner
from voicestream.server.metrics import Metrics

RUNNER = partial(JobRunner, 2, 10.0, Metrics("0", {}))
ROUTES = [(Unscripted, elsa.PATH), (Scripted, elsa_scripted.PATH)]


def wav(person: Person, rate_hz: int, channels: int, subtype: str = "PCM_16") -> bytes:
    samples = person.at("test", rate_hz)[: 4 * rate_hz]
    file = io.BytesIO()
    soundfile.write(file, np.stack([samples] * channels, axis=1), rate_hz, subtype, format="WAV")
    return file.getvalue()


@pytest.mark.parametrize(
    "rate_hz, channels, subtype",
    [(8000, 1, "PCM_16"), (16000, 1, "PCM_16"), (44100, 2, "PCM_16"), (48000, 1, "PCM_16"), (16000, 1, "PCM_24")],
)
async def test_the_unscripted_client(tmp_path: Path, person: Person, rate_hz: int, channels: int, subtype: str) -> None:
    with house(tmp_path, runner=RUNNER()) as visited, trio.fail_after(60):
        async with visited.port() as port:
            client = Unscripted(f"ws://127.0.0.1:{port}{elsa.PATH}", visited.key, wav(person, rate_hz, channels, subtype), 0.01)
            heard = await trio.to_thread.run_sync(exchange, client)
        assert [message["status"] for message in heard.messages] == ["processing", "processing", "success"]
        assert (heard.unknown, heard.messages[-1]["recording_quality"]) == ([], "ok")
        (run,) = visited.assessor.runs
        wanted = person.at("test", 16000)[: 4 * 16000].astype(float)
        assert abs(len(run.samples) - len(wanted)) <= 16
        count = min(len(run.samples), len(wanted))
        assert np.corrcoef(run.samples[:count], wanted[:count])[0, 1] > 0.97  # no click, no shift


async def test_the_scripted_client(tmp_path: Path, person: Person) -> None:
    with house(tmp_path, runner=RUNNER()) as visited, trio.fail_after(60):
        async with visited.port() as port:
            client = Scripted(f"ws://127.0.0.1:{port}{elsa_scripted.PATH}", visited.key, wav(person, 16000, 1), 0.01)
            heard = await trio.to_thread.run_sync(exchange, client)
        assert heard.unknown == []
        assert [message["type"][5:] for message in heard.messages[:3]] == ["wsConnect", "start_stream_result", "audioACK"]
        result = next(message for message in heard.messages if message["type"] == "ELSA:decoding_result")
        assert result["data"]["utterance"][0]["sentence"] == "pizza party"


@pytest.mark.parametrize("make, path", ROUTES)
async def test_a_refusal_ends_either_client_and_nothing_escapes(
    tmp_path: Path, person: Person, make: type[Unscripted] | type[Scripted], path: str
) -> None:
    with house(tmp_path, FakeAssessor(places=0), RUNNER()) as visited, trio.fail_after(60):
        async with visited.port() as port:
            client = make(f"ws://127.0.0.1:{port}{path}", visited.key, wav(person, 16000, 1), 0.01)
            heard = await trio.to_thread.run_sync(exchange, client)
        last = heard.messages[-1]
        assert last.get("status", last.get("type")) in ("failed", "ELSA:error")
