"""ELSA's HTTP twins: forms, refusals in the family's own words, and what links point to."""

import base64
import io
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from tests.assessment.fake_assessor import FakeAssessor
from tests.assessment.house import CONFIG, END, house, rest
from tests.clients.speech import people
from tests.http.fake import Server, shared_authority
from voicestream import errors
from voicestream.cli.prompt import FOLDER
from voicestream.errors import PeerError
from voicestream.protocols import elsa
from voicestream.server.config import Settings

FREE, SCRIPTED, ASR = "/api/v1/score_audio_plus", "/api/v2/score_audio", "/api/v1/asr"
ASKED = {"api_plan": "standard", "return_json": "true"}


@pytest.fixture(scope="module")
def recording() -> bytes:
    """A WAV file: 4 s of somebody who speaks."""
    found = people()
    if not found:
        pytest.skip(f"no recorded people in {FOLDER}: scripts/test installs them")
    file = io.BytesIO()
    soundfile.write(file, found[0].at("test", 16000)[: 16000 * 4], 16000, format="WAV")
    return file.getvalue()


def token() -> dict[str, str]:
    return {"Authorization": f"ELSA {shared_authority()[1].api_key}"}


def errors_of(answer: httpx.Response) -> tuple[int, list[str]]:
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "errors"}
    return answer.status_code, body["error"]["errors"]


async def post(server: Server, path: str, recording: bytes, **fields: str) -> httpx.Response:
    return await server.client.post(path, data=fields, files={"audio_file": recording}, headers=token())


async def test_a_file_is_scored(server: Server, recording: bytes) -> None:
    answer = await post(server, FREE, recording, **ASKED)
    assert (answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) == (200, "application/json", "no-store")
    body = answer.json()
    assert (body["recording_quality"], body["total_time"], body["partial_error"]) == ("ok", 4.0, "too_short")
    assert server.assessor.runs[0].samples.tobytes() == recording[44:]
    assert server.figures._outcomes == {"success": 1}


async def test_the_result_is_the_same_as_over_websocket(server: Server, recording: bytes, tmp_path: Any) -> None:
    over_http = (await post(server, FREE, recording, **ASKED)).json()
    with house(tmp_path) as visited:
        async with visited.visit(elsa.PATH) as websocket:
            for message in (CONFIG, *[recording[begin : begin + 16_044] for begin in range(0, len(recording), 16_044)], END):
                await websocket.send_message(message)
            over_websocket = (await rest(websocket))[0][-1]
    assert over_websocket.pop("status") == "success"
    for told in (over_http, over_websocket):
        del told["result_link"], told["audio_link"]
    assert over_http == over_websocket


async def test_links_alone(server: Server, recording: bytes) -> None:
    answer = await post(server, FREE, recording, **{**ASKED, "return_json": "false"})
    assert set(answer.json()) == {"result_link", "audio_link", "partial_error"}


async def test_links_lead_to_the_result_and_its_recording_until_they_are_deleted(server: Server, recording: bytes) -> None:
    client = server.client
    scored = (await post(server, FREE, recording, **ASKED)).json()
    result_link, audio_link = (scored.pop(name).removeprefix("http://server") for name in ("result_link", "audio_link"))
    assert (await client.get(result_link)).json() == scored
    audio = await client.get(audio_link)
    assert (audio.headers["content-type"], audio.content) == ("audio/wav", recording)
    for link in (audio_link, result_link):
        assert errors_of(await client.delete(link))[0] == 401
        assert (await client.delete(link, headers=token())).status_code == 204
        assert errors_of(await client.get(link)) == (404, ["no such result"])
        assert errors_of(await client.delete(link, headers=token()))[0] == 404


async def test_links_end(server: Server, recording: bytes) -> None:
    link = (await post(server, FREE, recording, **ASKED)).json()["result_link"]
    server.unix_s += 86_399
    assert (await server.client.get(link)).status_code == 200
    server.unix_s += 1
    assert (await server.client.get(link)).status_code == 404


