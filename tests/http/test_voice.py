"""Templates over HTTP: made, spelled, read back, merged, matched, judged."""

import json
from collections.abc import Callable

import httpx
import numpy as np
import pytest

from tests.http.fake import Server
from tests.http.recording import pcm16, speech, wav
from voicestream.protocols.template_text import template_bytes

FACTORY = "/voice_template_factory"
MATCH = "/voice_template_matcher/match_voice_templates"
OCTETS = {"Content-Type": "application/octet-stream"}
ANNA, BRUNO = speech(5, pitch_hz=210), speech(5, pitch_hz=110)


async def enrolled(client: httpx.AsyncClient, samples: np.ndarray) -> str:
    answer = await client.post(f"{FACTORY}/create_voice_template_from_samples?sample_rate=16000", content=pcm16(samples), headers=OCTETS)
    assert answer.status_code == 200, answer.text
    return str(answer.json())


@pytest.mark.parametrize("part", ["audio_file", "wav_file"])
@pytest.mark.parametrize("prefix", [FACTORY, "/verify_engine"])
async def test_a_file_and_its_samples_give_one_template(client: httpx.AsyncClient, part: str, prefix: str) -> None:
    form = {part: ("anna.wav", wav(ANNA))}
    answer = await client.post(f"{prefix}/create_voice_template_from_file?channel_type=&configuration=", files=form)
    assert answer.status_code == 200
    assert answer.json() == await enrolled(client, ANNA)


