"""The vendor's kind of Python client: `websocket-client` and `requests`, one message, one answer, one after another."""

import io
import wave
from collections.abc import Iterable

import requests
import websocket

from tests.clients.speech import Pcm

_WAIT_S = 60.0  # the machine may be busy


def converse(port: int, path: str, parameters: Iterable[str], messages: Iterable[bytes]) -> list[str]:
    """The answers to `messages`, after each of `parameters` was answered with 200."""
    stream = websocket.create_connection(f"ws://127.0.0.1:{port}{path}", timeout=_WAIT_S)
    for parameter in parameters:
        stream.send(parameter)
        assert stream.recv() == "200"
    answers = []
    for message in messages:
        stream.send_binary(message)
        answers.append(stream.recv())
    stream.close()
    return answers


def enrol(port: int, samples: Pcm, rate_hz: int) -> str:
    """The body of the answer as it stands, quotes and all: what the vendor's example sends as first parameter."""
    url = f"http://127.0.0.1:{port}/voice_template_factory/create_voice_template_from_file"
    answer = requests.post(url, files={"wav_file": wav(samples, rate_hz)}, timeout=_WAIT_S)
    assert answer.status_code == 200, answer.text
    return answer.text


def wav(samples: Pcm, rate_hz: int) -> bytes:
    """A WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, rate_hz, 0, "NONE", ""))
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()
