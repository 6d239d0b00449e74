"""Words said right, and with one sound exchanged for another, by espeak-ng: mistakes whose place and kind are known.

espeak-ng gives the phonemes of each word, one is exchanged, and both are spoken inside `say ... again`. Words and voices
for training are none of those for testing.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicestream.codecs.containers import decode_file
from voicestream.dsp.resample import resample

RATE_HZ: Final = 16000
TRAINING_VOICES: Final = ("en-us+m1", "en-us+f2", "en-us+m7")
TEST_VOICES: Final = ("en-us", "en-us+f4", "en-us+m3")


@dataclass(frozen=True)
class Pair:
    """A sound that is exchanged for another: ARPAbet, and how espeak-ng spells them. Ten words are tested, eight trained on."""

    expected: str
    said: str
    pattern: str
    replacement: str
    tested: tuple[str, ...]
    trained: tuple[str, ...]


def _pair(expected: str, said: str, pattern: str, replacement: str, tested: str, trained: str) -> Pair:
    return Pair(expected, said, pattern, replacement, tuple(tested.split()), tuple(trained.split()))


PAIRS: Final = (
    _pair(
        "R", "L", "r", "l",
        "right road rice red rain read rock story sorry pirate",
        "rate wrong root ram rose rust carry borrow",
    ),
    _pair(
        "V", "B", "v", "b",
        "very vote vest van vine vase visit never seven over",
        "voice view vet veil vowel river cover seventy",
    ),
    _pair(
        "V", "W", "v", "w",
        "very vote vest van vine vase visit never seven over",
        "voice view vet veil vowel river cover seventy",
    ),
    _pair(
        "TH", "S", "T", "s",
        "think thing thick thumb thank three path mouth faith nothing",
        "thin thought thigh theme bath math tenth author",
    ),
    _pair(
        "DH", "D", "D", "d",
        "then they those this mother father other weather breathe that",
        "there these though brother leather rather clothing gather",
    ),
    _pair(
        "SH", "S", "(?<!t)S", "s",
        "she shoe ship shop sheet shore wash fish dish fashion",
        "shine shade shell show wish cash machine ocean",
    ),
    _pair(
        "F", "P", "f", "p",
        "fan fine fit fork feel food fast coffee leaf laugh",
        "face fun four fill fold knife office wife",
    ),
    _pair(
        "IH", "IY", "(?<![aeO])I", "i:",
        "ship sit bit fit list chip hill fill lip pick",
        "slip sick bin mill rich pitch tin grin",
    ),
    _pair(
        "L", "R", "l", "r",
        "light load lice led lane lead lock collect alive pilot",
        "late long loot lamb lose lust balloon police",
    ),
    _pair(
        "AE", "EH", "a(?![IU#@])", "E",
        "bad man pan sat had bag land sad gas pack",
        "mat tan flash band ham lad cattle sand",
    ),
)  # fmt: skip


class Utterance(NamedTuple):
    """samples (n,) float32 at 16 kHz of `say WORD again`; wrong: the sound was exchanged."""

    pair: Pair
    word: str
    voice: str
    wrong: bool
    samples: NDArray[np.float32]


def utterances(*, tested: bool) -> Iterator[Utterance]:
    """Every word of every pair by every voice, right and wrong."""
    for pair in PAIRS:
        for word in pair.tested if tested else pair.trained:
            right = phonemes(word)
            wrong, exchanged = re.subn(pair.pattern, pair.replacement, right, count=1)
            assert exchanged == 1, (word, right, pair.pattern)
            for voice in TEST_VOICES if tested else TRAINING_VOICES:
                yield Utterance(pair, word, voice, False, spoken(f"say [[{right}]] again", voice))
                yield Utterance(pair, word, voice, True, spoken(f"say [[{wrong}]] again", voice))


@cache
def phonemes(word: str) -> str:
    """A word as espeak-ng spells its sounds."""
    command = ["espeak-ng", "-q", "-x", "-v", "en-us", word]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@cache
def spoken(text: str, voice: str) -> NDArray[np.float32]:
    """(n,) float32 at 16 kHz."""
    wave = subprocess.run(["espeak-ng", "-v", voice, "-s", "150", "--stdout", text], check=True, capture_output=True).stdout
    samples, rate_hz = decode_file(wave)
    return resample(samples, rate_hz, RATE_HZ)