async def test_the_template_is_a_quoted_json_string(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{FACTORY}/create_voice_template_from_file", files={"audio_file": wav(ANNA)})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.text == json.dumps(answer.json())
    assert template_bytes(answer.json())


@pytest.mark.parametrize(
    ("query", "accept", "bare"),
    [
        ("", "*/*", False),
        ("", "application/json, text/plain, */*", False),
        ("", "application/json;q=0.5, text/plain", True),
        ("", "text/plain, */*;q=0.1", True),
        ("", "text/plain", True),
        ("?bare=true", "*/*", True),
        ("?bare=TRUE", "*/*", True),
        ("?bare=false", "application/json", False),
        ("?bare=", "application/json", False),
    ],
)
async def test_bare_text_on_request(client: httpx.AsyncClient, query: str, accept: str, bare: bool) -> None:
    path = f"{FACTORY}/create_voice_template_from_file{query}"
    answer = await client.post(path, files={"audio_file": wav(ANNA)}, headers={"Accept": accept})
    assert answer.headers["Content-Type"] == ("text/plain" if bare else "application/json")
    assert answer.text.startswith('"') is not bare


async def test_a_voice_matches_itself(client: httpx.AsyncClient) -> None:
    template = await enrolled(client, ANNA)
    answer = await client.post(MATCH, json={"template1": template, "template2": template})
    assert answer.status_code == 200
    assert answer.json()["score"] >= 0.99999
    assert answer.json()["probability"] > 0.9
    assert " " not in answer.text


async def test_another_voice_scores_lower(client: httpx.AsyncClient) -> None:
    one, again, other = await enrolled(client, ANNA[:48000]), await enrolled(client, ANNA[32000:]), await enrolled(client, BRUNO)
    same = (await client.post(MATCH, json={"template1": one, "template2": again})).json()
    different = (await client.post("/verify_engine/verify", json={"template1": one, "template2": other})).json()
    assert same["score"] > different["score"] + 0.1


@pytest.mark.parametrize("quoted", ["{}", '"{}"', '"\\"{}\\""', " {}\n", '\\"{}\\"'])
async def test_templates_are_read_as_clients_store_them(client: httpx.AsyncClient, quoted: str) -> None:
    template = await enrolled(client, ANNA)
    stored = quoted.replace("{}", template)
    answer = await client.post(MATCH, json={"template1": stored, "template2": template})
    assert answer.status_code == 200


NO_TEMPLATES = {
    "empty": "",
    "alphabet": "not base64!",
    "short": "AAAA",
    "vendor": "PHZ0MTIzNDU2Nzg5MA==",
    "accent": "\u00e9",
    "long": "A" * 20_000,
}


@pytest.mark.parametrize("text", NO_TEMPLATES.values(), ids=NO_TEMPLATES.keys())
async def test_what_is_no_template_is_a_400(client: httpx.AsyncClient, text: str) -> None:
    body = json.dumps({"template1": text, "template2": text}).encode()
    answer = await client.post(MATCH, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("VS")


async def test_a_flipped_bit_is_refused(client: httpx.AsyncClient) -> None:
    template = await enrolled(client, ANNA)
    flipped = template[:200] + ("A" if template[200] != "A" else "B") + template[201:]
    answer = await client.post(MATCH, json={"template1": template, "template2": flipped})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("VS3006")


async def test_merging_lies_between_its_parts(client: httpx.AsyncClient) -> None:
    one, other = await enrolled(client, ANNA), await enrolled(client, BRUNO)
    merged = (await client.post(f"{FACTORY}/merge_voice_templates", json={"voice_templates": [one, other]})).json()
    apart = (await client.post(MATCH, json={"template1": one, "template2": other})).json()["score"]
    near = (await client.post(MATCH, json={"template1": one, "template2": merged})).json()["score"]
    assert near > apart


async def test_merging_nothing_is_a_400(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{FACTORY}/merge_voice_templates", json={"voice_templates": []})
    assert (answer.status_code, answer.json()["message"][:6]) == (400, "VS3014")


async def test_too_little_speech_is_a_422_with_both_numbers(client: httpx.AsyncClient) -> None:
    path = f"{FACTORY}/create_voice_template_from_samples?sample_rate=16000"
    answer = await client.post(path, content=pcm16(ANNA[:16000]), headers=OCTETS)
    assert (answer.status_code, answer.json()["error"]) == (422, "Unprocessable Entity")
    assert answer.json()["message"].startswith("VS3013 not enough speech: 0.")
    assert answer.json()["message"].endswith("s found, 1.00 s needed")


@pytest.mark.parametrize(("name", "status"), [("mfcc", 200), ("mic-v1", 200), ("noctua", 200), ("nobody", 400)])
async def test_configurations_by_our_and_the_vendors_names(client: httpx.AsyncClient, name: str, status: int) -> None:
    answer = await client.post(f"{FACTORY}/create_voice_template_from_file?configuration={name}", files={"audio_file": wav(ANNA)})
    assert answer.status_code == status


async def test_the_default_model_by_a_vendors_name(serve: Callable[..., Server]) -> None:
    client = serve(model="mic-v1").client
    template = await enrolled(client, ANNA)
    assert (await client.post(MATCH, json={"template1": template, "template2": template})).status_code == 200
    assert (await client.get("/openapi.json")).status_code == 200


@pytest.mark.parametrize("body", ["file", "samples"])
async def test_quality_of_good_speech_is_ok(client: httpx.AsyncClient, body: str) -> None:
    path = f"{FACTORY}/check_quality_from_{body}?sample_rate=16000"
    answer = await (client.post(path, files={"wav_file": wav(ANNA)}) if body == "file" else client.post(path, content=pcm16(ANNA)))
    assert answer.status_code == 200
    told = answer.json()
    assert told["quality_short_description"] == "OK"
    assert told["obtained_values"]["SpeechLength"] >= told["threshold_values"]["SpeechLength"] == 1000.0
    assert told["obtained_values"]["SNR"] >= told["threshold_values"]["SNR"]


async def test_quality_of_a_word_is_too_short(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{FACTORY}/check_quality_from_samples?sample_rate=16000", content=pcm16(ANNA[:16000]))
    assert answer.json()["quality_short_description"] == "TOO_SMALL_SPEECH_TOTAL_LENGTH"


async def test_the_converter_gives_templates_of_the_default_model_back(serve: Callable[..., Server]) -> None:
    client = serve(component_template_converter=True).client
    template = await enrolled(client, ANNA)
    answer = await client.post("/voice_template_converter/convert_voice_template", json=template)
    assert answer.status_code == 200
    again = await client.post(MATCH, json={"template1": template, "template2": answer.json()})
    assert again.json()["score"] >= 0.99999
