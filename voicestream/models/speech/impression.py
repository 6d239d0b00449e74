"""What of a recording the human raters seem to go by: a handful of numbers.

Rate and pausing tell fluency best (C. Cucchiarini, H. Strik, L. Boves, "Quantitative assessment of second language
learners' fluency by means of automatic speech recognition technology", 2000), the goodness of phones pronunciation
(S. Witt, S. Young, "Phone-level pronunciation scoring and assessment for interactive language learning", 2000).
"""

from collections.abc import Sequence
from math import log
from statistics import fmean, pstdev
from typing import Final, NamedTuple

from voicestream.models.speech.pace import Pace
from voicestream.models.speech.spoken import SpokenWord

# Native readers pause as well once a text is longer than a breath: so much after each so many seconds of speech is no
# hesitation. (43 native readers of LibriSpeech, the first 8 s of each: runs of 1.7 s in the median, pauses of 0.47 s.)
BREATH_S: Final = 2.0
BREATH_PAUSE_S: Final = 0.45
# A sound under this score is a mistake. The mean of all scores tells little of an utterance: slow speech raises it, and
# whoever has read its transcript off the sounds finds them right. What counts is how many are wrong and how badly.
MISTAKE: Final = 60.0
_UNNOTICED: Final = 0.05  # share of the time: pauses that nobody hears as such
_LEAST_CONFIDENCE: Final = 0.01
_SHORTEST_S: Final = 0.01  # a phone: one frame of the aligner


class Impression(NamedTuple):
    """quality: 100 less the mistakes by number and severity, 0 if every phone scored 0. rate: log of phones per second.

    pausing: log of the share of the time that is hesitation. rhythm: deviation of the log lengths of phones, which grows where
    some are dragged. confidence: mean log of the transcript's confidence in its words.
    """

    quality: float
    rate: float
    pausing: float
    rhythm: float
    confidence: float


def impression(words: Sequence[SpokenWord], pace: Pace) -> Impression | None:
    """Of words with their pace; None when there are no phones to go by."""
    phones = [phone for word in words for phone in word.phones]
    if not phones:
        return None
    span_s = words[-1].end_s - words[0].start_s
    paused_s = sum(end_s - start_s for start_s, end_s in pace.pauses)
    breath_s = min(paused_s, BREATH_PAUSE_S * int((span_s - paused_s) / BREATH_S))
    speaking_s = span_s - breath_s
    severity = fmean(max(0.0, 1.0 - phone.score / MISTAKE) for phone in phones)
    return Impression(
        100.0 * (1.0 - severity),
        log(len(phones) / speaking_s),
        log(_UNNOTICED + (paused_s - breath_s) / speaking_s),
        pstdev(log(max(phone.end_s - phone.start_s, _SHORTEST_S)) for phone in phones),
        fmean(log(max(word.confidence, _LEAST_CONFIDENCE)) for word in words),
    )
