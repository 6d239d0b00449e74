"""The tune of speech: how far pitch and loudness move."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp.level import level_db
from voicestream.dsp.pitch import HOP_S, pitch
from voicestream.models.speech.spoken import Speech, SpokenWord

RATE_HZ: Final = 16000
_FEWEST_FRAMES: Final = 30  # voiced ones, that a deviation is told from
_EMPTY: Final = -60.0  # dB under the loudest frame: nothing but noise

Array = NDArray[np.float32]


class Melody(NamedTuple):
    """pitch_variation: semitones, energy_variation: dB, standard deviations over the words; None when too little is voiced."""

    pitch_variation: float | None
    energy_variation: float | None


def melody(speech: Speech) -> Melody:
    """How far pitch and loudness of the recording move while words are said."""
    hz = pitch(speech.samples, RATE_HZ).hz
    level = level_db(speech.samples, RATE_HZ)
    said = spoken(speech.words, len(hz))
    voiced = semitones(hz)[said & (hz > 0.0)]
    loud = level[: len(hz)][said]
    loud = loud[loud > loud.max(initial=-np.inf) + _EMPTY]
    enough = len(voiced) >= _FEWEST_FRAMES
    return Melody(float(voiced.std()) if enough else None, float(loud.std()) if enough else None)


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


def _frame(seconds: float) -> int:
    return max(round(seconds / HOP_S), 0)
