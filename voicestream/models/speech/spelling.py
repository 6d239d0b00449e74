"""How a word outside the dictionary is probably said: letters to sounds by a small network.

Each letter is heard with five neighbours on either side and stands for nothing, one phone or two; the choices of a word
are made together, because neighbouring sounds are no accident: a table says how well one choice follows another.
`scripts/train_spelling.py` trained it on the dictionary; its card says how often it is right (NETtalk, T. Sejnowski
and C. Rosenberg, 1987, with the transitions of a conditional random field).
"""

from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicestream.models.card import Card, read_card
from voicestream.models.weights import Arrays, known_weights

LETTERS: Final = "abcdefghijklmnopqrstuvwxyz'"
REACH: Final = 5  # letters on either side
WIDTH: Final = len(LETTERS) + 1  # and the edge of the word
MAX_LETTERS: Final = 40


def windows(word: str) -> NDArray[np.int64]:
    """(letters, 2 REACH + 1) int64: which rows of the first layer each letter of a word switches on."""
    codes = [LETTERS.index(letter) for letter in word]
    padded = np.array([len(LETTERS)] * REACH + codes + [len(LETTERS)] * REACH, np.int64)
    place = np.arange(2 * REACH + 1)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1) + place * WIDTH


class Spelling:
    """Letters to sounds."""

    def __init__(self, arrays: Arrays, choices: tuple[tuple[str, ...], ...]) -> None:
        """arrays: first (11 * 28, hidden), bias, second (hidden, choices), offset, follow (choices + 1, choices)."""
        self._arrays = arrays
        self._choices = choices

    def pronounce(self, word: str) -> tuple[str, ...]:
        """Phones of a word, ARPAbet without stress; letters other than a to z and the apostrophe are passed over."""
        letters = "".join(letter for letter in word.lower() if letter in LETTERS)[:MAX_LETTERS]
        if not letters:
            return ()
        arrays = self._arrays
        hidden = np.maximum(arrays["first"][windows(letters)].sum(axis=1) + arrays["bias"], 0)
        scores = hidden @ arrays["second"] + arrays["offset"]
        best = scores[0] + arrays["follow"][-1]
        back = []
        for row in scores[1:]:
            paths = best[:, None] + arrays["follow"][:-1]
            back.append(paths.argmax(axis=0))
            best = paths.max(axis=0) + row
        at = int(best.argmax())
        chosen = [at]
        for step in reversed(back):
            at = int(step[at])
            chosen.append(at)
        return tuple(phone for choice in reversed(chosen) for phone in self._choices[choice])


@cache
def card() -> Card:
    """Its card; `trained_on` ends in the choices of a letter."""
    return read_card(files("voicestream.models.speech").joinpath("spelling.json").read_text("utf-8"))


@cache
def spelling() -> Spelling:
    """The network with the weights inside the package, read once."""
    folder = files("voicestream.models.speech")
    choices = tuple(tuple(line.split()) for line in folder.joinpath("spelling.txt").read_text("utf-8").split("\n"))
    return Spelling(known_weights(folder.joinpath("spelling.safetensors").read_bytes(), "spelling", card().sha256), choices)
