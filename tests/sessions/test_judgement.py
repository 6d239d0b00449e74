"""What is made of a gathered voice, with models whose answers are known beforehand."""

import io
import wave
from math import cos

import pytest

from tests.sessions.toy import ANYTHING, SampleFront, ToyFront, ToyLiving, ToyModel, audio, template
from voicestream.errors import LITTLE_SPEECH, PeerError
from voicestream.sessions.call import Inquiry, Judged
from voicestream.sessions.collection import Collection
from voicestream.sessions.judgement import judge
from voicestream.sessions.vocabulary import Template

RATE_HZ = 8000


def judged(level: float, inquiry: Inquiry, seconds: float = 3.0) -> Judged:
    collection = Collection(inquiry, ToyFront)
    collection.feed(audio(RATE_HZ, (seconds, level)))
    return judge(inquiry, collection, ToyModel(), ToyLiving(), lambda made: f"sealed {made.net_speech_s:.1f}", ANYTHING, SampleFront)


def register(authenticity_threshold: float = 0.5, wanted_s: float = 2.0) -> Inquiry:
    return Inquiry("c", "twilio", "pcm16", RATE_HZ, wanted_s, bytes(32), authenticity_threshold)


def verify(of: Template, similarity_threshold: float = 0.9) -> Inquiry:
    return Inquiry("c", "twilio", "pcm16", RATE_HZ, 2.0, bytes(32), 0.5, of, similarity_threshold)


def test_a_registration_gives_the_credential_and_the_voice() -> None:
    found = judged(0.8, register())
    assert (found.approved, found.credential, found.similarity) == (True, "sealed 2.0", None)
    assert found.voice_wav is not None
    with wave.open(io.BytesIO(found.voice_wav)) as reader:
        assert (reader.getframerate(), reader.getnchannels(), reader.getsampwidth(), reader.getnframes()) == (RATE_HZ, 1, 2, 4 * 4096)


def test_a_spoof_gets_neither() -> None:
    found = judged(0.3, register())
    assert (found.approved, found.genuine, found.credential, found.voice_wav) == (False, False, None, None)


def test_the_same_speaker() -> None:
    found = judged(0.8, verify(template(0.8)))
    assert (found.approved, found.similarity, found.credential) == (True, pytest.approx(1.0), None)


def test_another_speaker() -> None:
    found = judged(0.8, verify(template(2.0)))
    assert (found.approved, found.genuine, found.same_speaker) == (False, True, False)
    assert found.similarity == pytest.approx((cos(1.2) + 1) / 2)


def test_the_thresholds_are_the_inquirys() -> None:
    assert judged(0.8, verify(template(2.0), similarity_threshold=0.6)).approved
    assert not judged(0.8, register(authenticity_threshold=0.81)).approved


def test_too_little_to_be_judged() -> None:
    with pytest.raises(PeerError) as refused:
        judged(0.8, register(wanted_s=0.5))
    assert refused.value.fault is LITTLE_SPEECH
