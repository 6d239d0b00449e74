"""das-Peak's back end over HTTP, as its clients see it: every endpoint, every refusal, and nobody else's voices."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from functools import cache
from random import Random
from typing import Any

import httpx
import numpy as np
import pytest
import trio
import trio.testing

from tests.http.fake import KEY, UNIX_S, Server, shared_authority
from tests.http.recording import speech, wav
from voicestream.models.registry import default_speaker_model
from voicestream.sessions.vocabulary import Template
from voicestream.store.api_key import add_key, revoke_key
from voicestream.store.templates import pack

V1 = "/daspeak/v1"
MODEL = default_speaker_model()
HASH = MODEL.card.sha256
ENROL = f"{V1}/models/{HASH}/credential/wav"
MODE = {"hash": HASH, "mode": "text-independent"}


@cache
def key_of(tenant: str) -> dict[str, str]:
    """The header of an API key of that tenant."""
    authority, _ = shared_authority()
    _, key = add_key(authority._database, "test", tenant, UNIX_S)
    authority.reload()
    return {"apikey": key}


ACME = {"headers": {"apikey": ""}}  # filled when the authority is there


@pytest.fixture(autouse=True)
def acme() -> None:
    ACME["headers"] = key_of("acme")


@cache
def voice(pitch_hz: float = 120.0, seconds: float = 8.0, rate_hz: int = 16000) -> np.ndarray:
    return speech(seconds, rate_hz, pitch_hz)


@cache
def recording(pitch_hz: float = 120.0) -> bytes:
    return wav(voice(pitch_hz))


def template(seed: int, model_hash: bytes = MODEL.card.hash) -> Template:
    vector = np.random.default_rng(seed).normal(size=MODEL.card.dimension).astype(np.float32)
    return Template(MODEL.card.name, model_hash, vector / np.linalg.norm(vector), 5.0)


def credential(seed: int, tenant: str = "acme", model_hash: bytes = MODEL.card.hash) -> str:
    """What this server would have given that tenant for a made-up voice."""
    return base64.b64encode(pack(template(seed, model_hash), KEY, tenant)).decode()


def listed(*people: tuple[str, str]) -> str:
    return json.dumps([{"id": name, "credential": text} for name, text in people])


def check(answer: httpx.Response, status: int, exception: str, error: str, code: str) -> None:
    assert answer.json() == {"exception": exception, "error": error, "code": f"VS{code}"}
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"


# ---- every endpoint


async def test_alive_and_models(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{V1}/alive", **ACME)).status_code == 200
    assert (await client.get(f"{V1}/models", **ACME)).json()["models"] == [HASH]


async def test_models_are_described(client: httpx.AsyncClient) -> None:
    described = {"hash": HASH, "description": "mfcc 2"}
    assert (await client.post(f"{V1}/models/metadata", data={"hash": HASH}, **ACME)).json()["metadata"] == described
    known = (await client.post(f"{V1}/models/calibration", data={"hash": HASH}, **ACME)).json()["calibrations"]
    assert known == ["telephone-channel", "microphone-channel"]
    answer = await client.post(f"{V1}/models/metadata/from-credential", data={"credential": credential(1)}, **ACME)
    assert answer.json()["metadata"] == described


async def test_a_recording_becomes_a_credential_that_is_recognised(client: httpx.AsyncClient) -> None:
    made = (await client.post(ENROL, files={"audio": ("audio", recording(), "audio/wav")}, **ACME)).json()
    assert (made["model"], made["input_audio_duration"]) == (MODE, 8.0)
    assert 3.0 <= made["net_speech_duration"] < 8.0
    assert 0.0 <= made["authenticity"] <= 1.0
    same = await client.post(
        f"{V1}/similarity/credential2wav",
        data={"credential_reference": made["credential"]},
        files={"audio_to_evaluate": recording()},
        **ACME,
    )
    assert same.json()["score"] > 0.9
    assert same.json()["authenticity_to_evaluate"] == made["authenticity"]


async def test_two_recordings(client: httpx.AsyncClient) -> None:
    async def score(one: bytes, other: bytes) -> float:
        answer = await client.post(f"{V1}/similarity/wav2wav", files={"audio_reference": one, "audio_to_evaluate": other}, **ACME)
        return float(answer.json()["score"])

    assert await score(recording(), recording()) > 0.9 > await score(recording(), recording(230.0))


async def test_two_credentials(client: httpx.AsyncClient) -> None:
    async def compare(one: str, other: str) -> Any:
        form = {"credential_reference": one, "credential_to_evaluate": other, "calibration": "microphone-channel"}
        return (await client.post(f"{V1}/similarity/credential2credential", data=form, **ACME)).json()

    same = await compare(credential(1), credential(1))
    assert (same["score"] > 0.99, same["calibration"], same["model"]) == (True, "microphone-channel", MODE)
    assert (await compare(credential(1), credential(2)))["score"] < 0.5


async def test_one_among_many(client: httpx.AsyncClient) -> None:
    form = {
        "credential_to_evaluate": credential(7),
        "credential_list": listed(*((f"person {seed}", credential(seed)) for seed in range(20))),
    }
    found = (await client.post(f"{V1}/identification/credential2credentials", data=form, **ACME)).json()
    assert found["result"]["id"] == "person 7"
    assert [one["id"] for one in found["scores"]] == [f"person {seed}" for seed in range(20)]
    assert found["result"]["score"] == max(one["score"] for one in found["scores"]) > 0.99


async def test_a_recording_among_many(client: httpx.AsyncClient) -> None:
    made = [(await client.post(ENROL, files={"audio": recording(pitch_hz)}, **ACME)).json()["credential"] for pitch_hz in (120.0, 230.0)]
    form = {"credential_list": listed(("low", made[0]), ("high", made[1]))}
    found = await client.post(f"{V1}/identification/wav2credentials", data=form, files={"audio_to_evaluate": recording(230.0)}, **ACME)
    assert found.json()["result"]["id"] == "high"
    assert found.json()["net_speech_duration_to_evaluate"] > 3.0


async def test_a_form_without_a_file_may_be_multipart_too(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"{V1}/models/metadata", files={"hash": (None, HASH)}, **ACME)
    assert answer.json()["metadata"]["hash"] == HASH


async def test_a_channel_of_two(client: httpx.AsyncClient) -> None:
    both = wav(np.stack((voice(120.0), voice(230.0)), axis=1))
    (left, right) = [
        (await client.post(ENROL, data={"channel": channel}, files={"audio": both}, **ACME)).json()["credential"] for channel in "12"
    ]
    form = {"credential_list": listed(("left", left), ("right", right))}
    for pitch_hz, side in ((120.0, "left"), (230.0, "right")):
        answer = await client.post(
            f"{V1}/identification/wav2credentials", data=form, files={"audio_to_evaluate": recording(pitch_hz)}, **ACME
        )
        assert answer.json()["result"]["id"] == side


@pytest.mark.parametrize("subtype", ["PCM_16", "ULAW", "ALAW"])
@pytest.mark.parametrize("rate_hz", [8000, 16000])
async def test_codecs_and_rates_of_telephones(client: httpx.AsyncClient, subtype: str, rate_hz: int) -> None:
    answer = await client.post(ENROL, files={"audio": wav(voice(120.0, 8.0, rate_hz), rate_hz, subtype=subtype)}, **ACME)
    assert answer.json()["input_audio_duration"] == 8.0


# ---- keys


@pytest.mark.parametrize("header", ["apikey", "x-api-key", "APIKEY"])
async def test_a_key_in_either_header(client: httpx.AsyncClient, header: str) -> None:
    assert (await client.get(f"{V1}/models", headers={header: key_of("acme")["apikey"]})).status_code == 200


@pytest.mark.parametrize(
    "headers, message",
    [
        ([], "no Authorization header found"),
        ([("Authorization", "Bearer x")], "no Authorization header found"),
        ([("apikey", "")], "no Authorization header found"),
        ([("apikey", "wrong")], "Invalid authentication credentials"),
        ([("apikey", "x" * 5000)], "Invalid authentication credentials"),
        ([("apikey", b"\xff\xfe")], "Invalid authentication credentials"),
        ([("apikey", "wrong"), ("x-api-key", "GOOD")], "Invalid authentication credentials"),
        ([("apikey", "GOOD"), ("apikey", "wrong")], "Invalid authentication credentials"),
    ],
)
async def test_without_a_good_key_nothing_is_done(server: Server, headers: list[tuple[str, Any]], message: str) -> None:
    shown = [(name, key_of("acme")["apikey"] if value == "GOOD" else value) for name, value in headers]
    for rule in server.app.url_map.iter_rules():
        if rule.rule.startswith(V1):
            method = "POST" if "POST" in (rule.methods or ()) else "GET"
            answer = await server.client.request(method, rule.rule, headers=shown)
            assert (answer.status_code, answer.json()) == (401, {"message": message}), rule.rule


async def test_a_revoked_key(client: httpx.AsyncClient) -> None:
    authority, _ = shared_authority()
    row, key = add_key(authority._database, "short", "acme", UNIX_S)
    authority.reload()
    assert (await client.get(f"{V1}/models", headers={"apikey": key})).status_code == 200
    revoke_key(authority._database, row.key_id, UNIX_S)
    authority.reload()
    assert (await client.get(f"{V1}/models", headers={"apikey": key})).status_code == 401


async def test_a_stranger_is_answered_before_its_body_ends(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1024)
            await trio.lowlevel.checkpoint()

    assert (await client.post(ENROL, content=endless())).status_code == 401


async def test_switched_off_there_is_nothing(serve: Callable[..., Server]) -> None:
    client = serve(component_daspeak=False).client
    assert (await client.get(f"{V1}/alive")).status_code == 404
    assert (await client.post(ENROL)).status_code == 404


async def test_a_browser_may_send_the_key(serve: Callable[..., Server]) -> None:
    answer = await serve(allow_cors=True).client.options(f"{V1}/models")
    assert "Apikey" in answer.headers["Access-Control-Allow-Headers"]


# ---- attempts at one voice

TRIED = (429, "ServerError", "Too many comparisons with this voice were rejected", "1714")


def two(reference: int, to_evaluate: int) -> dict[str, str]:
    return {"credential_reference": credential(reference), "credential_to_evaluate": credential(to_evaluate)}


async def test_so_many_voices_may_be_tried_in_vain_and_no_more(serve: Callable[..., Server]) -> None:
    client = serve(verification_attempts=2).client
    path = f"{V1}/similarity/credential2wav"
    form, audio = {"credential_reference": credential(1)}, {"audio_to_evaluate": recording()}
    for _ in range(2):
        assert (await client.post(path, data=form, files=audio, **ACME)).json()["score"] < 0.5
    answer = await client.post(path, data=form, files=audio, **ACME)
    check(answer, *TRIED)
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert (await client.post(path, data={"credential_reference": credential(2)}, files=audio, **ACME)).status_code == 200


@pytest.mark.parametrize("swapped", [False, True])
async def test_credentials_that_are_tried_with_credentials(serve: Callable[..., Server], swapped: bool) -> None:
    client = serve(verification_attempts=2).client
    for other, status in ((2, 200), (3, 200), (4, 429)):
        form = two(other, 1) if swapped else two(1, other)
        assert (await client.post(f"{V1}/similarity/credential2credential", data=form, **ACME)).status_code == status


async def test_what_was_recognised_or_could_not_be_heard_was_no_attempt(serve: Callable[..., Server]) -> None:
    client = serve(verification_attempts=2).client
    for _ in range(4):
        answer = await client.post(f"{V1}/similarity/credential2credential", data=two(1, 1), **ACME)
        assert answer.json()["score"] > 0.9
        form, text = {"credential_reference": credential(1)}, {"audio_to_evaluate": b"# no recording"}
        assert (await client.post(f"{V1}/similarity/credential2wav", data=form, files=text, **ACME)).status_code == 415


# ---- recordings that are refused

CHANNELS_3 = np.zeros((8000, 3), np.float32)
RECORDINGS: dict[str, tuple[bytes, int, str, str, str]] = {
    "text": (b"# no recording", 415, "UnsupportedMediaType", "415 Unsupported Media Type: The audio is not a wav", "1960"),
    "empty": (b"", 415, "UnsupportedMediaType", "415 Unsupported Media Type: The audio is not a wav", "1960"),
    "flac": (wav(voice(), container="FLAC"), 415, "UnsupportedMediaType", "415 Unsupported Media Type: The audio is not a wav", "1960"),
    "head alone": (recording()[:12], 400, "AudioInputException", "The wav cannot be read", "2001"),
    "three channels": (
        wav(CHANNELS_3), 400, "AudioInputException", "The wav has more channels than are accepted by the system", "1962",
    ),
    "24 bit": (
        wav(voice(), subtype="PCM_24"), 400, "AudioInputException",
        "Provided audio data uses an unsupported codec. Supported codecs are: 'PCM_16', 'ULAW', 'ALAW'", "1961",
    ),
    "44100 Hz": (
        wav(voice(), 44100), 400, "AudioInputException", "The sample rate is not supported, must be 8 Khz or 16 Khz", "1963",
    ),
    "30 s": (wav(np.zeros(30 * 8000), 8000), 400, "AudioInputException", "The wav duration is longer than 30 seconds", "1964"),
    "no samples": (wav(voice()[:0]), 400, "VoiceDurationIsNotEnoughException", "Net speech found was 0.00s of 3.00s", "1965"),
    "silence": (wav(np.zeros(8 * 8000), 8000), 400, "VoiceDurationIsNotEnoughException", "Net speech found was 0.00s of 3.00s", "1965"),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize(
    "path", [ENROL, f"{V1}/similarity/wav2wav", f"{V1}/similarity/credential2wav", f"{V1}/identification/wav2credentials"]
)
async def test_recordings_that_are_refused(client: httpx.AsyncClient, name: str, path: str) -> None:
    data, *told = RECORDINGS[name]
    files = dict.fromkeys(("audio", "audio_reference", "audio_to_evaluate"), data)
    form = {"credential_reference": credential(1), "credential_list": listed(("a", credential(1)))}
    check(await client.post(path, data=form, files=files, **ACME), *told)


async def test_much_noise(serve: Callable[..., Server]) -> None:
    answer = await serve(min_snr_db=60).client.post(ENROL, files={"audio": recording()}, **ACME)
    check(answer, 400, "SignalNoiseRatioException", "Noise level exceeded", "3017")


async def test_too_little_speech_says_how_much(serve: Callable[..., Server]) -> None:
    client = serve(daspeak_min_speech_s=4.5).client
    answer = await client.post(ENROL, files={"audio": wav(voice(seconds=4.0))}, **ACME)
    found = answer.json()["error"]
    assert found.endswith(" of 4.50s")
    assert 1.0 < float(found.split(" ")[-3].removesuffix("s")) < 4.0


@pytest.mark.parametrize("gate", [{"min_voice": 1.0}, {"min_level_dbfs": 0.0}, {"max_clipped": 0.0}], ids=["no voice", "quiet", "clipped"])
async def test_poor_quality(serve: Callable[..., Server], gate: dict[str, float]) -> None:
    answer = await serve(**gate).client.post(ENROL, files={"audio": recording()}, **ACME)
    assert (answer.status_code, answer.json()["exception"]) == (400, "InsufficientQuality"), answer.text


@pytest.mark.parametrize("channel", ["0", "2", "3", "100", "-1", "1.5", "NaN", "x"])
async def test_channels_that_are_not_there(client: httpx.AsyncClient, channel: str) -> None:
    answer = await client.post(ENROL, data={"channel": channel}, files={"audio": recording()}, **ACME)
    check(answer, 400, "InvalidChannelException", "Invalid specified channel/s", "1955")


async def test_speech_spread_thinly_is_neither_authentic_nor_not(serve: Callable[..., Server]) -> None:
    """Half a second in each stretch of four: enough for a voice in all, nowhere enough for a verdict."""
    burst = np.pad(voice()[8000:16000], (0, 3 * 16000 + 8000))
    sparse = np.tile(burst, 7) + 0.0002 * np.random.default_rng(1).standard_normal(7 * len(burst)).astype(np.float32)
    answer = await serve(daspeak_min_speech_s=1.0).client.post(ENROL, files={"audio": wav(sparse)}, **ACME)
    assert answer.json()["authenticity"] == pytest.approx(0.4975)


# ---- models, calibrations, credentials, lists that are refused


@pytest.mark.parametrize("unknown", ["9b1f", "00" * 32])
async def test_unknown_models(client: httpx.AsyncClient, unknown: str) -> None:
    told = (404, "ModelNotAvailable", f"No biometrics model has hash {unknown}", "1957")
    check(await client.post(f"{V1}/models/metadata", data={"hash": unknown}, **ACME), *told)
    check(await client.post(f"{V1}/models/calibration", data={"hash": unknown}, **ACME), *told)
    check(await client.post(f"{V1}/models/{unknown}/credential/wav", files={"audio": recording()}, **ACME), *told)


async def test_unknown_calibrations(client: httpx.AsyncClient) -> None:
    told = (400, "CalibrationNotAvailable", "The calibration cellar is not available", "1956")
    form = {
        "calibration": "cellar", "credential_reference": credential(1), "credential_to_evaluate": credential(2),
        "credential_list": listed(("a", credential(1))),
    }  # fmt: skip
    files = dict.fromkeys(("audio", "audio_reference", "audio_to_evaluate"), recording())
    for path in (ENROL, f"{V1}/similarity/wav2wav", f"{V1}/similarity/credential2wav", f"{V1}/identification/wav2credentials"):
        check(await client.post(path, data=form, files=files, **ACME), *told)
    for path in (f"{V1}/similarity/credential2credential", f"{V1}/identification/credential2credentials"):
        check(await client.post(path, data=form, **ACME), *told)


def bad_credentials() -> dict[str, tuple[str, str, str]]:
    good = base64.b64decode(credential(1))
    flipped = bytearray(good)
    flipped[100] ^= 1
    stranger = "The credential is not one of this service"
    return {
        "of another tenant": (credential(1, "rival"), "Decryption error", "3012"),
        "of another model": (credential(1, model_hash=bytes(32)), "The credential is of another model", "3007"),
        "not sealed": (base64.b64encode(pack(template(1))).decode(), stranger, "3011"),
        "flipped": (base64.b64encode(flipped).decode(), stranger, "3006"),
        "cut off": (base64.b64encode(good[:-1]).decode(), stranger, "3002"),
        "grown": (base64.b64encode(good + b"x").decode(), stranger, "3003"),
        "no base64": ("not base64!", stranger, "3021"),
        "empty": ("", stranger, "3021"),
        "a pickle": (base64.b64encode(b"\x80\x04\x95" + bytes(300)).decode(), stranger, "3004"),
        "huge": ("A" * 100_000, stranger, "3020"),
    }


@pytest.mark.parametrize("name", bad_credentials())
async def test_credentials_that_are_refused_wherever_they_stand(client: httpx.AsyncClient, name: str) -> None:
    bad, *told = bad_credentials()[name]
    good = credential(1)
    audio = {"audio_to_evaluate": recording()}
    requests: list[tuple[str, dict[str, str], dict[str, bytes]]] = [
        ("models/metadata/from-credential", {"credential": bad}, {}),
        ("similarity/credential2wav", {"credential_reference": bad}, audio),
        ("similarity/credential2credential", {"credential_reference": bad, "credential_to_evaluate": good}, {}),
        ("similarity/credential2credential", {"credential_reference": good, "credential_to_evaluate": bad}, {}),
        ("identification/wav2credentials", {"credential_list": listed(("a", good), ("b", bad))}, audio),
        ("identification/credential2credentials", {"credential_to_evaluate": bad, "credential_list": listed(("a", good))}, {}),
        ("identification/credential2credentials", {"credential_to_evaluate": good, "credential_list": listed(("a", good), ("b", bad))}, {}),
    ]
    for path, form, files in requests:
        check(await client.post(f"{V1}/{path}", data=form, files=files, **ACME), 400, "InvalidCredential", *told)


async def test_a_list_has_a_length(serve: Callable[..., Server]) -> None:
    client = serve(daspeak_candidates=3).client
    path = f"{V1}/identification/credential2credentials"

    async def ask(text: str) -> httpx.Response:
        return await client.post(path, data={"credential_to_evaluate": credential(1), "credential_list": text}, **ACME)

    people = [(str(seed), credential(seed)) for seed in range(4)]
    assert (await ask(listed(*people[:3]))).status_code == 200
    check(await ask(listed(*people)), 413, "ServerError", "The credential list is longer than 3", "1959")
    check(await ask("[]"), 400, "InvalidCredential", "The credential list is not a list of ids and credentials", "1958")


async def test_a_thousand_candidates_fit(client: httpx.AsyncClient) -> None:
    people = [(f"person {seed}", credential(seed)) for seed in range(1000)]
    form = {"credential_to_evaluate": credential(999), "credential_list": listed(*people)}
    for answer in (
        await client.post(f"{V1}/identification/credential2credentials", data=form, **ACME),
        await client.post(f"{V1}/identification/credential2credentials", files={name: (None, text) for name, text in form.items()}, **ACME),
    ):
        assert answer.json()["result"]["id"] == "person 999"


# ---- forms that are none


@pytest.mark.parametrize(
    "content, content_type, status, code",
    [
        (b"", None, 400, "1952"),
        (b"hash=a&hash=b", "application/x-www-form-urlencoded", 400, "1953"),
        (b"a&" * 100, "application/x-www-form-urlencoded", 400, "1409"),
        (b'{"hash":"a"}', "application/json", 415, "1415"),
        (b"hash=a", "text/plain", 415, "1415"),
        (b"x", "multipart/form-data", 400, "1409"),
        (b"x", "multipart/form-data; boundary=b", 400, "1409"),
        (b"hash=%ff%zz%", "application/x-www-form-urlencoded", 404, "1957"),
        (b"hash=" + b"a" * 5_000_000, "application/x-www-form-urlencoded", 413, "1413"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_forms_that_are_refused(client: httpx.AsyncClient, content: bytes, content_type: str | None, status: int, code: str) -> None:
    headers = key_of("acme") | ({} if content_type is None else {"Content-Type": content_type})
    answer = await client.post(f"{V1}/models/metadata", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, f"VS{code}"), answer.text


async def test_a_recording_twice(client: httpx.AsyncClient) -> None:
    answer = await client.post(ENROL, files=[("audio", recording()), ("audio", recording())], **ACME)
    check(answer, 400, "ServerError", "The form has a field twice", "1953")


async def test_a_body_that_does_not_come(client: httpx.AsyncClient, autojump_clock: trio.testing.MockClock) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"hash"
        await trio.sleep_forever()

    answer = await client.post(f"{V1}/models/metadata", content=stuck(), **ACME)
    check(answer, 408, "ServerError", "The request did not come in time", "1408")


async def test_a_body_that_is_announced_too_large(client: httpx.AsyncClient) -> None:
    answer = await client.post(ENROL, content=b"", headers={**key_of("acme"), "Content-Length": "99999999999"})
    check(answer, 413, "ServerError", "The request is too large", "1413")


async def test_a_defect_is_a_server_error_and_told_to_nobody(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("voicestream.server.http.daspeak_backend.compare", broken)
    form = {"credential_reference": credential(1), "credential_to_evaluate": credential(2)}
    answer = await server.client.post(f"{V1}/similarity/credential2credential", data=form, **ACME)
    check(answer, 500, "ServerError", "An internal server error occurred", "5000")
    assert server.watch.refused == ["VS5000"]


async def test_no_answer_is_to_be_kept_on_the_way(client: httpx.AsyncClient) -> None:
    assert (await client.post(ENROL, files={"audio": recording()}, **ACME)).headers["Cache-Control"] == "no-store"


# ---- three tenants


@pytest.mark.parametrize("seed", range(4))
async def test_no_tenant_reads_what_another_made(client: httpx.AsyncClient, seed: int) -> None:
    """250 random operations each: an operation succeeds exactly when all its credentials are of the asking tenant."""
    random = Random(seed)
    tenants = ["acme", "rival", "third"]
    made = [(owner, credential(number, owner)) for number, owner in enumerate(tenants * 5)]
    for _ in range(250):
        asking = random.choice(tenants)
        used = [random.choice(made) for _ in range(random.choice([1, 2, 2, 3, 5]))]
        texts = [text for _, text in used]
        match len(texts):
            case 1:
                path, form = "models/metadata/from-credential", {"credential": texts[0]}
            case 2:
                path, form = (
                    "similarity/credential2credential",
                    dict(zip(("credential_reference", "credential_to_evaluate"), texts, strict=True)),
                )
            case _:
                people = listed(*((f"p{place}", text) for place, text in enumerate(texts[1:])))
                path, form = "identification/credential2credentials", {"credential_to_evaluate": texts[0], "credential_list": people}
        answer = await client.post(f"{V1}/{path}", data=form, headers=key_of(asking))
        if all(owner == asking for owner, _ in used):
            assert answer.status_code == 200, answer.text
        else:
            check(answer, 400, "InvalidCredential", "Decryption error", "3012")
