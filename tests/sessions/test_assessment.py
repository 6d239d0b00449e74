"""Listening to somebody who is to be assessed."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.assessment.fake_assessor import assessed
from tests.clients.speech import people
from tests.sessions.test_packet_audio import cut, wav
from voicestream.cli.prompt import FOLDER
from voicestream.errors import ASSESSMENT_SILENT, PeerError
from voicestream.sessions.assessment import Listening, best, concluded, unspoken
from voicestream.sessions.assessment_result import Attempt
from voicestream.sessions.vocabulary import Assessing

FREE = Assessing("standard")
SENTENCE = Assessing("standard", ("pizza party",))


@pytest.fixture(scope="module")
def voice() -> NDArray[np.float32]:
    """(n,) float32 at 16 kHz: 8 s of somebody who speaks."""
    found = people()
    if not found:
        pytest.skip(f"no recorded people in {FOLDER}: scripts/test installs them")
    return found[0].at("test", 16000)[: 16000 * 8].astype(np.float32) / 32768


def silence(seconds: float) -> NDArray[np.float32]:
    return (1e-4 * np.random.default_rng(1).standard_normal(int(16000 * seconds))).astype(np.float32)


def listen(*parts: NDArray[np.float32], service: Assessing = FREE, size: int = 1 << 20) -> Listening:
    listening = Listening(service)
    for packet in cut(wav(np.concatenate(parts), 16000), size):
        listening.feed(packet)
    return listening


def test_net_speech_is_counted(voice: NDArray[np.float32]) -> None:
    assert 3.0 < listen(voice).speech_s < 8.0
    assert listen(silence(8.0)).speech_s == 0.0


def test_enough_speech_and_then_silence_is_the_end(voice: NDArray[np.float32]) -> None:
    listening = listen(voice, silence(5.5), voice)
    assert (listening.ended, listening.cut) == (True, False)
    assert 11.5 <= listening.heard_s <= 13.0


def test_the_end_is_the_same_however_packets_are_cut(voice: NDArray[np.float32]) -> None:
    parts = voice, silence(6.0), voice
    whole = listen(*parts)
    assert {listen(*parts, size=size).samples for size in (3001, 16000, 99_999)} == {whole.samples}


def test_a_pause_of_three_seconds_is_not_the_end(voice: NDArray[np.float32]) -> None:
    assert not listen(voice, silence(3.0), voice).ended


def test_a_silence_before_anybody_speaks_is_not_the_end(voice: NDArray[np.float32]) -> None:
    assert not listen(silence(10.0), voice).ended


def test_the_silence_that_ends_may_be_set_or_switched_off(voice: NDArray[np.float32]) -> None:
    assert listen(voice, silence(3.5), service=replace(FREE, endpoint_silence_s=2.0)).ended
    assert not listen(voice, silence(9.0), service=replace(FREE, auto_endpoint=False)).ended


def test_a_sentence_of_a_second_and_then_silence_is_the_end(voice: NDArray[np.float32]) -> None:
    loudest = int(np.argmax(np.convolve(np.abs(voice), np.ones(16000), "valid")))
    said = voice[loudest : loudest + 16000]
    listening = listen(silence(1.0), said, silence(10.0), service=SENTENCE)
    assert (listening.ended, listening.cut) == (True, False)
    assert 5.0 <= listening.heard_s <= 7.5
    assert not listen(silence(1.0), said, silence(10.0)).ended  # of free speech it may be the first word


def test_a_sentence_that_nobody_begins_has_no_end() -> None:
    assert not listen(silence(10.0), service=SENTENCE).ended


def test_silence_that_is_cut_off_behind_the_speech_is_no_loss(voice: NDArray[np.float32]) -> None:
    spoken = voice[:32000]
    listening = listen(silence(50.0), spoken, silence(15.0))
    assert (listening.ended, listening.cut, listening.heard_s) == (True, False, 60.0)
    listening = listen(silence(53.0), voice, silence(5.0))
    assert (listening.ended, listening.cut) == (True, True)


@pytest.mark.parametrize("plan, longest_s", [("standard", 60), ("premium", 150)])
def test_nothing_is_heard_beyond_the_plan(plan: str, longest_s: int) -> None:
    service = Assessing("premium" if plan == "premium" else "standard", auto_endpoint=False)
    listening = listen(silence(longest_s), service=service)
    assert (listening.ended, listening.cut, listening.samples) == (False, False, 16000 * longest_s)
    listening = listen(silence(longest_s + 1), service=service)
    assert (listening.ended, listening.cut, listening.samples) == (True, True, 16000 * longest_s)
    assert len(listening.feed(bytes(32000))) == 0


def test_all_that_was_heard_is_the_recording(voice: NDArray[np.float32]) -> None:
    data = wav(voice, 16000)
    assert listen(voice, size=999).recording().tobytes() == data[44:]


def test_finishing_without_a_sample() -> None:
    for packets in ((), (wav(silence(0.0), 16000),)):
        listening = Listening(FREE)
        for packet in packets:
            listening.feed(packet)
        with pytest.raises(PeerError) as refusal:
            listening.finish()
        assert refusal.value.fault is ASSESSMENT_SILENT


def test_recordings_have_a_word(voice: NDArray[np.float32]) -> None:
    music = 0.3 * np.sign(np.sin(2 * np.pi * 440 * np.arange(16000 * 4) / 16000)).astype(np.float32)
    noise = (0.3 * np.random.default_rng(2).standard_normal(len(voice))).astype(np.float32)
    assert listen(voice).word() == "ok"
    assert listen(voice / 1000).word() in ("quiet", "no_speech")
    assert listen(np.clip(20 * voice, -0.5, 0.5)).word() == "clipped"
    assert listen(voice + noise).word() in ("noisy", "no_speech")
    assert [listen(sound).word() for sound in (silence(4.0), music, silence(0.5), silence(2.9))] == ["no_speech"] * 4


def test_one_word_is_speech() -> None:
    for person in people():
        said = person.at("test", 16000)[: 16000 * 4].astype(np.float32) / 32768
        loudest = int(np.argmax(np.convolve(np.abs(said), np.ones(8000), "valid")))
        assert listen(said[loudest : loudest + 8000]).word() == "ok", person.name


def test_a_short_recording_has_no_score_of_the_whole() -> None:
    found = assessed(np.full(16000 * 30, 1000, np.int16), None)
    short = replace(found, net_speech_s=19.9, scores=replace(found.scores, grammar=50.0))
    told = concluded(short, "ok", Listening(FREE))
    assert (told.partial_error, told.scores.overall, told.scores.grammar, told.scores.fluency) == ("too_short", None, None, 73.06)
    assert concluded(short, "ok", Listening(replace(FREE, force_grammar_vocab=True))).scores.grammar == 50.0
    assert concluded(replace(found, net_speech_s=20.0), "ok", Listening(FREE)) == replace(found, net_speech_s=20.0)
    assert concluded(replace(short, sentence="so"), "ok", Listening(FREE)).partial_error is None


def test_what_was_cut_off_and_how_it_was_recorded_is_told() -> None:
    found = assessed(np.full(16000, 1000, np.int16), None)
    cut = Listening(FREE)
    cut.cut = True
    told = concluded(found, "noisy", cut)
    assert (told.partial_error, told.recording) == ("too_long", "noisy")
    assert concluded(replace(found, recording="clipped"), "ok", Listening(FREE)).recording == "clipped"


@pytest.mark.parametrize("attempt", ["IRRELEVANT", "UNSPOKEN"])  # another language, or a voice without words
@pytest.mark.parametrize("cut", [True, False])
def test_what_was_not_understood_is_told_before_all_else(cut: bool, attempt: Attempt) -> None:
    found = replace(assessed(np.full(16000, 1000, np.int16), None), attempt=attempt, utterances=())
    listening = Listening(FREE)
    listening.cut = cut
    assert concluded(found, "ok", listening).partial_error == "not_understood"


def test_of_several_sentences_the_one_that_was_said() -> None:
    one = assessed(np.full(16000, 1000, np.int16), "one two")
    other = replace(one, sentence="two", attempt="IRRELEVANT")
    worse = replace(one, sentence="three", omitted=(0, 1, 2))
    assert best([other, worse, one]) == replace(one, sentence_place=2)


def test_a_sentence_that_nobody_said() -> None:
    told = unspoken(Listening(Assessing("standard", ("pizza party",))))
    assert (told.attempt, told.omitted, told.recording, told.scores.overall) == ("UNSPOKEN", (0, 1), "no_speech", None)
