"""How much voice there is: told every 0.512 s of it, up to enough and not further."""

import numpy as np
import pytest

from tests.sessions.toy import ToyFront, audio, cut
from voicestream.dsp import g711
from voicestream.sessions.call import Inquiry, VoiceStatus
from voicestream.sessions.collection import Collection
from voicestream.sessions.vocabulary import CallEncoding

RATE_HZ = 8000


def collection(wanted_s: float = 5.0, rate_hz: int = RATE_HZ, encoding: CallEncoding = "pcm16") -> Collection:
    return Collection(Inquiry("c", "twilio", encoding, rate_hz, wanted_s, bytes(32), 0.5), ToyFront)


def statuses(collection: Collection, pcm: bytes, *sizes: int) -> list[VoiceStatus]:
    return [status for piece in cut(pcm, *sizes) for status in collection.feed(piece)]


def test_the_vendors_figures_for_five_seconds() -> None:
    """daspeak.md section 3.2, vectors."""
    told = statuses(collection(5.0), audio(RATE_HZ, (6.0, 1)), 320)
    assert [(round(status.voice_s, 2), status.percent) for status in told] == [
        (0.51, 10), (1.02, 20), (1.54, 30), (2.05, 40), (2.56, 51), (3.07, 61), (3.58, 71), (4.1, 81), (4.61, 92), (5.12, 102),
    ]  # fmt: skip


@pytest.mark.parametrize("sizes", [(1,), (3, 777), (320,), (10**6,)])
def test_pieces_are_the_whole(sizes: tuple[int, ...]) -> None:
    pcm = audio(RATE_HZ, (0.4, 1), (0.5, 0), (3.0, 2))
    one, other = collection(2.0), collection(2.0)
    assert statuses(one, pcm, *sizes) == statuses(other, pcm, len(pcm))
    assert (one.voice(), one.recording()) == (other.voice(), other.recording())


def test_nothing_is_taken_once_there_is_enough() -> None:
    enough = collection(1.0)
    statuses(enough, audio(RATE_HZ, (9.0, 1)), 320)
    assert (enough.complete, len(enough.voice())) == (True, 2 * 2 * 4096)
    assert enough.recording()[1][0] == enough.voice() + audio(RATE_HZ, ((35 * 240 - 8192) / RATE_HZ, 1))


def test_silence_is_no_voice() -> None:
    silent = collection(1.0)
    assert statuses(silent, audio(RATE_HZ, (60.0, 0)), 320) == []
    assert (silent.voice(), silent.recording()[1], silent.received_s) == (b"", [b""], 60.0)


def test_pauses_are_heard_but_for_their_middle() -> None:
    spoken = collection(5.0)
    statuses(spoken, audio(RATE_HZ, (1.2, 0), (0.6, 1), (3.0, 0), (0.6, 2), (3.0, 0)), 320)
    assert spoken.recording() == (RATE_HZ, [audio(RATE_HZ, (0.3, 0), (0.6, 1), (0.6, 0), (0.6, 2), (0.3, 0))])


def test_a_cough_now_and_then_fills_no_memory() -> None:
    patient = collection(10.0)
    statuses(patient, audio(RATE_HZ, *[(0.03, 1), (0.6, 0)] * 300), 320)
    assert len(patient.recording()[1][0]) < 60 * 2 * RATE_HZ


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
def test_the_codecs_of_telephones(encoding: CallEncoding) -> None:
    samples = np.tile(np.array([5000, -5000], np.int16), 4 * RATE_HZ)
    data = g711.mulaw_compress(samples) if encoding == "mulaw" else g711.alaw_compress(samples)
    loud = Collection(Inquiry("c", "twilio", encoding, RATE_HZ, 1.0, bytes(32), 0.5), AllSpeech)
    assert [status.samples for status in loud.feed(data)] == [4096, 8192]
    expand = g711.mulaw_expand if encoding == "mulaw" else g711.alaw_expand
    assert loud.voice() == expand(data[:8192]).tobytes()


def test_sixteen_kilohertz_count_seconds_too() -> None:
    wide = collection(1.0, 16_000)
    assert [status.voice_s for status in statuses(wide, audio(16_000, (2.0, 1)), 640)] == [0.512, 1.024]


def test_what_lies_before_a_gap_is_joined_to_nothing() -> None:
    broken = collection(5.0)
    broken.feed(audio(RATE_HZ, (0.59, 1)))
    broken.skip()
    broken.feed(audio(RATE_HZ, (0.02, 1)))
    broken.feed(audio(RATE_HZ, (0.01, 2)))
    assert broken.recording()[1][0] == audio(RATE_HZ, (0.57, 1), (0.02, 1), (0.01, 2))


class AllSpeech(ToyFront):
    def feed(self, data: bytes) -> tuple[bytes, np.ndarray]:
        return bytes([1]) * (len(data) // 240), np.empty((0, 0), np.float32)
