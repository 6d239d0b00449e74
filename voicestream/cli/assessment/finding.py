"""What was found out about somebody's speech, as a server of elsa.md told it: None or empty is what it did not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Band: TypeAlias = Literal["good", "fair", "poor", "unknown"]

GOOD_SCORE: Final = 70.0  # from here on elsa.md section 5 speaks of good
FAIR_SCORE: Final = 60.0  # and of fair; below is poor
PAUSE_S: Final = 0.2  # shorter silence between words is articulation
LEVELS: Final = "CEFR: the likeliest level (range of 8 cases in 10); no certificate."


@dataclass(frozen=True, slots=True)
class Sound:
    """One sound that was expected. said: the sound heard instead, "" for none at all, None where nothing else was told."""

    ipa: str
    score: float | None
    band: Band
    said: str | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """One word. span_s: its start and end since the start of the recording; skipped: it was to be said and was not."""

    text: str
    score: float | None
    band: Band
    sounds: tuple[Sound, ...] = ()
    span_s: tuple[float, float] | None = None
    skipped: bool = False

    @property
    def has_wrong_sound(self) -> bool:
        """Whether a sound of it is wrong, be the word as a whole right."""
        return any(sound.band == "poor" for sound in self.sounds)


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words between two pauses, or the sentence that was given."""

    words: tuple[Word, ...]
    score: float | None = None

    @property
    def clock(self) -> str:
        """When it begins, as minutes and seconds; "" where that is not known."""
        start_s = next((word.span_s[0] for word in self.words if word.span_s is not None), None)
        return "" if start_s is None else f"{int(start_s) // 60}:{start_s % 60:04.1f}"


@dataclass(frozen=True, slots=True)
class Score:
    """One score 0..100, the server's word for it, its CEFR level A1..C2, and the lowest and highest its doubt leaves possible."""

    name: str
    value: float | None
    decision: str = ""
    cefr: str = ""
    cefr_range: tuple[str, str] | None = None

    @property
    def band(self) -> Band:
        return band_of("", self.value)

    @property
    def level(self) -> str:
        """The level as it is read: B2 (B1–C1)."""
        return f"{self.cefr} ({self.cefr_range[0]}–{self.cefr_range[1]})" if self.cefr and self.cefr_range else self.cefr


@dataclass(frozen=True, slots=True)
class Confusion:
    """A sound that was said as another, how often, and in which words."""

    ipa: str
    said: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """All of it. facts: names and values that are no scores; notes: what the reader of the scores must know."""

    scores: tuple[Score, ...]
    utterances: tuple[Utterance, ...]
    confusions: tuple[Confusion, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    sentence: str | None = None
    transcript: str = ""
    total_s: float | None = None  # of the recording, as the server heard it
    told_pauses: tuple[tuple[float, float], ...] | None = None  # start and end of each, in seconds; None: not told

    @property
    def doubts_levels(self) -> bool:
        """Whether the server says how far off its levels may be."""
        return any(score.cefr and score.cefr_range for score in self.scores)

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(word for utterance in self.utterances for word in utterance.words)

    @property
    def pauses(self) -> tuple[tuple[float, float], ...]:
        """Start and end of each pause, in seconds: those told, else the silences of at least PAUSE_S between two words."""
        if self.told_pauses is not None:
            return self.told_pauses
        times = sorted(word.span_s for word in self.words if word.span_s is not None)
        found, ended_s = [], times[0][1] if times else 0.0
        for start_s, end_s in times[1:]:
            if start_s - ended_s >= PAUSE_S:
                found.append((ended_s, start_s))
            ended_s = max(ended_s, end_s)
        return tuple(found)


def band_of(decision: str, score: float | None) -> Band:
    """Where something stands: by the server's decision, which knows its own limits, else by the score."""
    match decision.lower():
        case "correct" | "normal":
            return "good"
        case "warning" | "almost_correct" | "almost":
            return "fair"
        case "incorrect" | "error":
            return "poor"
    if score is None:
        return "unknown"
    return "good" if score >= GOOD_SCORE else "fair" if score >= FAIR_SCORE else "poor"
