"""Whatever a client sends before it reads, and however it cuts its audio: every answer is the one that the protocol says."""

import json
import random

import numpy as np
import pytest

from benchmarks.rehearsal import rehearse
from tests.clients import lockstep
from tests.clients.speech import Person, cut, opus_messages, pcm16_messages
from tests.clients.style import STYLES, Style, converse, everything_first

MEDIA = {"/speech_endpoint_detector": ["300", "500"], "/speech_summary_stream": []}


@pytest.fixture(scope="module")
def template(port: int, person: Person) -> str:
    return lockstep.enrol(port, person.enrol, 8000)


def opening(path: str, template: str, rate_hz: int) -> list[str]:
    """The parameters in their order."""
    if path.startswith("/voice_verify_stream"):
        return [template, str(rate_hz), "10", "3"]
    return [*MEDIA[path.removesuffix("_opus")], str(rate_hz)]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("path", [*MEDIA, "/voice_verify_stream"])
@pytest.mark.parametrize("rate_hz", [8000, 44100])
def test_every_style_gets_every_answer(port: int, person: Person, template: str, style: Style, path: str, rate_hz: int) -> None:
    messages = pcm16_messages(person.at("test", rate_hz)[: 8 * rate_hz], 4096)
    parameters = opening(path, template, rate_hz)
    assert converse(port, path, style, parameters, messages) == rehearse(path, parameters, messages)


@pytest.mark.parametrize("path", [f"{path}_opus" for path in [*MEDIA, "/voice_verify_stream"]])
def test_every_style_gets_every_answer_to_opus(port: int, person: Person, template: str, path: str) -> None:
    messages = opus_messages(person.at("test", 16000)[: 5 * 16000], 16000)
    parameters = opening(path, template, 16000)
    expected = rehearse(path, parameters, messages)
    for style in STYLES:
        assert converse(port, path, style, parameters, messages) == expected


@pytest.mark.parametrize("path", ["/speech_summary_stream", "/voice_verify_stream"])
@pytest.mark.parametrize("rate_hz", [8000, 48000])
def test_the_cut_into_messages_changes_nothing(port: int, person: Person, template: str, path: str, rate_hz: int) -> None:
    data = person.at("test", rate_hz)[: 5 * rate_hz].astype("<i2").tobytes()
    parameters = opening(path, template, rate_hz)

    def told(messages: list[bytes]) -> object:
        """What is known when all audio is in."""
        answers = converse(port, path, everything_first, parameters, messages)[len(parameters) :]
        assert len(answers) == len(messages)
        found = [json.loads(answer) for answer in answers]
        return found[-1] if path == "/speech_summary_stream" else [window for windows in found for window in windows]

    whole = told([data])
    odd = random.Random(2).choices(range(1, 4001, 2), k=100)
    for sizes in (odd, [1, 4095], [8192]):
        assert told(cut(data, sizes)) == whole


ONE_BYTE = {
    "/speech_endpoint_detector": ["90", "90", "8000"],
    "/speech_summary_stream": ["8000"],
    "/voice_verify_stream": ["8000", "0.5", "0.5"],
}


@pytest.mark.parametrize("path, parameters", ONE_BYTE.items())
def test_messages_of_one_byte(port: int, person: Person, template: str, path: str, parameters: list[str]) -> None:
    speech_then_silence = np.concatenate([person.test[8_000:12_000], np.zeros(4_000, np.int16)])
    messages = cut(speech_then_silence.astype("<i2").tobytes(), [1])
    if path == "/voice_verify_stream":
        parameters = [template, *parameters]
    answers = converse(port, path, everything_first, parameters, messages)
    assert answers == rehearse(path, parameters, messages)
    assert len(set(answers)) > 2  # the audio did make a difference


def test_a_minute_of_answers_waits_for_a_client_that_reads_at_the_end(port: int, person: Person) -> None:
    messages = pcm16_messages(np.resize(person.test, 60 * 8000), 160)
    answers = converse(port, "/speech_summary_stream", everything_first, ["8000"], messages)
    assert sum(map(len, answers)) > 20_000_000
    assert answers == rehearse("/speech_summary_stream", ["8000"], messages)