@pytest.mark.parametrize("link", ["x", "x" * 2000, "..%2f..%2fvoicestream.db", "%00"])
async def test_guesses_lead_nowhere(server: Server, link: str) -> None:
    for path in ("/api/v1/results/", "/api/v1/audios/"):
        assert (await server.client.get(path + link)).status_code == 404


async def test_a_given_sentence(server: Server, recording: bytes) -> None:
    for path in (SCRIPTED, "/api/v3/score_audio"):
        answer = await post(server, path, recording, sentence="pizza party", return_feedback_hints="true")
        (utterance,) = answer.json()["utterance"]
        assert utterance["sentence"] == "pizza party"
        assert utterance["words"][0]["phonemes"][1]["feedback"] == [{"text": "It sounded like l. It should be ɹ.", "language": "en"}]


@pytest.mark.parametrize("hints", ["true", "false"])
async def test_what_is_kept_is_what_is_told(server: Server, recording: bytes, hints: str) -> None:
    asked = {"sentence": "pizza party", "return_feedback_hints": hints}
    told = (await post(server, SCRIPTED, recording, **asked)).json()
    links = (await post(server, SCRIPTED, recording, **asked, return_json="false")).json()
    kept = (await server.client.get(links["result_link"].removeprefix("http://server"))).json()
    assert kept == {name: value for name, value in told.items() if name not in links}


async def test_a_choice_of_sentences(serve: Callable[..., Server], recording: bytes) -> None:
    server = serve()
    server.assessor.said = "two"
    answer = await post(server, SCRIPTED, recording, sentence='["one", "two"]', api_plan="premium")
    (utterance,) = answer.json()["utterance"]
    assert (utterance["sentence"], utterance["sentence_id"]) == ("two", 1)


async def test_the_transcript_alone_keeps_nothing(server: Server, recording: bytes) -> None:
    answer = await post(server, ASR, recording, api_plan="asr")
    assert set(answer.json()) == {"utterances"}
    assert answer.json()["utterances"][0]["transcript"].startswith("w")


async def test_a_transcript_may_be_of_the_longest_and_tells_what_it_lacks(server: Server, recording: bytes) -> None:
    """Of 164 s of speech `standard` hears 60, `asr` as much as any plan does, and neither cuts in silence."""
    samples, rate_hz = soundfile.read(io.BytesIO(recording), dtype="int16")
    file = io.BytesIO()
    soundfile.write(file, np.tile(samples, 41), rate_hz, format="WAV")
    for plan, heard_s in (("standard", 60), ("asr", 150)):
        answer = (await post(server, ASR, file.getvalue(), api_plan=plan)).json()
        assert (answer["partial_error"], len(server.assessor.runs[-1].samples)) == ("too_long", 16000 * heard_s)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.encodebytes, lambda data: b"data:audio/wav;base64," + base64.b64encode(data)])
async def test_audio_may_come_in_base64(server: Server, recording: bytes, encode: Callable[[bytes], bytes]) -> None:
    answer = await server.client.post(FREE, data={**ASKED, "audio_data": encode(recording).decode()}, headers=token())
    assert (answer.status_code, answer.json()["total_time"]) == (200, 4.0)


async def test_audio_may_be_called_otherwise(server: Server, recording: bytes) -> None:
    answer = await server.client.post(FREE, data=ASKED, files={"audio": recording}, headers=token())
    assert answer.json()["total_time"] == 4.0


