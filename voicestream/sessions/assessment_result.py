"""What is found out about how somebody speaks: the words between the speech models, the session and the dialects.

Immutable values. Times in seconds since the start of the recording; scores 0..100, None where there is not enough to tell
or where nothing was shown to agree with human judgement. `protocols/elsa_json.py` spells them (elsa.md section 5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Plan: TypeAlias = Literal["standard", "premium"]
Attempt: TypeAlias = Literal["RELEVANT", "UNSPOKEN", "IRRELEVANT"]
Recorded: TypeAlias = Literal["ok", "noisy", "clipped", "quiet", "no_speech"]

LONGEST_S: Final[dict[Plan, float]] = {"standard": 60.0, "premium": 150.0}  # of a recording; what is longer is cut


@dataclass(frozen=True, slots=True)
class Phone:
    """One sound that was expected. symbol: ARPAbet without stress; said: the sound heard instead, or "" for none at all.

    letters: of its word, that it is written with: the first, and the one behind the last; None where nobody has looked.
    """

    symbol: str
    start_s: float
    end_s: float
    score: float
    said: str | None = None  # None: it was this sound, as far as can be told
    letters: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the transcript, or of the sentence given. confidence: of the transcript, 0..1; 1 where the sentence was given.

    place: its number in the text, which is split at spaces; None where nobody has counted.
    """

    text: str
    start_s: float
    end_s: float
    score: float
    phones: tuple[Phone, ...]
    confidence: float = 1.0
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words between two pauses. text: as a person would write it."""

    text: str
    words: tuple[Word, ...]

    @property
    def start_s(self) -> float:
        return self.words[0].start_s

    @property
    def end_s(self) -> float:
        return self.words[-1].end_s


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast somebody spoke, and where not. articulated: without the pauses."""

    words_per_minute: float
    syllables_per_minute: float
    phones_per_minute: float
    articulated_words_per_minute: float
    articulated_syllables_per_minute: float
    articulated_phones_per_minute: float
    pauses: tuple[tuple[float, float], ...] = ()  # start and end of each over 0.2 s, between first and last word
    fillers: int | None = None  # None where a sentence was given
    repetitions: int | None = None


@dataclass(frozen=True, slots=True)
class Melody:
    """How far pitch and loudness move."""

    pitch_variation: float | None = None  # semitones, standard deviation
    energy_variation: float | None = None  # dB, standard deviation over speech


@dataclass(frozen=True, slots=True)
class Scores:
    """On the scale of the human raters, 0..100."""

    overall: float | None = None
    pronunciation: float | None = None
    fluency: float | None = None
    intonation: float | None = None
    grammar: float | None = None
    vocabulary: float | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """The CEFR level of a score, and the lowest and highest that its doubt leaves possible in 8 of 10 cases."""

    likeliest: str
    lowest: str
    highest: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """All of it. sentence: what was to be said, None for free speech; partial_error: too_short, too_long, not_understood.

    levels: by the names of the scores that have one; sentence_place: which of those was said that might have been.
    """

    total_s: float
    net_speech_s: float
    snr_db: float
    recording: Recorded
    utterances: tuple[Utterance, ...]
    scores: Scores
    pace: Pace | None
    melody: Melody
    sentence: str | None = None
    attempt: Attempt = "RELEVANT"
    sentence_place: int = 0
    omitted: tuple[int, ...] = ()  # places of the words of the sentence that were not said
    inserted: tuple[str, ...] = ()  # words that were said and are not in it
    unknown: tuple[int, ...] = ()  # places of its words that no dictionary has: how they are said was guessed
    partial_error: str | None = None
    levels: Mapping[str, Level] = field(default_factory=dict)
