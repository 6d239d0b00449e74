"""Recognition by a rule that a test can compute: half a second of sound is a word. And what can befall it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import trio
from numpy.typing import NDArray

from voicestream.errors import ASSESSMENT_BUSY, PeerError
from voicestream.sessions.assessment_result import Assessment, Level, Melody, Pace, Phone, Scores, Utterance, Word

RATE_HZ = 16_000
_WORD_SAMPLES = RATE_HZ // 2


def assessed(samples: NDArray[np.int16], sentence: str | None) -> Assessment:
    """What is found in samples (n,) int16 at 16 kHz: depends on every one of them."""
    words = [spoken(at, samples[at : at + _WORD_SAMPLES]) for at in range(0, len(samples), _WORD_SAMPLES)]
    heard_s = len(samples) / RATE_HZ
    found = [word for word in words if word is not None]
    said = tuple(replace(word, place=place) for place, word in enumerate(found if sentence is None else found[: len(sentence.split())]))
    utterances = (Utterance(" ".join(word.text for word in said), said),) if said else ()
    pace = Pace(120.0, 180.0, 400.0, 150.0, 220.0, 480.0, pauses=((0.5, 1.0),), fillers=1)
    scores = Scores(overall=74.21, pronunciation=78.0, fluency=73.06, intonation=69.5)
    speech_s = 0.5 * len(said)
    return Assessment(
        heard_s, speech_s, 25.0, "ok", utterances, scores, pace, Melody(0.28, 0.41), sentence, levels={"fluency": Level("B2", "B1", "C1")}
    )


def spoken(at: int, samples: NDArray[np.int16]) -> Word | None:
    power = int(np.square(samples.astype(np.int64)).mean())
    if power < 1000:
        return None
    start_s, end_s = at / RATE_HZ, (at + len(samples)) / RATE_HZ
    middle_s = (start_s + end_s) / 2
    phones = (Phone("M", start_s, middle_s, 90.0, letters=(0, 1)), Phone("R", middle_s, end_s, 32.0, said="L", letters=(1, 2)))
    return Word(f"w{power}", start_s, end_s, 61.0, phones, confidence=0.8)


@dataclass
class FakeRun:
    """One recording. `told`: what is found, instead of the rule's; `fault`: what befalls it; `wait_s`: how long it takes."""

    house: "FakeAssessor"
    sentences: Sequence[str]
    heard: list[NDArray[np.int16]] = field(default_factory=list)
    cancelled: bool = False
    finished: bool = False

    def hear(self, samples: NDArray[np.int16]) -> None:
        assert not self.cancelled
        assert not self.finished
        self.heard.append(samples)

    @property
    def samples(self) -> NDArray[np.int16]:
        return np.concatenate(self.heard) if self.heard else np.empty(0, np.int16)

    async def finish(self) -> list[Assessment]:
        await trio.sleep(self.house.wait_s)
        if self.house.error is not None:
            raise self.house.error
        self.finished = True
        return [self._assessed(sentence) for sentence in self.sentences or (None,)]

    def _assessed(self, sentence: str | None) -> Assessment:
        found = assessed(self.samples, sentence)
        if sentence is not None and self.house.said is not None and sentence != self.house.said:
            found = replace(found, attempt="IRRELEVANT")
        return found

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class FakeAssessor:
    """Takes on `places` recordings at once."""

    wait_s: float = 0.0
    error: Exception | None = None
    places: int = 100
    said: str | None = None  # the sentence that is read, of several
    runs: list[FakeRun] = field(default_factory=list)

    def begin(self, sentences: Sequence[str] = ()) -> FakeRun:
        if len(self.going_on) >= self.places:
            raise PeerError(ASSESSMENT_BUSY)
        self.runs.append(FakeRun(self, sentences))
        return self.runs[-1]

    @property
    def going_on(self) -> list[FakeRun]:
        return [run for run in self.runs if not run.cancelled and not run.finished]
