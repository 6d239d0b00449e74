"""Liveness over HTTP: what is told of a recording, and a template only of a living voice."""

import json
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.http.recording import pcm16, speech, wav
from voicestream.models.registry import authenticity_model
from voicestream.protocols.template_text import template_bytes

CHECK = "/liveness_engine/check_liveness_file"
CHECKED = "/voice_template_factory/create_voice_template_checked_from_file"


@pytest.fixture
def person(shared: Path) -> bytes:
    return min((shared / "eval/sv/enrol").iterdir()).read_bytes()


@pytest.fixture
def machine(shared: Path) -> bytes:
    with (shared / "eval/spoof/files.csv").open() as lines:
        rows = [line.split(",") for line in lines]
    name = next(row[rows[0].index("file")] for row in rows if "espeak" in ",".join(row))
    return next((shared / "eval/spoof").rglob(Path(name).name)).read_bytes()


async def test_a_person_is_a_living_voice_and_a_synthesiser_is_none(client: httpx.AsyncClient, person: bytes, machine: bytes) -> None:
    alive, made = [(await client.post(CHECK, files={"audio_file": data})).json() for data in (person, machine)]
    assert (alive["validation_status_code"], made["validation_status_code"]) == ("OK", "OK")
    assert alive["probability"] > 0.5 > made["probability"]
    assert alive["probability"] == pytest.approx(authenticity_model().probability(alive["score"]), abs=1e-6)


async def test_a_file_and_its_samples_get_one_answer(client: httpx.AsyncClient) -> None:
    voice = speech(5)
    octets = {"Content-Type": "application/octet-stream"}
    of_samples = await client.post("/liveness_engine/check_liveness_samples?sample_rate=16000", content=pcm16(voice), headers=octets)
    assert (await client.post(CHECK, files={"wav_file": wav(voice)})).json() == of_samples.json()


async def test_too_little_speech_has_no_score(client: httpx.AsyncClient) -> None:
    answer = await client.post(CHECK, files={"audio_file": wav(np.zeros(32000))})
    assert (answer.status_code, answer.json()) == (200, {"validation_status_code": "TOO_SMALL_SPEECH_LENGTH"})


async def test_a_checked_template_is_that_of_the_recording(client: httpx.AsyncClient, person: bytes) -> None:
    found = (await client.post(CHECKED, files={"audio_file": person})).json()
    plain = (await client.post(CHECKED.replace("_checked", ""), files={"audio_file": person})).json()
    assert template_bytes(found["voice_template"]) == template_bytes(plain)
    assert found["quality_check_result"]["quality_short_description"] == "OK"
    assert found["liveness_result"]["validation_status_code"] == "OK"


@pytest.mark.parametrize("shortage", ["voice", "speech"])
async def test_what_fails_a_check_makes_no_template_and_is_told(client: httpx.AsyncClient, machine: bytes, shortage: str) -> None:
    data = machine if shortage == "voice" else wav(np.zeros(32000))
    answer = await client.post(CHECKED, files={"audio_file": data})
    assert (answer.status_code, answer.json()["voice_template"]) == (200, None)
    told = json.dumps(answer.json())
    assert ("TOO_SMALL_SPEECH_LENGTH" in told) is (shortage == "speech")
