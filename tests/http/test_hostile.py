"""Uploads that lie, forms that are none, and a sweep of nonsense over every documented path: never a 5xx."""

from collections.abc import Callable
from random import Random
from typing import Any

import httpx
import pytest

from tests.http.fake import Server
from tests.http.recording import pcm16, speech, wav

FILE = "/snr_computer/compute_with_file"
VOICE = wav(speech(1))
HEAD = b'--b\r\nContent-Disposition: form-data; name="audio_file"; filename="a.wav"\r\n\r\n'
END = b"\r\n--b--\r\n"


async def post_form(client: httpx.AsyncClient, body: bytes, content_type: str = "multipart/form-data; boundary=b") -> httpx.Response:
    return await client.post(FILE, content=body, headers={"Content-Type": content_type})


async def test_a_form_by_hand(client: httpx.AsyncClient) -> None:
    assert (await post_form(client, HEAD + VOICE + END)).status_code == 200


FORMS = {
    "empty": (b"", 400),
    "no boundary in the body": (VOICE, 400),
    "cut off in the part": (HEAD + VOICE, 400),
    "cut off in the head": (HEAD[:40], 400),
    "no disposition": (b"--b\r\nX: y\r\n\r\n" + VOICE + END, 400),
    "no name": (b"--b\r\nContent-Disposition: form-data\r\n\r\n" + VOICE + END, 400),
    "head is no UTF-8": (b'--b\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n' + VOICE + END, 400),
    "a head without end": (b"--b\r\nX: " + b"y" * 400_000, 413),
    "a thousand parts": (b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' * 1000 + b"--b--\r\n", 413),
    "no file name": (HEAD.replace(b'; filename="a.wav"', b"") + VOICE + END, 200),
    "a file name to climb with": (HEAD.replace(b"a.wav", b"../../etc/passwd") + VOICE + END, 200),
    "a type that lies": (HEAD.replace(b"\r\n\r\n", b"\r\nContent-Type: text/html\r\n\r\n") + VOICE + END, 200),
    "a length that lies": (HEAD.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n") + VOICE + END, 200),
    "the part twice": (HEAD + VOICE + b"\r\n" + HEAD + b"rubbish" + END, 200),
    "other parts round it": (b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' + HEAD + VOICE + END, 200),
    "bare line feeds": ((HEAD + VOICE + END).replace(b"\r\n", b"\n"), 200),
}


@pytest.mark.parametrize("name", FORMS)
async def test_forms(client: httpx.AsyncClient, name: str) -> None:
    body, status = FORMS[name]
    answer = await post_form(client, body)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("parameters", ["", "; boundary=", "; boundary=" + "b" * 71, "; boundary=\xe9", "; boundary", ";;;=;"])
async def test_boundaries_that_are_none(client: httpx.AsyncClient, parameters: str) -> None:
    answer = await client.post(
        FILE, content=HEAD + VOICE + END, headers={"Content-Type": f"multipart/form-data{parameters}".encode("latin1")}
    )
    assert answer.json()["message"].startswith("VS1409")


async def test_a_form_cut_at_any_byte_is_refused_or_whole(client: httpx.AsyncClient) -> None:
    form = HEAD + VOICE[:300] + END
    for end in range(len(form)):
        answer = await post_form(client, form[:end])
        # Once the closing boundary is there, nothing of the recording is missing.
        assert answer.status_code == (200 if end >= len(form) - 2 else 400), end


async def test_a_form_in_pieces_is_the_form(client: httpx.AsyncClient) -> None:
    form = HEAD + VOICE + END

    async def pieces() -> Any:
        for begin in range(0, len(form), 777):
            yield form[begin : begin + 777]

    whole = await post_form(client, form)
    cut = await client.post(FILE, content=pieces(), headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert cut.json() == whole.json()


def nonsense(random: Random) -> bytes:
    """A body: empty, random, a damaged recording, damaged JSON or a damaged form."""
    good = random.choice(
        [b"", random.randbytes(500), VOICE, pcm16(speech(0.2)), b'{"template1":"AAAA","template2":"AAAA"}', HEAD + VOICE + END]
    )
    body = bytearray(good[: random.randint(0, len(good))] if random.random() < 0.5 else good)
    for _ in range(random.randint(0, 3)):
        if body:
            body[random.randrange(len(body))] = random.randrange(256)
    return bytes(body)


WORDS = [
    "",
    "0",
    "16000",
    "-1",
    "1e9",
    "\n",
    "\u0661\u0666",
    "null",
    "true",
    "MIC",
    "mfcc",
    "'\"<>",
    "\x00",
    "x" * 3000,
    "%s",
    "../..",
    "\U0001f600",
]
TYPES = ["", "application/json", "application/octet-stream", "multipart/form-data; boundary=b", "text/plain", ";", "a/b; charset=\xff"]


@pytest.mark.parametrize("seed", range(6))
async def test_no_request_is_answered_by_a_5xx(serve: Callable[..., Server], seed: int) -> None:
    server = serve(component_template_converter=True, allow_cors=True)
    client = server.client
    random = Random(seed)
    documented = (await client.get("/openapi.json")).json()["paths"]
    targets = [(method.upper(), path) for path, methods in documented.items() for method in methods]
    targets += [("GET", "/nope"), ("GET", "/voice_verify_stream"), ("GET", "/web/page.css")]
    names = ["sample_rate", "channel_type", "configuration", "bare", "x\x00"]
    for _ in range(150):
        query = [(random.choice(names), random.choice(WORDS)) for _ in range(random.randint(0, 3))] + [
            ("sample_rate", "16000")
        ] * random.randint(0, 1)
        headers = {
            "Content-Type": random.choice(TYPES).encode("latin1"),
            "Accept": random.choice([*TYPES, "*/*", "text/*;q=x"]).encode("latin1"),
        }
        method, path = random.choice(targets)
        method = random.choice([method, method, method, "PUT", "HEAD", "OPTIONS", "BREW"])
        answer = await client.request(method, path, params=query, headers=headers, content=nonsense(random))
        assert answer.status_code < 500, (method, answer.url, answer.text)
    assert "VS5000" not in server.watch.refused
