"""How fast somebody spoke: words, syllables and phones per minute, with the pauses and without them."""

from typing import NamedTuple

from voicestream.models.speech.spoken import Span, Speech, is_vowel, pauses


class Pace(NamedTuple):
    """Per minute from the start of the first word to the end of the last; articulated: without the pauses."""

    words_per_minute: float
    syllables_per_minute: float
    phones_per_minute: float
    articulated_words_per_minute: float
    articulated_syllables_per_minute: float
    articulated_phones_per_minute: float
    pauses: tuple[Span, ...]


def pace(speech: Speech) -> Pace | None:
    """None when there are no words, or they take no time. A vowel is a syllable."""
    words = speech.words
    silences = pauses(speech)
    span_s = words[-1].end_s - words[0].start_s if words else 0.0
    spoken_s = span_s - sum(end_s - start_s for start_s, end_s in silences)
    if spoken_s <= 0.0:
        return None
    phones = [phone for word in words for phone in word.phones]
    counts = (len(words), sum(map(is_vowel, phones)), len(phones))
    fast, articulated = ([60.0 * count / seconds for count in counts] for seconds in (span_s, spoken_s))
    return Pace(fast[0], fast[1], fast[2], articulated[0], articulated[1], articulated[2], silences)
