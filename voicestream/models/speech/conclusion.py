"""The scores of a recording, from what alignment and voice detection found in it."""

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from voicestream.models.speech.band import BandRange, band_range
from voicestream.models.speech.disfluency import Disfluency, disfluency
from voicestream.models.speech.impression import impression
from voicestream.models.speech.melody import Melody, melody
from voicestream.models.speech.pace import Pace, pace
from voicestream.models.speech.rating import BEST, Rater, Rating, Scale, load
from voicestream.models.speech.spoken import Speech

FEWEST_PHONES: Final = 6  # two words: the shortest sentence that was rated had ten
FEWEST_WORDS: Final = 0.5  # of a sentence that was to be said: nobody rated less of one
_PERCENT: Final = 100.0 / BEST

Doubts = dict[Scale, BandRange]


class Scores(NamedTuple):
    """Scores 0..100, None where there was too little speech; grammar and vocabulary always: nothing measures them yet."""

    overall: float | None = None
    pronunciation: float | None = None
    fluency: float | None = None
    intonation: float | None = None
    grammar: float | None = None
    vocabulary: float | None = None


class Conclusion(NamedTuple):
    """pace: None without words. disfluency: of free speech alone. bands: CEFR, of the scores that are there."""

    scores: Scores
    pace: Pace | None
    melody: Melody
    disfluency: Disfluency | None
    bands: Doubts


def conclude(speech: Speech, sentence: Sequence[str] | None = None) -> Conclusion:
    """All that can be told of a recording; sentence: the words that were to be said, None for free speech."""
    found_pace = pace(speech)
    ratings = _ratings(speech, found_pace, len(sentence) if sentence is not None else None)
    return Conclusion(
        Scores(**{scale: round(rating.value * _PERCENT, 1) for scale, rating in ratings.items()}),
        found_pace,
        melody(speech),
        disfluency([word.text for word in speech.words]) if sentence is None else None,
        {scale: band_range(rating.value * _PERCENT, rating.deviation * _PERCENT) for scale, rating in ratings.items()},
    )


def _ratings(speech: Speech, found_pace: Pace | None, wanted: int | None) -> dict[Scale, Rating]:
    phones = sum(len(word.phones) for word in speech.words)
    found = impression(speech.words, found_pace) if found_pace is not None else None
    if found is None or phones < FEWEST_PHONES or len(speech.words) < FEWEST_WORDS * (wanted or 0):
        return {}
    return _rater().rate(found, "free" if wanted is None else "read")


@cache
def _rater() -> Rater:
    return load()
