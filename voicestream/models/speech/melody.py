"""The tune of speech: how far pitch and loudness move, and which words they set apart."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp.level import level_db
from voicestream.dsp.pitch import HOP_S, pitch
from voicestream.models.speech.spoken import Speech, SpokenWord, is_vowel

RATE_HZ: Final = 16000
_FEWEST_FRAMES: Final = 30  # voiced ones, that a deviation is told from
_FEWEST_WORDS: Final = 3  # that one of them can stand out among
_EMPTY: Final = -60.0  # dB under the loudest frame: nothing but noise
# Semitones, dB and log of seconds that words differ by at least before one of them stands out.
_NOTICED: Final = np.array([1.0, 2.0, 0.2])

Array = NDArray[np.float32]


class Melody(NamedTuple):
    """pitch_variation: semitones, energy_variation: dB, standard deviations over the words; None when too little is voiced.

    pitch_hz (frames,) float32 and level_db (frames,) float32, one number per 10 ms from the start; NaN where unvoiced.
    """

    pitch_variation: float | None
    energy_variation: float | None
    pitch_hz: Array
    level_db: Array


def melody(speech: Speech) -> Melody:
    """Pitch and loudness of the recording, and how far they move while words are said."""
    hz = pitch(speech.samples, RATE_HZ).hz
    level = level_db(speech.samples, RATE_HZ)
    said = spoken(speech.words, len(hz))
    voiced = semitones(hz)[said & (hz > 0.0)]
    loud = level[: len(hz)][said]
    loud = loud[loud > loud.max(initial=-np.inf) + _EMPTY]
    enough = len(voiced) >= _FEWEST_FRAMES
    return Melody(float(voiced.std()) if enough else None, float(loud.std()) if enough else None, hz, level)


def semitones(hz: Array) -> Array:
    """Pitch over its median, NaN where unvoiced: men, women and children on one scale."""
    if not (hz > 0.0).any():
        return hz
    return np.asarray(12.0 * np.log2(hz / np.nanmedian(hz)), np.float32)


def spoken(words: Sequence[SpokenWord], frames: int) -> NDArray[np.bool_]:
    """(frames,) which 10 ms lie inside a word."""
    inside = np.zeros(frames, np.bool_)
    for word in words:
        inside[_frame(word.start_s) : _frame(word.end_s)] = True
    return inside


def prominence(words: Sequence[SpokenWord], tune: Melody) -> tuple[float | None, ...]:
    """How far each word stands out by pitch, loudness and length of its vowels: standard deviations from the others.

    None for words without a vowel, and for all when there are fewer than three. After B. Streefkerk, "Prominence" (2002):
    the three cues count alike.
    """
    cues = [_cues(word, tune) for word in words]
    found = np.array([cue for cue in cues if cue is not None])
    if len(found) < _FEWEST_WORDS:
        return (None,) * len(words)
    mean, deviation = found.mean(axis=0), np.maximum(found.std(axis=0), _NOTICED)
    return tuple(None if cue is None else float(np.mean((cue - mean) / deviation)) for cue in cues)


def _cues(word: SpokenWord, tune: Melody) -> NDArray[np.float64] | None:
    """Highest pitch, loudest moment and longest vowel of a word."""
    vowels = [phone for phone in word.phones if is_vowel(phone)]
    part = slice(_frame(word.start_s), _frame(word.end_s))
    height, loud = semitones(tune.pitch_hz)[part], tune.level_db[part]
    if not vowels or not len(loud) or not np.isfinite(loud.max()):
        return None
    highest = float(np.nanquantile(height, 0.95)) if np.isfinite(height).any() else 0.0
    return np.array([highest, float(loud.max()), np.log(max(max(vowel.end_s - vowel.start_s for vowel in vowels), HOP_S))])


def _frame(seconds: float) -> int:
    return max(round(seconds / HOP_S), 0)
