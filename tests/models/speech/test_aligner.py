"""Words and sounds are found where they lie, what is missing is missed, and a wrong sound is named."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.models.speech.conftest import Say
from voicestream.errors import PeerError
from voicestream.models.speech.aligner import AlignedPhone, Aligner, Alignment

SENTENCE = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog"]


def phone(alignment: Alignment, symbol: str) -> AlignedPhone:
    return next(phone for word in alignment.words for phone in word.phones if phone.symbol == symbol)


def silence(seconds: float) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(0, 1e-4, int(seconds * 16000)).astype(np.float32)


def test_words_follow_each_other_without_overlap(english: Aligner, say: Say) -> None:
    samples = say(" ".join(SENTENCE))
    alignment = english.align(samples, SENTENCE)
    assert [word.text for word in alignment.words] == SENTENCE
    assert alignment.omitted == ()
    phones = [phone for word in alignment.words for phone in word.phones]
    assert all(one.end_s <= next_.start_s for one, next_ in pairwise(phones))
    assert all(phone.end_s - phone.start_s >= 0.03 for phone in phones)
    assert phones[0].start_s >= 0
    assert phones[-1].end_s <= len(samples) / 16000


def test_a_pause_lies_between_the_words_around_it(english: Aligner, say: Say) -> None:
    before, after = say("good morning"), say("everybody")
    words = english.align(np.concatenate((before, silence(1.0), after)), ["good", "morning", "everybody"]).words
    assert words[1].end_s <= len(before) / 16000 + 0.1
    assert len(before) / 16000 + 0.9 <= words[2].start_s


def test_leading_silence_moves_everything(english: Aligner, say: Say) -> None:
    samples = say("good morning everybody")
    words = ["good", "morning", "everybody"]
    early = english.align(np.concatenate((silence(0.5), samples)), words)
    late = english.align(np.concatenate((silence(1.5), samples)), words)
    for one, other in zip(early.words, late.words, strict=True):
        assert other.start_s - one.start_s == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("missing", [0, 3, 8])
def test_an_omitted_word_is_missed_where_words_are_optional(english: Aligner, say: Say, missing: int) -> None:
    said = [word for place, word in enumerate(SENTENCE) if place != missing]
    alignment = english.align(say(" ".join(said)), SENTENCE, optional=True)
    assert alignment.omitted == (missing,)
    assert [word.text for word in alignment.words] == said


def test_nothing_is_missed_where_all_was_said(english: Aligner, say: Say) -> None:
    assert english.align(say(" ".join(SENTENCE)), SENTENCE, optional=True).omitted == ()


@pytest.mark.parametrize(
    ("right", "wrong", "word", "symbol", "said"),
    [("T'INk", "s'INk", "think", "TH", "S"), ("s'It", "s'i:t", "sit", "IH", "IY")],
)
def test_a_wrong_sound_scores_less_and_is_named(
    english: Aligner, say: Say, right: str, wrong: str, word: str, symbol: str, said: str
) -> None:
    words = ["say", word, "again"]
    good = phone(english.align(say(f"say [[{right}]] again"), words), symbol)
    bad = phone(english.align(say(f"say [[{wrong}]] again"), words), symbol)
    assert good.said is None
    assert bad.said == said
    assert bad.score < good.score


def test_the_pronunciation_that_was_used_is_found(english: Aligner, say: Say) -> None:
    words = ["say", "tomato", "again"]
    american = english.align(say("say [[t@m'eIt,oU]] again"), words)
    british = english.align(say("say [[t@m'A:t,oU]] again"), words)
    assert "EY" in [phone.symbol for phone in american.words[1].phones]
    assert "AA" in [phone.symbol for phone in british.words[1].phones]


def test_what_is_not_said_aloud_keeps_its_place(english: Aligner, say: Say) -> None:
    alignment = english.align(say("good morning everybody"), ["good", "—", "morning", "everybody"])
    assert [(word.place, word.text) for word in alignment.words] == [(0, "good"), (2, "morning"), (3, "everybody")]


def test_no_words_align_with_nothing(english: Aligner) -> None:
    assert english.align(silence(1), ["—", ""]) == Alignment((), (), 0.0)


def test_silence_has_no_words_where_they_are_optional(english: Aligner) -> None:
    assert english.align(silence(2), ["good", "morning"], optional=True).omitted == (0, 1)


@pytest.mark.parametrize("samples", [0, 100, 1000, 4000])
def test_too_short_a_recording_is_refused(english: Aligner, samples: int) -> None:
    with pytest.raises(PeerError, match="VS2102"):
        english.align(np.zeros(samples, np.float32), SENTENCE)


def test_too_much_at_once_is_refused(english: Aligner) -> None:
    with pytest.raises(PeerError, match="VS2103"):
        english.align(np.zeros(16000 * 120, np.float32), SENTENCE * 100)


@pytest.mark.parametrize("value", [0.0, 1.0, float("nan"), float("inf"), 1e30])
def test_samples_of_any_value_end_in_numbers_or_a_refusal(english: Aligner, value: float) -> None:
    try:
        alignment = english.align(np.full(16000, value, np.float32), ["good", "morning"])
    except PeerError:
        return
    assert all(0 <= word.score <= 100 for word in alignment.words)


def test_the_same_recording_gives_the_same_result(english: Aligner, say: Say) -> None:
    samples = say("good morning everybody")
    assert english.align(samples, ["good", "morning", "everybody"]) == english.align(samples, ["good", "morning", "everybody"])
