"""Measures how often it is told that a recording is of another sentence, or of another language.

    python -m scripts.measure_attempt DATA MODELS

DATA: the folder with `pronunciation` in it. MODELS: the data folder that has moonshine installed. Foreign speech is that of
Debian's prompts for Asterisk (asterisk-core-sounds-es-wav, -fr-, -it-, -ru-), native English that of asterisk-core-sounds-en-wav.
Printed are the rates of `sessions/relevance.py`, and quantiles of what its thresholds were chosen from.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from scripts.assessment.corpus import RATE_HZ, rated_clips
from scripts.assessment.stream import streamed
from voicestream.cli.prompt import FOLDER
from voicestream.dsp.pcm import to_float
from voicestream.dsp.resample import resample
from voicestream.errors import PeerError
from voicestream.models.speech import transcriber
from voicestream.models.speech.aligner import aligner
from voicestream.sessions.relevance import is_another_language, is_another_sentence, likeness

VOICES = ("en_US_f_Allison", "es_MX_f_Allison", "fr_CA_f_June", "it_IT_f_Menardi", "it_IT_m_Carlo", "ru_RU_f_IvrvoiceRU")
PROMPT_S = (3.0, 12.0)
PROMPTS = 16  # of each voice
JOINED = 3

Recording = NDArray[np.int16]


class Told(NamedTuple):
    """What a decision is made from. confidence and score are means of the words; likeness only where a sentence was given."""

    words: int
    confidence: float
    score: float
    likeness: float = 0.0


class Listener:
    """Recordings to what is decided from, as the server hears them."""

    def __init__(self, models: Path) -> None:
        self._transcriber = transcriber.load(models)
        self._aligner = aligner()

    def free(self, recording: Recording) -> Told:
        """Of free speech."""
        sure, scores = [], []
        for samples in self._segments(recording):
            heard = self._transcriber.transcribe(samples).words
            try:
                aligned = self._aligner.align(samples, [word.text for word in heard]).words
            except PeerError:
                continue
            sure += [heard[word.place].confidence for word in aligned]
            scores += [word.score for word in aligned]
        return Told(len(scores), _mean(sure), _mean(scores))

    def given(self, recording: Recording, sentence: Sequence[str]) -> Told:
        """Of a sentence that was to be read."""
        heard = [word.text for samples in self._segments(recording) for word in self._transcriber.transcribe(samples).words]
        try:
            said = self._aligner.align(to_float(recording), sentence, optional=True).words
        except PeerError:
            said = ()
        return Told(len(heard), 1.0, _mean([word.score for word in said]), likeness(heard, sentence))

    def _segments(self, recording: Recording) -> Iterator[NDArray[np.float32]]:
        _, segments = streamed(recording)
        for segment in segments:
            yield to_float(segment.samples)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def prompts(voice: str) -> list[Recording]:
    """The first sentences of a voice that are as long as one says to a machine."""
    found: list[Recording] = []
    for path in sorted((FOLDER / voice).glob("*.wav")):
        samples, rate_hz = soundfile.read(path, dtype="float32")
        if PROMPT_S[0] <= len(samples) / rate_hz <= PROMPT_S[1] and len(found) < PROMPTS:
            found.append(np.round(resample(samples, rate_hz, RATE_HZ).clip(-1, 1) * 32767).astype(np.int16))
    return found


def joined(recordings: Sequence[Recording]) -> list[Recording]:
    """Each with the next ones."""
    return [np.concatenate(recordings[at : at + JOINED]) for at in range(0, len(recordings) - JOINED + 1, JOINED)]


def show(name: str, found: Sequence[Told], wrong: Sequence[bool]) -> None:
    values = {field: [getattr(one, field) for one in found] for field in ("likeness", "confidence", "score")}
    told = "  ".join(f"{field} {np.round(np.quantile(of, [0, 0.1, 0.5, 0.9, 1]), 2)}" for field, of in values.items())
    print(f"{name}: {sum(wrong)} of {len(found)}   {told}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("models", type=Path)
    options = parser.parse_args()
    listener = Listener(options.models)
    clips = rated_clips(options.data)
    learners = [soundfile.read(clip.path, dtype="int16")[0] for clip in clips]

    print("taken for another sentence")
    for name, shifts in (("its own", [0]), ("another one", [1, 2])):
        given = [
            listener.given(samples, clips[(at + shift) % len(clips)].sentence)
            for shift in shifts
            for at, samples in enumerate(learners)
            if not shift or clips[(at + shift) % len(clips)].sentence != clips[at].sentence
        ]
        show(name, given, [is_another_sentence(one.likeness, one.score) for one in given])

    print("taken for another language")
    groups = {"learners": learners, **{voice: prompts(voice) for voice in VOICES}}
    for name, recordings in groups.items():
        for length, chosen in (("", recordings), (f", {JOINED} joined", joined(recordings))):
            free = [listener.free(recording) for recording in chosen]
            show(name + length, free, [is_another_language(one.words, one.confidence, one.score) for one in free])


if __name__ == "__main__":
    main()
