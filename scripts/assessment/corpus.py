"""The clips that ratings are learned from and compared with, and the impression that each makes."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import soundfile
from numpy.typing import NDArray

from scripts.assessment.stream import streamed
from voicestream.dsp.pcm import to_float
from voicestream.errors import PeerError
from voicestream.models.speech.aligner import AlignedPhone, Aligner
from voicestream.models.speech.confusion import Sound
from voicestream.models.speech.impression import impression
from voicestream.models.speech.lexicon import lexicon
from voicestream.models.speech.likelihood import acoustic_model
from voicestream.models.speech.pace import pace
from voicestream.models.speech.pronunciation import Finding, Pronunciation, Verdict, pronunciation
from voicestream.models.speech.segmenter import Segment
from voicestream.models.speech.spoken import Speech
from voicestream.models.speech.transcriber import Transcriber

RATE_HZ = 16000
SCALE_OF = {"pronunciation": "accuracy", "fluency": "fluency", "intonation": "prosodic", "overall": "total"}  # in scores.tsv
PER_LEARNER = 2  # clips: many speakers tell more of what is usual than many clips of few

Array = NDArray[np.float64]


class SpokenPhone(NamedTuple):
    symbol: str
    start_s: float
    end_s: float
    score: float


class SpokenWord(NamedTuple):
    text: str
    start_s: float
    end_s: float
    phones: Sequence[SpokenPhone]
    confidence: float


class Witness:
    """Stands in for the aligner's model of phone scores and writes down what that would be asked about."""

    def __init__(self) -> None:
        self.sounds: list[Sound] = []

    def verdict(self, sound: Sound) -> Verdict:
        self.sounds.append(sound)
        return Verdict(0.0, None)


class Rated(NamedTuple):
    """A clip with what the experts gave, 0..10 by scale."""

    path: Path
    speaker: str
    sentence: list[str]
    ratings: dict[str, float]


class Listener:
    """Hears clips as the server does. What was found is kept in a file, because a thousand seconds take minutes."""

    def __init__(self, transcriber: Transcriber, kept: Path) -> None:
        self._witness = Witness()
        self._aligner = Aligner(acoustic_model(), lexicon(), self._witness)  # type: ignore[arg-type]
        self._judge = pronunciation(self._aligner.alternatives)
        self._transcriber = transcriber
        self._kept = kept
        self._known: dict[str, Heard] = json.loads(kept.read_text()) if kept.exists() else {}

    def heard(self, path: Path, sentence: list[str] | None = None) -> "Heard":
        """What is found in a clip of that sentence, or of free speech."""
        key = f"{path.parent.name}/{path.stem} {'free' if sentence is None else 'read'}"
        if key not in self._known:
            self._known[key] = self._found(path, sentence)
            self._kept.write_text(json.dumps(self._known))
        return self._known[key]

    def impression(self, path: Path, sentence: list[str] | None, phone_model: Pronunciation) -> Array | None:
        """Of a clip, its phones scored by that model; None when nothing was understood."""
        heard = self.heard(path, sentence)
        words = [
            SpokenWord(text, phones[0][1], phones[-1][2], [_scored(phone, phone_model) for phone in phones], sure)
            for text, sure, phones in heard["words"]
        ]
        found_pace = pace(Speech(words, np.zeros(0, np.float32), np.array(heard["labels"], np.uint8)))
        found = impression(words, found_pace) if found_pace is not None else None
        return None if found is None else np.array(found)

    def _found(self, path: Path, sentence: list[str] | None) -> "Heard":
        recording, rate_hz = soundfile.read(path, dtype="int16")
        assert rate_hz == RATE_HZ
        labels, segments = streamed(recording)
        words = self._free(segments) if sentence is None else self._read(recording, sentence)
        return {"labels": list(labels), "words": words}

    def _read(self, recording: NDArray[np.int16], sentence: list[str]) -> "list[Row]":
        return self._aligned(to_float(recording), sentence, [1.0] * len(sentence), 0.0, optional=True)

    def _free(self, segments: Sequence[Segment]) -> "list[Row]":
        words: list[Row] = []
        for segment in segments:
            samples = to_float(segment.samples)
            heard = self._transcriber.transcribe(samples).words
            if heard:
                texts, sure = [word.text for word in heard], [word.confidence for word in heard]
                words += self._aligned(samples, texts, sure, segment.start_sample / RATE_HZ, optional=False)
        return words

    def _aligned(self, samples: NDArray[np.float32], texts: list[str], sure: list[float], at_s: float, *, optional: bool) -> "list[Row]":
        self._witness.sounds.clear()
        try:
            alignment = self._aligner.align(samples, texts, optional=optional)
        except PeerError:  # the text has no room in the time: an invention of the transcriber's
            return []
        found = map(self._judge.finding, self._witness.sounds)
        rows: list[Row] = []
        for word in alignment.words:
            phones = [_row(phone, at_s, next(found)) for phone in word.phones]
            rows.append((word.text, round(sure[word.place], 4), phones))
        return rows


Row: TypeAlias = tuple[str, float, list[list[Any]]]  # word, confidence, phones: symbol, start, end, measures
Heard: TypeAlias = dict[str, Any]  # "labels": 0 or 1 per 30 ms, "words": rows


def _row(phone: AlignedPhone, at_s: float, found: Finding) -> list[Any]:
    return [phone.symbol, at_s + phone.start_s, at_s + phone.end_s, *found.measures.tolist()]


def _scored(phone: list[Any], phone_model: Pronunciation) -> SpokenPhone:
    symbol, start_s, end_s, *measures = phone
    return SpokenPhone(symbol, start_s, end_s, phone_model.score(np.array(measures)))


def rated_clips(data: Path) -> list[Rated]:
    """Those of `pronunciation`, in the order of its table."""
    with open(data / "pronunciation/scores.tsv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [
        Rated(
            data / "pronunciation" / row["speaker"] / f"{row['id']}.flac",
            row["speaker"],
            row["text"].lower().split(),
            {scale: float(row[column]) for scale, column in SCALE_OF.items()},
        )
        for row in rows
    ]


def learners(data: Path, rated: list[Rated]) -> list[Path]:
    """Clips of learners who are not among the rated ones: the first and the middle one of each."""
    known = {clip.speaker for clip in rated}
    found = []
    for folder in sorted((data / "background/speechocean762").iterdir()):
        clips = sorted(folder.glob("*.flac"))
        if folder.name not in known:
            found += clips[:: max(len(clips) // PER_LEARNER, 1)][:PER_LEARNER]
    return found


def natives(data: Path) -> list[Path]:
    """Every fifth clip of the native readers, each another reader."""
    return sorted((data / "background/librispeech").glob("*/*.flac"))[::5]
