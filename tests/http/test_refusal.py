"""Every way a request can fail: its status, its number, Spring's shape."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime

import httpx
import pytest
import trio
import trio.testing

from tests.http.fake import Server
from tests.http.recording import pcm16, speech, wav
from voicestream.server.http.services import Health

SNR_FILE = "/snr_computer/compute_with_file"
SNR = "/snr_computer/compute_with_samples"
MATCH = "/voice_template_matcher/match_voice_templates"
CREATE = "/voice_template_factory/create_voice_template_from_samples"
JSON = {"Content-Type": "application/json"}
VOICE = pcm16(speech(1))


def check(answer: httpx.Response, status: int, code: str) -> None:
    """The refusal has this status, this number and Spring's fields."""
    body = answer.json()
    assert (answer.status_code, body["message"][:6]) == (status, code), answer.text
    assert list(body) == ["timestamp", "status", "error", "message", "path"]
    assert body["status"] == status
    assert body["path"] == answer.request.url.path
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", body["timestamp"])
    datetime.fromisoformat(body["timestamp"])
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "VS1401"),
        ("sample_rate=", 400, "VS1401"),
        ("sample_rate=1e4", 400, "VS1402"),
        ("sample_rate=-8000", 400, "VS1402"),
        ("sample_rate=8000.0", 400, "VS1402"),
        ("sample_rate=%2016000", 400, "VS1402"),
        ("sample_rate=16000%0A", 400, "VS1402"),
        ("sample_rate=%D9%A1%D9%A6%D9%A0%D9%A0%D9%A0", 400, "VS1402"),
        ("sample_rate=%FF", 400, "VS1402"),
        ("sample_rate=16000&sample_rate=8000", 400, "VS1402"),
        ("sample_rate=0", 400, "VS2007"),
        ("sample_rate=16001", 400, "VS2007"),
        ("sample_rate=999999999", 400, "VS2007"),
        ("sample_rate=9999999999", 400, "VS1402"),
        ("sample_rate=16000&channel_type=mic", 400, "VS1402"),
        ("sample_rate=16000&configuration=x", 400, "VS1410"),
        ("sample_rate=16000&bare=yes", 400, "VS1402"),
        ("sample_rate=16000&channel_type=TEL&channel_type=TEL", 400, "VS1402"),
    ],
)
async def test_parameters(client: httpx.AsyncClient, query: str, status: int, code: str) -> None:
    check(await client.post(f"{CREATE}?{query}", content=VOICE), status, code)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "VS1407"),
        (b"\0", "VS2006"),
        (b"\0\0\0", "VS2006"),
        (b"RIFF\0\0\0\0WAVE", "VS2001"),
        (b"RIFF\0\0\0\0WAVE" + b"x" * 999, "VS2001"),
    ],
)
async def test_samples_that_are_none(client: httpx.AsyncClient, content: bytes, code: str) -> None:
    check(await client.post(f"{SNR}?sample_rate=8000", content=content), 400, code)


@pytest.mark.parametrize("content_type", ["audio/wav", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "\xff"])
async def test_samples_of_another_content_type(client: httpx.AsyncClient, content_type: str) -> None:
    headers = {"Content-Type": content_type.encode("latin1")}
    check(await client.post(f"{SNR}?sample_rate=8000", content=VOICE, headers=headers), 415, "VS1415")


async def test_a_missing_content_type_is_taken_as_samples(client: httpx.AsyncClient) -> None:
    assert (await client.post(f"{SNR}?sample_rate=8000", content=VOICE)).status_code == 200


@pytest.mark.parametrize("path", [SNR_FILE, MATCH])
async def test_octets_where_something_else_is_wanted(client: httpx.AsyncClient, path: str) -> None:
    check(await client.post(path, content=VOICE, headers={"Content-Type": "application/octet-stream"}), 415, "VS1415")


@pytest.mark.parametrize(
    ("file", "status", "code"),
    [
        (b"", 400, "VS1407"),
        (b"this is no audio", 415, "VS2002"),
        (b"RIFF" + b"\0" * 100, 400, "VS2001"),
        (b"fLaC" + b"\0" * 100, 400, "VS2001"),
        (wav(speech(0.1))[:44], 400, "VS2003"),
        (wav(speech(0.1), rate_hz=4000), 400, "VS2007"),
    ],
)
async def test_files_that_are_none(client: httpx.AsyncClient, file: bytes, status: int, code: str) -> None:
    check(await client.post(SNR_FILE, files={"audio_file": file}), status, code)


async def test_a_form_without_the_part(client: httpx.AsyncClient) -> None:
    check(await client.post(SNR_FILE, files={"audio": wav(speech(1))}), 400, "VS1403")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b'{"template1":1,"template2":2}',
        b'{"template1":"AAAA"}',
        b"\xff\xfe",
        b"[" * 50_000,
        b"NaN",
    ],
)
async def test_json_that_is_none(client: httpx.AsyncClient, content: bytes) -> None:
    check(await client.post(MATCH, content=content, headers=JSON), 400, "VS1406")


