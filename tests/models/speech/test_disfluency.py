"""Fillers and words said again."""

import pytest

from voicestream.models.speech.disfluency import disfluency


@pytest.mark.parametrize(
    "told, fillers, repetitions",
    [
        ("", 0, 0),
        ("I want to go", 0, 0),
        ("Um, I want, er, to go", 2, 0),
        ("I I want to go", 0, 1),
        ("I want I want to go", 0, 2),
        ("I want to I want to I want to go", 0, 6),
        ("I, uh, I want", 1, 1),
        ("no no no no", 0, 3),
        ("one two one three", 0, 0),
    ],
)
def test_counts(told: str, fillers: int, repetitions: int) -> None:
    assert disfluency(told.split()) == (fillers, repetitions)
