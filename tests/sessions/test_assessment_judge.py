"""What models find about speech, as the session has it."""

import numpy as np
import pytest

from voicestream.models.speech.conclusion import conclude
from voicestream.models.speech.spoken import Speech
from voicestream.sessions.assessment_judge import judge
from voicestream.sessions.assessment_result import Phone, Word


def words() -> list[Word]:
    found = []
    for start_s in np.arange(8) * 0.25:
        phones = (Phone("T", start_s, start_s + 0.1, 80.0), Phone("UW", start_s + 0.1, start_s + 0.25, 80.0))
        found.append(Word("to", start_s, start_s + 0.25, 80.0, phones))
    return found


SAMPLES = (0.1 * np.sin(2 * np.pi * 150.0 * np.arange(32000) / 16000)).astype(np.float32)
LABELS = np.ones(66, np.uint8)


def test_every_field_keeps_its_name_and_value() -> None:
    found, told = conclude(Speech(words(), SAMPLES, LABELS), ["to"] * 8), judge(words(), SAMPLES, LABELS, ["to"] * 8)
    assert found.pace is not None
    assert told.pace is not None
    for one, other in ((found.scores, told.scores), (found.pace, told.pace)):
        assert {name: getattr(other, name) for name in one._fields} == one._asdict()
    assert (told.melody.pitch_variation, told.melody.energy_variation) == (found.melody.pitch_variation, found.melody.energy_variation)


@pytest.mark.parametrize("sentence, count", [(None, 7), (["to"] * 8, None)])
def test_repetitions_are_counted_where_the_words_are_the_speakers_own(sentence: list[str] | None, count: int | None) -> None:
    told = judge(words(), SAMPLES, LABELS, sentence)
    assert told.pace is not None
    assert told.pace.repetitions == count


def test_silence_has_no_pace() -> None:
    told = judge([], np.zeros(16000, np.float32), np.zeros(33, np.uint8), None)
    assert told.pace is None
    assert told.scores.overall is None
