"""The clips that ratings are learned from and compared with, and the impression that each makes."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from voicestream.dsp.frontend import FrontEndPlan
from voicestream.dsp.pcm import to_float
from voicestream.errors import PeerError
from voicestream.models.registry import vad_front
from voicestream.models.speech.aligner import Aligner
from voicestream.models.speech.impression import impression
from voicestream.models.speech.pace import pace
from voicestream.models.speech.segmenter import Segmenter
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


class Rated(NamedTuple):
    """A clip with what the experts gave, 0..10 by scale."""

    path: Path
    speaker: str
    sentence: list[str]
    ratings: dict[str, float]


class Listener:
    """Models that hear a clip as the server does. Impressions are kept in a file, because a thousand seconds take minutes."""

    def __init__(self, aligner: Aligner, transcriber: Transcriber, kept: Path) -> None:
        self._aligner = aligner
        self._transcriber = transcriber
        self._kept = kept
        self._known: dict[str, list[float] | None] = json.loads(kept.read_text()) if kept.exists() else {}

    def impression(self, path: Path, sentence: list[str] | None = None) -> Array | None:
        """Of a clip, read or free; None when nothing was understood."""
        key = f"{path.parent.name}/{path.stem} {'free' if sentence is None else 'read'}"
        if key not in self._known:
            self._known[key] = self._heard(path, sentence)
            self._kept.write_text(json.dumps(self._known))
        found = self._known[key]
        return None if found is None else np.array(found)

    def _heard(self, path: Path, sentence: list[str] | None) -> list[float] | None:
        recording, rate_hz = soundfile.read(path, dtype="int16")
        assert rate_hz == RATE_HZ
        labels, _ = vad_front("compact")(FrontEndPlan(rate_hz=RATE_HZ)).feed(recording.tobytes())
        words = self._free(recording, labels) if sentence is None else self._read(recording, sentence)
        found_pace = pace(Speech(words, to_float(recording), np.frombuffer(labels, np.uint8)), sentence)
        found = impression(words, found_pace, len(sentence) if sentence is not None else None) if found_pace is not None else None
        return None if found is None else list(found)

    def _read(self, recording: NDArray[np.int16], sentence: list[str]) -> list[SpokenWord]:
        return self._aligned(to_float(recording), sentence, [1.0] * len(sentence), 0.0, optional=True)

    def _free(self, recording: NDArray[np.int16], labels: bytes) -> list[SpokenWord]:
        segmenter = Segmenter()
        words = []
        for segment in segmenter.feed(recording, labels) + segmenter.flush():
            samples = to_float(segment.samples)
            heard = self._transcriber.transcribe(samples).words
            if heard:
                texts, sure = [word.text for word in heard], [word.confidence for word in heard]
                words += self._aligned(samples, texts, sure, segment.start_sample / RATE_HZ, optional=False)
        return words

    def _aligned(self, samples: NDArray[np.float32], texts: list[str], sure: list[float], at_s: float, *, optional: bool) -> list[SpokenWord]:
        try:
            alignment = self._aligner.align(samples, texts, optional=optional)
        except PeerError:  # the text has no room in the time: an invention of the transcriber's
            return []
        return [
            SpokenWord(
                word.text, at_s + word.start_s, at_s + word.end_s,
                [SpokenPhone(one.symbol, at_s + one.start_s, at_s + one.end_s, one.score) for one in word.phones],
                sure[word.index],
            )
            for word in alignment.words
        ]  # fmt: skip


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
