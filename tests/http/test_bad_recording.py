"""Recordings that are no good: each gets its own number, whatever is asked of it."""

import io
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile

from tests.http.fake import Server

RATE_HZ = 16000
MUSIC = Path("/usr/share/asterisk/moh")
AT = np.arange(10 * RATE_HZ) / RATE_HZ
TEMPLATE = "/voice_template_factory/create_voice_template_from_file"

Make = Callable[[np.ndarray], bytes]


@pytest.fixture
def client(serve: Callable[..., Server]) -> httpx.AsyncClient:
    return serve(min_voice=0.25).client


@pytest.fixture
def person(shared: Path) -> np.ndarray:
    return soundfile.read(min((shared / "eval/sv/enrol").iterdir()), dtype="float32")[0]


def wav(samples: np.ndarray, rate_hz: int = RATE_HZ, subtype: str = "PCM_16", container: str = "WAV") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format=container, subtype=subtype)
    return file.getvalue()


BAD: dict[str, tuple[str, Make]] = {
    "empty": ("VS1407", lambda person: b""),
    "a tenth of a second": ("VS3013", lambda person: wav(person[: RATE_HZ // 10])),
    "silence": ("VS3013", lambda person: wav(np.zeros(5 * RATE_HZ))),
    "a tone": ("VS3018", lambda person: wav(0.3 * np.sin(2 * np.pi * 440 * AT))),
    "beeps": ("VS3018", lambda person: wav(0.3 * np.sin(2 * np.pi * 1000 * AT) * (np.sin(np.pi * AT) > 0))),
    "clipped": ("VS3016", lambda person: wav(np.clip(30 * person / np.abs(person).max(), -1, 1))),
    "a whisper far away": ("VS3015", lambda person: wav(person * 0.012)),
    "in noise": ("VS3017", lambda person: wav(person + person.std() * np.random.default_rng(1).normal(size=len(person)))),
    "not numbers": ("VS2005", lambda person: wav(np.where(AT < 1, np.nan, 0.1), subtype="FLOAT")),
    "cut off in its head": ("VS2001", lambda person: wav(person)[:30]),
    "cut off in its body": ("VS2001", lambda person: wav(person, container="FLAC")[:60000]),
}


@pytest.mark.parametrize("name", BAD)
async def test_no_template_and_a_number(client: httpx.AsyncClient, person: np.ndarray, name: str) -> None:
    code, make = BAD[name]
    answer = await client.post(TEMPLATE, files={"audio_file": make(person)})
    assert answer.status_code in (400, 415, 422)
    assert answer.json()["message"].split()[0] == code


@pytest.mark.parametrize(
    "make",
    [
        lambda person: wav(np.stack((person, person), axis=1)),
        lambda person: wav(np.interp(np.arange(6 * len(person)) / 6, np.arange(len(person)), person), 96000),
    ],
    ids=["stereo", "96 kHz"],
)
async def test_unusual_recordings_make_the_same_voice(client: httpx.AsyncClient, person: np.ndarray, make: Make) -> None:
    templates = [(await client.post(TEMPLATE, files={"audio_file": data})).json() for data in (wav(person), make(person))]
    match = await client.post(
        "/voice_template_matcher/match_voice_templates", json=dict(zip(("template1", "template2"), templates, strict=True))
    )
    assert match.json()["score"] > 0.98


@pytest.fixture(params=sorted(MUSIC.glob("*.wav")), ids=lambda track: track.stem)
def music(request: pytest.FixtureRequest) -> bytes:
    return Path(request.param).read_bytes()


@pytest.mark.skipif(not MUSIC.is_dir(), reason="no hold music here: apt-get install asterisk-moh-opsound-wav")
async def test_hold_music_has_no_voice(client: httpx.AsyncClient, music: bytes) -> None:
    answer = await client.post(TEMPLATE, files={"audio_file": music})
    assert answer.json()["message"].split()[0] in ("VS3018", "VS3017")
