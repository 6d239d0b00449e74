"""From what was heard to what is found out about it: the speech models one after another, each a pure call.

    samples of a segment ─► transcriber ─► words ─► aligner ─► SegmentFinding          while the recording comes in
    findings, the whole recording, its labels (, the sentence) ─► judge ─► Assessment   when it has ended

Free speech is aligned with its own transcript, segment by segment. Where a sentence was given, it is the sentence that is
aligned, with the whole recording and with words that may be missing; transcripts tell what else was said, and whether it was that
sentence at all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Final, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp.pcm import to_float
from voicestream.errors import WORDS_DO_NOT_FIT, PeerError
from voicestream.models.speech.aligner import AlignedWord, Alignment
from voicestream.models.speech.grapheme import graphemes
from voicestream.models.speech.transcriber import Transcript
from voicestream.sessions.assessment_finding import SegmentFinding
from voicestream.sessions.assessment_result import Assessment, Attempt, Level, Melody, Pace, Phone, Scores, Utterance, Word
from voicestream.sessions.quality import FRAME_MS
from voicestream.sessions.relevance import is_another_language, is_another_sentence, letters, likeness

Recording: TypeAlias = NDArray[np.int16]
Samples: TypeAlias = NDArray[np.float32]

RATE_HZ: Final = 16000
_PAUSE_S: Final = 0.7  # of silence that ends an utterance
_BREATH_S: Final = 0.2  # the same after a sentence
_SENTENCE_ENDS: Final = (".", "?", "!")
_SURE: Final = 0.5  # the confidence of a word that counts as one too many


class Aligner(Protocol):
    """`models.speech.aligner.Aligner`."""

    def align(self, samples: Samples, words: Sequence[str], *, optional: bool = False) -> Alignment: ...

    def unknown(self, words: Sequence[str]) -> tuple[int, ...]: ...


class Transcriber(Protocol):
    """`models.speech.transcriber.Transcriber`."""

    def transcribe(self, samples: Samples) -> Transcript: ...


class Judgement(NamedTuple):
    """Scores and what they were made from; levels: of the scores that have one."""

    scores: Scores
    pace: Pace | None
    melody: Melody
    levels: Mapping[str, Level]


# Words, samples, labels (frames,) uint8 per 30 ms, words of the sentence if one was given.
Judge: TypeAlias = Callable[[Sequence[Word], Samples, NDArray[np.uint8], Sequence[str] | None], Judgement]


class Chain:
    """The models in their order."""

    def __init__(self, transcriber: Transcriber, aligner: Aligner, judge: Judge) -> None:
        self._transcriber = transcriber
        self._aligner = aligner
        self._judge = judge

    def assess_segment(self, start_sample: int, recording: Recording, *, align: bool) -> SegmentFinding:
        """A stretch of a recording, (n,) int16 at 16 kHz, `start_sample` from its start -> its words; align: with sounds and times."""
        samples = to_float(recording)
        transcript = self._transcriber.transcribe(samples)
        heard = tuple((word.text, word.confidence) for word in transcript.words)
        if not align or not heard:
            return SegmentFinding(heard, ())
        try:
            aligned = self._aligner.align(samples, [text for text, _ in heard])
        except PeerError as error:
            if error.fault is not WORDS_DO_NOT_FIT:
                raise
            return SegmentFinding((), ())  # a transcript that has no room in its time is an invention of the network's
        start_s = start_sample / RATE_HZ
        return SegmentFinding(heard, tuple(_word(word, start_s, heard[word.place][1]) for word in aligned.words))

    def conclude(
        self, findings: Sequence[SegmentFinding], recording: Recording, labels: bytes, sentence: str | None, snr_db: float
    ) -> Assessment:
        """All segments in order, the whole recording (n,) int16 at 16 kHz and its labels, one byte 0 or 1 per 30 ms -> the assessment."""
        samples = to_float(recording)
        reading = self._spoken(findings) if sentence is None else self._read(findings, samples, sentence.split())
        words = [word for utterance in reading.utterances for word in utterance.words]
        judgement = self._judge(words, samples, np.frombuffer(labels, np.uint8), sentence.split() if sentence is not None else None)
        return Assessment(
            total_s=len(recording) / RATE_HZ,
            net_speech_s=labels.count(1) * FRAME_MS / 1000,
            snr_db=snr_db,
            recording="ok" if any(labels) else "no_speech",
            utterances=reading.utterances,
            scores=judgement.scores,
            pace=judgement.pace,
            melody=judgement.melody,
            sentence=sentence,
            attempt=reading.attempt,
            omitted=reading.omitted,
            inserted=reading.inserted,
            unknown=self._aligner.unknown(sentence.split()) if sentence is not None else (),
            levels=judgement.levels,
        )

    def _spoken(self, findings: Sequence[SegmentFinding]) -> "_Reading":
        """Free speech: what was said is what was to be said."""
        words = [word for finding in findings for word in finding.words]
        if is_another_language(len(words), sum(word.confidence for word in words) / max(len(words), 1), _mean_score(words)):
            return _Reading((), "IRRELEVANT")
        utterances = tuple(_utterances(words))
        return _Reading(utterances, "RELEVANT" if utterances else "UNSPOKEN")

    def _read(self, findings: Sequence[SegmentFinding], samples: Samples, wanted: Sequence[str]) -> "_Reading":
        """A sentence that was to be read."""
        heard = [word for finding in findings for word in finding.heard]
        if not heard:
            return _Reading((), "UNSPOKEN", tuple(range(len(wanted))))
        said = self._said(samples, wanted)
        if is_another_sentence(likeness([text for text, _ in heard], wanted), _mean_score(said.words)):
            return _Reading((), "IRRELEVANT", tuple(range(len(wanted))))
        words = tuple(_word(word, 0.0, 1.0) for word in said.words)
        utterances = (Utterance(" ".join(wanted), words),) if words else ()
        return _Reading(utterances, "RELEVANT", said.omitted, _inserted(heard, wanted))

    def _said(self, samples: Samples, wanted: Sequence[str]) -> Alignment:
        """The words of a sentence that were said."""
        try:
            return self._aligner.align(samples, wanted, optional=True)
        except PeerError as error:
            if error.fault is not WORDS_DO_NOT_FIT:
                raise
            return Alignment((), tuple(range(len(wanted))), 0.0)


class _Reading(NamedTuple):
    utterances: tuple[Utterance, ...]
    attempt: Attempt
    omitted: tuple[int, ...] = ()
    inserted: tuple[str, ...] = ()


def _word(word: AlignedWord, start_s: float, confidence: float) -> Word:
    spans = graphemes(word.text, [phone.symbol for phone in word.phones])
    phones = tuple(
        Phone(phone.symbol, start_s + phone.start_s, start_s + phone.end_s, phone.score, phone.said, span)
        for phone, span in zip(word.phones, spans, strict=True)
    )
    return Word(word.text, start_s + word.start_s, start_s + word.end_s, word.score, phones, confidence, place=word.place)


def _mean_score(words: Sequence[AlignedWord] | Sequence[Word]) -> float:
    return sum(word.score for word in words) / max(len(words), 1)


def _utterances(words: Sequence[Word]) -> Iterator[Utterance]:
    """Words between pauses; segments of a recording end elsewhere, wherever it was best for the transcript."""
    start = 0
    for at, (word, following) in enumerate(pairwise(words), 1):
        pause_s = following.start_s - word.end_s
        if pause_s >= (_BREATH_S if word.text.endswith(_SENTENCE_ENDS) else _PAUSE_S):
            yield _utterance(words[start:at])
            start = at
    if words:
        yield _utterance(words[start:])


def _utterance(words: Sequence[Word]) -> Utterance:
    return Utterance(" ".join(word.text for word in words), tuple(words))


def _inserted(heard: Sequence[tuple[str, float]], wanted: Sequence[str]) -> tuple[str, ...]:
    """Words between those of the sentence, surely heard; one in the place of another is a matter of pronunciation."""
    changes = SequenceMatcher(None, [letters(word) for word in wanted], [letters(text) for text, _ in heard], autojunk=False)
    return tuple(
        text
        for change, _, _, start, end in changes.get_opcodes()
        if change == "insert"
        for text, confidence in heard[start:end]
        if confidence >= _SURE
    )
