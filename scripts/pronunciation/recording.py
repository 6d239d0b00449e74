"""Right speech with its words: native readers, learners as far as they are understood, and American synthesisers.

Nobody wrote down what the people of `background/` say, so the transcriber does. A learner is kept only where it is sure
of every word: what it corrects would be taught as right. Words and voices that mistakes are tested on are left out.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
import soundfile
from numpy.typing import NDArray

from scripts.pronunciation.mistake import PAIRS
from scripts.pronunciation.voice import spoken, voices
from voicestream.models.speech.lexicon import lexicon
from voicestream.models.speech.transcriber import Transcriber

Kind: TypeAlias = Literal["native", "learner", "voice", "espeak"]
Words: TypeAlias = Sequence[tuple[str, float]]  # each with the transcriber's confidence

SURE: Final = 0.5  # confidence in every word of a learner
SENTENCES: Final = {"voice": 40, "espeak": 57}  # of each synthetic voice
CARRIED: Final = 60  # words that each voice of espeak-ng says in the carrier of the tests
_LONGEST: Final = 12  # words of a sentence


class Recording(NamedTuple):
    """samples (n,) float32 at 16 kHz; whole: the last word is not cut off."""

    kind: Kind
    speaker: str
    samples: NDArray[np.float32]
    words: Sequence[str]
    whole: bool


def transcripts(background: Path, transcriber: Transcriber, kept: Path) -> dict[str, Words]:
    """What is said in each clip, by its path inside the folder; kept in a file, because two hours of speech take minutes."""
    if not kept.exists():
        found = {}
        for path in sorted(background.glob("*/*/*.flac")):
            samples, _ = soundfile.read(path, dtype="float32")
            found[path.relative_to(background).as_posix()] = transcriber.transcribe(samples).words
        kept.write_text(json.dumps(found))
    known: dict[str, Words] = json.loads(kept.read_text())
    return known


def recordings(background: Path, said: dict[str, Words], without: frozenset[str], rng: np.random.Generator) -> Iterator[Recording]:
    """All of them; without: speakers who are left out."""
    for name, words in said.items():
        corpus, speaker, _ = name.split("/")
        native = corpus == "librispeech"
        if not words or (not native and (speaker in without or min(sure for _, sure in words) < SURE)):
            continue
        samples, _ = soundfile.read(background / name, dtype="float32")
        yield Recording("native" if native else "learner", speaker, samples, [word for word, _ in words], not native)
    yield from _synthetic([words for name, words in said.items() if name.startswith("librispeech")], rng)


def _synthetic(read: Sequence[Words], rng: np.random.Generator) -> Iterator[Recording]:
    known, tested = lexicon(), {word for pair in PAIRS for word in pair.tested}
    sentences = [[word.strip('.,!?;:"').lower() for word, _ in words] for words in read]
    sentences = [[word for word in sentence if word in known and word not in tested] for sentence in sentences]
    vocabulary = sorted({word for sentence in sentences for word in sentence if len(known.ways(word)[0]) > 2})
    for name, command in voices().items():
        kind: Kind = "espeak" if "en-us+" in name else "voice"
        texts = [sentences[rng.integers(len(sentences))][: int(rng.integers(3, _LONGEST))] for _ in range(SENTENCES[kind])]
        if kind == "espeak":
            texts += [["say", str(rng.choice(vocabulary)), "again"] for _ in range(CARRIED)]
        for words in texts:
            if len(words) > 1:
                yield Recording(kind, name, spoken(command, " ".join(words), rng), words, True)
