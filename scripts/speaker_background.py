"""The background speakers as the neural models hear them: voices of cuts of their speech, through several channels.

Used by train_speaker_backend.py. Every speaker of `background/` is heard through a microphone, a telephone and a
rough channel (train_mfcc.py says how), by the very front end that the server runs.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from train_mfcc import Samples, groups_of, read, rough, session_rows, telephone

from voicestream.models.speaker.model import Features, Speech
from voicestream.models.speaker.neural import FEATURES
from voicestream.models.weights import Array

MICROPHONE, TELEPHONE, ROUGH = range(3)
ENROLMENT, GAP = 1000, 50  # rows of 10 ms
LENGTHS = (100, 200, 300, 500)  # rows of a test: each piece of 5 s is tested at all of them
PIECES = (3, 3, 1)  # pieces of 5 s of a long speaker, per condition


@dataclass(frozen=True)
class Heard:
    """Rows (n, 160) of one speaker in one condition, and which of them are speech."""

    rows: Features
    speech: Speech


@dataclass(frozen=True)
class Cut:
    """Speech rows first..end (of the speech alone) of a speaker in a condition; piece -1 is the enrolment, -2 neither."""

    owner: int
    condition: int
    piece: int
    first: int
    end: int


@dataclass(frozen=True)
class Speaker:
    name: str
    corpus: str
    group: tuple[str, str]  # gender and age group


def heard(samples: Samples, rate_hz: int) -> Heard:
    """Rows of a whole recording, as a session hears it."""
    return Heard(*session_rows(samples, rate_hz, FEATURES))


def speakers(folder: Path) -> list[Speaker]:
    """All of `background/`, in order."""
    groups = groups_of(folder)
    return [
        Speaker(path.name, corpus, groups[corpus, path.name])
        for corpus in ("librispeech", "speechocean762")
        for path in sorted((folder / corpus).iterdir())
    ]


def channels(folder: Path, number: int, speaker: Speaker) -> Iterator[Heard]:
    """The speaker in each condition."""
    whole = np.concatenate([read(path) for path in sorted((folder / speaker.corpus / speaker.name).glob("*.flac"))])
    yield heard(whole, 16000)
    yield heard(telephone(whole), 8000)
    yield heard(rough(whole, np.random.default_rng(number)), 16000)


def cuts(owner: int, condition: int, rows: int) -> Iterator[Cut]:
    """What is learnt from and tested of so much speech."""
    if rows < ENROLMENT + GAP + LENGTHS[-1]:
        if condition != ROUGH:
            yield Cut(owner, condition, -2, 0, rows)
        return
    yield Cut(owner, condition, -1, 0, ENROLMENT)
    starts = range(ENROLMENT + GAP, rows - LENGTHS[-1] + 1, LENGTHS[-1])
    for piece, start in enumerate(starts[: PIECES[condition]]):
        for length in LENGTHS:
            yield Cut(owner, condition, piece, start, start + length)


def voices(folder: Path, embed: Callable[[Heard, Sequence[Cut]], Array]) -> tuple[list[Cut], Array]:
    """Every cut of every speaker, and what `embed` makes of them (cuts, k)."""
    found: list[Cut] = []
    vectors: list[NDArray[np.float32]] = []
    for number, speaker in enumerate(speakers(folder)):
        for condition, channel in enumerate(channels(folder, number, speaker)):
            here = list(cuts(number, condition, int(channel.speech.sum())))
            if here:
                found += here
                vectors.append(embed(channel, here))
        if number % 20 == 19:
            print(f"heard {number + 1} speakers", flush=True)
    return found, np.concatenate(vectors)