@pytest.mark.parametrize("path", ["/nope", "/core", "/diarization_engine/x", "/antispoof_engine/x", "/core/../core/get", "/%00", "/é"])
async def test_unknown_paths(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404
    assert (await client.post(path)).json()["message"] == "VS1404 no such path"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("GET", SNR, "OPTIONS, POST"), ("POST", "/healthz", "GET, HEAD, OPTIONS"), ("DELETE", MATCH, "OPTIONS, POST")],
)
async def test_a_wrong_method_names_the_right_ones(client: httpx.AsyncClient, method: str, path: str, allow: str) -> None:
    answer = await client.request(method, path)
    check(answer, 405, "VS1405")
    assert answer.headers["Allow"] == allow


@pytest.mark.parametrize("path", ["/speech_summary_stream", "/voice_verify_stream/", "/verify_stream"])
async def test_a_websocket_path_asked_plainly(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    check(answer, 426, "VS1426")
    assert answer.headers["Upgrade"] == "websocket"


async def test_audio_over_the_limit(serve: Callable[..., Server]) -> None:
    client = serve(audio_body_bytes=64 * 1024).client
    check(await client.post(f"{SNR}?sample_rate=8000", content=bytes(64 * 1024 + 2)), 413, "VS1413")
    check(await client.post(SNR_FILE, files={"audio_file": bytes(64 * 1024)}), 413, "VS1413")
    assert (await client.post(f"{SNR}?sample_rate=8000", content=bytes(64 * 1024))).status_code == 200


async def test_audio_over_the_limit_without_a_length(serve: Callable[..., Server]) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 8192
            yield bytes(8192)
            await trio.lowlevel.checkpoint()

    check(await serve(audio_body_bytes=64 * 1024).client.post(f"{SNR}?sample_rate=8000", content=endless()), 413, "VS1413")
    assert sent < 1_000_000


async def test_json_over_the_limit(client: httpx.AsyncClient) -> None:
    check(await client.post(MATCH, content=b" " * 65_537, headers=JSON), 413, "VS1413")


async def test_a_recording_over_the_limit(serve: Callable[..., Server]) -> None:
    client = serve(upload_audio_s=3).client
    check(await client.post(f"{SNR}?sample_rate=8000", content=bytes(2 * 24_001)), 413, "VS2004")
    check(await client.post(SNR_FILE, files={"audio_file": wav(speech(3.1), container="FLAC")}), 413, "VS2004")
    assert (await client.post(f"{SNR}?sample_rate=8000", content=bytes(2 * 24_000))).status_code == 200


async def test_a_body_that_does_not_come(client: httpx.AsyncClient, autojump_clock: trio.testing.MockClock) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"\0\0"
        await trio.sleep_forever()

    check(await client.post(f"{SNR}?sample_rate=8000", content=stuck()), 408, "VS1408")
    assert trio.current_time() == pytest.approx(60, abs=1e-3)


async def test_a_full_budget_of_uploads_refuses_the_next(serve: Callable[..., Server], autojump_clock: trio.testing.MockClock) -> None:
    server = serve(audio_body_bytes=16 * 1024)

    async def almost_all() -> AsyncIterator[bytes]:
        yield bytes(16 * 1024)
        await trio.sleep(30)

    async def hold() -> None:
        await server.client.post(f"{SNR}?sample_rate=8000", content=almost_all())

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(hold)
        await trio.testing.wait_all_tasks_blocked()
        answer = await server.client.post(f"{SNR}?sample_rate=8000", content=bytes(1000))
        check(answer, 503, "VS1503")
        assert int(answer.headers["Retry-After"]) > 0
        nursery.cancel_scope.cancel()
    assert (await server.client.post(f"{SNR}?sample_rate=8000", content=bytes(1000))).status_code == 200


async def test_no_free_thread_is_a_503(serve: Callable[..., Server]) -> None:
    server = serve(job_threads=1, job_wait_s=0.01)
    release = trio.Event()

    def occupy() -> None:
        trio.from_thread.run(release.wait)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.runner.run, occupy, "audio")
        await trio.testing.wait_all_tasks_blocked()
        answer = await server.client.post(f"{SNR}?sample_rate=8000", content=VOICE)
        release.set()
    check(answer, 503, "VS1503")
    assert int(answer.headers["Retry-After"]) > 0


async def test_our_own_fault_tells_nothing(server: Server) -> None:
    def broken() -> Health:
        raise RuntimeError("secret")

    server.health_page = broken
    answer = await server.client.get("/healthz")
    check(answer, 500, "VS5000")
    assert "secret" not in answer.text


async def test_refusals_are_counted_by_number(server: Server) -> None:
    await server.client.get("/nope")
    await server.client.post(MATCH, content=b"{", headers=JSON)
    assert server.watch.refused == ["VS1404", "VS1406"]
