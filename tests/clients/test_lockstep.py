"""Six endpoints through the vendor's kind of Python client, with recorded people at the rates of telephones and browsers."""

import json

import pytest

from tests.clients.lockstep import converse, enrol
from tests.clients.speech import RATES_HZ, Pcm, Person, opus_messages, pcm16_messages
from voicestream.cli.demo import told_apart

OPUS_RATES_HZ = (8000, 16000, 24000, 48000)
STREAMS = [("", rate_hz) for rate_hz in RATES_HZ] + [("_opus", rate_hz) for rate_hz in OPUS_RATES_HZ]


def messages(encoding: str, samples: Pcm, rate_hz: int) -> list[bytes]:
    return opus_messages(samples, rate_hz) if encoding else pcm16_messages(samples, rate_hz // 10)


def ends_s(answers: list[str], message_s: float) -> list[float]:
    """Times at which the answer turned to true."""
    return [(at + 1) * message_s for at, pair in enumerate(zip(["false", *answers], answers, strict=False)) if pair == ("false", "true")]


@pytest.mark.parametrize("encoding, rate_hz", STREAMS)
def test_sentences_end_where_they_end_at_any_rate(port: int, person: Person, encoding: str, rate_hz: int) -> None:
    def ends_at(encoding: str, rate_hz: int) -> list[float]:
        sent = messages(encoding, person.at("test", rate_hz), rate_hz)
        answers = converse(port, f"/speech_endpoint_detector{encoding}", ["300", "500", str(rate_hz)], sent)
        return ends_s(answers, 0.02 if encoding else 0.1)

    expected = ends_at("", 8000)
    assert len(expected) >= 3
    assert ends_at(encoding, rate_hz) == pytest.approx(expected, abs=0.2)


@pytest.mark.parametrize("encoding, rate_hz", STREAMS)
def test_as_much_speech_is_found_at_any_rate(port: int, person: Person, encoding: str, rate_hz: int) -> None:
    def summary_at(encoding: str, rate_hz: int) -> dict[str, float]:
        sent = messages(encoding, person.at("test", rate_hz), rate_hz)
        last = json.loads(converse(port, f"/speech_summary_stream{encoding}", [str(rate_hz)], sent)[-1])
        return {name: last["current_speech_summary"][name] for name in ("speech_signal_length", "total_length")}

    expected = summary_at("", 8000)
    assert 5 < expected["speech_signal_length"] < expected["total_length"] - 2
    assert summary_at(encoding, rate_hz) == pytest.approx(expected, abs=0.3)


def probability(port: int, path: str, template: str, rate_hz: int, sent: list[bytes]) -> float:
    """Of the last window."""
    answers = converse(port, path, [template, str(rate_hz), "10", "3"], sent)
    *_, last = (window for answer in answers for window in json.loads(answer))
    return float(last["verify_result"]["probability"])


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_voices_are_known_and_told_apart_at_any_rate(port: int, crowd: list[Person], rate_hz: int) -> None:
    templates = {owner.name: enrol(port, owner.at("enrol", rate_hz), rate_hz) for owner in crowd}
    mistakes: dict[tuple[str, str], float] = {}
    for speaker in crowd:
        sent = pcm16_messages(speaker.at("test", rate_hz), rate_hz)
        for owner, template in templates.items():
            found = probability(port, "/voice_verify_stream", template, rate_hz, sent)
            if not (found > 0.9 if owner == speaker.name else found < 0.1):
                mistakes[speaker.name, owner] = found
    assert len(told_apart([speaker.name for speaker in crowd], set(mistakes))) >= 4, mistakes


@pytest.mark.parametrize("rate_hz", OPUS_RATES_HZ)
def test_a_voice_in_opus_is_the_voice_in_pcm16(port: int, crowd: list[Person], rate_hz: int) -> None:
    person, *_ = crowd
    samples = person.at("test", rate_hz)
    for owner in crowd[:4]:
        template = enrol(port, owner.at("enrol", rate_hz), rate_hz)
        twins = [
            probability(port, "/voice_verify_stream", template, rate_hz, pcm16_messages(samples, rate_hz)),
            probability(port, "/voice_verify_stream_opus", template, rate_hz, opus_messages(samples, rate_hz)),
        ]
        assert twins[1] == pytest.approx(twins[0], abs=0.1)
        assert (max(twins) > 0.9) == (owner is person)
