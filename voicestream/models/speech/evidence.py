"""What of an utterance the human raters seem to go by: a handful of numbers, chosen before the ratings were looked at.

Rate and pausing tell fluency best (C. Cucchiarini, H. Strik, L. Boves, "Quantitative assessment of second language
learners' fluency", 2000); goodness of phones tells pronunciation (S. Witt, S. Young, 2000).
"""

from collections.abc import Sequence
from math import log
from statistics import fmean
from typing import Final, NamedTuple

from voicestream.models.speech.pace import Pace
from voicestream.models.speech.spoken import SpokenWord

_LEAST_CONFIDENCE: Final = 0.01
_LEAST_SHARE: Final = 0.05  # pauses that nobody notices


class Evidence(NamedTuple):
    """quality: mean score of the phones, 0..100. rate: log of phones per second, pauses included.

    pausing: log of the share of time that is pause. confidence: mean log of the transcript's confidence in its words.
    """

    quality: float
    rate: float
    pausing: float
    confidence: float


def evidence(words: Sequence[SpokenWord], pace: Pace) -> Evidence | None:
    """None when there are no phones to go by."""
    scores = [phone.score for word in words for phone in word.phones]
    if not scores:
        return None
    paused = 1.0 - pace.phones_per_minute / pace.articulated_phones_per_minute
    confidence = fmean(log(max(word.confidence, _LEAST_CONFIDENCE)) for word in words)
    return Evidence(fmean(scores), log(pace.phones_per_minute / 60.0), log(_LEAST_SHARE + paused), confidence)