@pytest.mark.parametrize(
    "path, fields, wrong",
    [
        (FREE, {}, ["api_plan: must be standard or premium", "return_json: must be true or false",
                    "audio_file: is missing; it may also come as audio, or in base64 as audio_data"]),
        (FREE, {**ASKED, "audio_path": "http://10.0.0.1/"}, ["audio_path is disabled"]),
        (FREE, {**ASKED, "audio_data": "!"}, ["audio_data: must be base64"]),
        (FREE, {**ASKED, "api_plan": "asr", "audio_data": "aaaa"}, ["api_plan: must be standard or premium"]),
        (SCRIPTED, {"audio_data": "aaaa"}, ["sentence: must be 1 to 1000 characters, or a JSON list of up to 8 of them"]),
        (SCRIPTED, {"audio_data": "aaaa", "sentence": "x", "return_feedback_hints": "so"},
         ["return_feedback_hints: must be true or false"]),
        (ASR, {"api_plan": "gold", "audio_data": "aaaa"}, ["api_plan: must be standard or premium"]),
        (ASR, {"api_plan": "x" * 70_000, "audio_data": "aaaa"}, ["a field is too long", "api_plan: must be standard or premium"]),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_field_by_field(server: Server, path: str, fields: dict[str, str], wrong: list[str]) -> None:
    assert errors_of(await server.client.post(path, data=fields, headers=token())) == (400, wrong)
    assert server.assessor.going_on == []


@pytest.mark.parametrize("headers", [{}, {"Authorization": "ELSA wrong"}, {"Authorization": "Basic x"}])
async def test_without_a_token_nothing_is_read(server: Server, headers: dict[str, str]) -> None:
    for path in (FREE, SCRIPTED, ASR):
        answer = await server.client.post(path, content=b"not even a form", headers=headers)
        assert errors_of(answer) == (401, ["token missing or not good"])
        assert answer.headers["www-authenticate"] == "ELSA"


async def test_a_plan_that_is_not_offered(serve: Callable[..., Server], recording: bytes) -> None:
    answer = await post(serve(assessment_plans=("standard",)), FREE, recording, **{**ASKED, "api_plan": "premium"})
    assert errors_of(answer) == (403, ["api_plan: is not offered"])


@pytest.mark.parametrize("data", [b"x", bytes(16_000), b"OggS" + bytes(2000)])
async def test_what_is_no_audio(server: Server, data: bytes) -> None:
    assert (await post(server, FREE, data, **ASKED)).status_code == 415
    assert server.assessor.going_on == []


async def test_where_nobody_speaks(serve: Callable[..., Server]) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(32_000, np.int16), 16000, format="WAV")
    assert errors_of(await post(serve(min_voice=0.25), FREE, file.getvalue(), **ASKED)) == (400, ["no speech in the audio"])


async def test_what_is_too_large(server: Server) -> None:
    answer = await post(server, FREE, bytes(33 << 20), **ASKED)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == 1413


@pytest.mark.parametrize(
    "fault, status",
    [
        (errors.OVERLOADED, 429), (errors.ASSESSMENT_BUSY, 429), (errors.WORKER_DIED, 500), (errors.WORKER_DEFECT, 500),
        (errors.INTERNAL, 500), (errors.WORKER_MISSING, 503), (errors.TRANSCRIBER_MISSING, 503), (errors.WORKER_SLOW, 504),
        (errors.TOO_LONG_TO_ALIGN, 400),
    ],
)  # fmt: skip
async def test_trouble_of_ours_has_its_status(fault: errors.Fault, status: int, recording: bytes) -> None:
    server = Server(Settings(min_voice=0.0), assessor=FakeAssessor(error=PeerError(fault)))
    answer = await post(server, FREE, recording, **ASKED)
    assert errors_of(answer) == (status, [fault.sentence])
    assert ("retry-after" in answer.headers) is (status in (429, 503))
    assert server.assessor.going_on == []


async def test_too_much_to_do_is_told_before_the_form_is_scored(recording: bytes) -> None:
    answer = await post(Server(Settings(), assessor=FakeAssessor(places=0)), FREE, recording, **ASKED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, 2160)


async def test_recognition_that_takes_too_long(serve: Callable[..., Server], recording: bytes) -> None:
    server = serve(assessment_s=0.2)
    server.assessor.wait_s = 30.0
    assert errors_of(await post(server, FREE, recording, **ASKED))[0] == 504
    assert server.assessor.going_on == []


async def test_a_component_that_is_off_does_not_exist(serve: Callable[..., Server]) -> None:
    assert (await serve(component_assessment=False).client.post(FREE)).status_code == 404
