"""Models one after another: what each is given, and what becomes of what it says."""

import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from voicestream.errors import TOO_LONG_TO_ALIGN, WORDS_DO_NOT_FIT, Fault, PeerError
from voicestream.models.speech.aligner import AlignedPhone, AlignedWord, Alignment
from voicestream.models.speech.transcriber import SpokenWord, Transcript
from voicestream.sessions.assessment_chain import Chain, Judgement, Samples
from voicestream.sessions.assessment_finding import SegmentFinding
from voicestream.sessions.assessment_result import Assessment, Level, Melody, Scores, Word

SECOND = np.full(16000, 1000, np.int16)
LABELS = b"\1" * 20 + bytes(13)
LEVEL = Level("B2", "B1", "C1")


class Transcriber:
    def __init__(self, *words: str, confidence: float = 0.9) -> None:
        self.words = tuple(SpokenWord(word, confidence) for word in words)

    def transcribe(self, samples: Samples) -> Transcript:
        return Transcript(self.words)


class Aligner:
    """Each word takes a tenth of a second, but for those that are missing."""

    def __init__(self, missing: Sequence[str] = (), fault: Fault | None = None, score: float = 80.0) -> None:
        self.missing = missing
        self.score = score
        self.fault = fault

    def align(self, samples: Samples, words: Sequence[str], *, optional: bool = False) -> Alignment:
        if self.fault is not None:
            raise PeerError(self.fault)
        assert optional or not self.missing
        said = [(place, word) for place, word in enumerate(words) if word not in self.missing]
        return Alignment(
            tuple(aligned(place, word, self.score) for place, word in said),
            tuple(place for place, word in enumerate(words) if word in self.missing),
            -1.0,
        )

    def unknown(self, words: Sequence[str]) -> tuple[int, ...]:
        return tuple(place for place, word in enumerate(words) if word == "strilp")


def aligned(place: int, word: str, score: float) -> AlignedWord:
    start_s, end_s = place / 10, place / 10 + 0.1
    return AlignedWord(place, word, start_s, end_s, score, (AlignedPhone("AH", start_s, end_s, score, "IH"),))


def judge(words: Sequence[Word], samples: Samples, labels: NDArray[np.uint8], sentence: Sequence[str] | None) -> Judgement:
    return Judgement(Scores(fluency=float(len(words))), None, Melody(), {"fluency": LEVEL})


def heard(*words: str, confidence: float = 0.9) -> SegmentFinding:
    return SegmentFinding(tuple((word, confidence) for word in words), ())


def read(sentence: str, said: SegmentFinding, missing: Sequence[str] = (), fault: Fault | None = None, score: float = 80.0) -> Assessment:
    return Chain(Transcriber(), Aligner(missing, fault, score), judge).conclude(
        [said] if said.heard else [], SECOND, LABELS, sentence, 20.0
    )


def test_words_of_a_segment_have_times_of_the_recording_and_the_confidence_of_the_transcript() -> None:
    found = Chain(Transcriber("So,", "yes."), Aligner(), judge).assess_segment(32000, SECOND, align=True)
    assert found.heard == (("So,", 0.9), ("yes.", 0.9))
    assert [(word.text, word.start_s, word.confidence) for word in found.words] == [("So,", 2.0, 0.9), ("yes.", 2.1, 0.9)]
    assert (found.words[1].phones[0].start_s, found.words[1].phones[0].said) == (2.1, "IH")


def test_where_a_sentence_is_given_a_segment_is_not_aligned() -> None:
    found = Chain(Transcriber("yes"), Aligner(fault=WORDS_DO_NOT_FIT), judge).assess_segment(0, SECOND, align=False)
    assert (found.heard, found.words) == ((("yes", 0.9),), ())


def test_a_transcript_without_room_in_its_time_was_not_said() -> None:
    found = Chain(Transcriber("a", "long", "story"), Aligner(fault=WORDS_DO_NOT_FIT), judge).assess_segment(0, SECOND, align=True)
    assert found == SegmentFinding((), ())


def test_other_refusals_of_the_aligner_are_told() -> None:
    with pytest.raises(PeerError) as caught:
        Chain(Transcriber("yes"), Aligner(fault=TOO_LONG_TO_ALIGN), judge).assess_segment(0, SECOND, align=True)
    assert caught.value.fault is TOO_LONG_TO_ALIGN


def times_of(*words: tuple[str, float]) -> SegmentFinding:
    """Words of a tenth of a second that begin then."""
    return SegmentFinding((), tuple(Word(text, start_s, start_s + 0.1, 80.0, (), 0.9) for text, start_s in words))


def test_an_utterance_ends_with_a_pause_and_not_with_a_segment() -> None:
    findings = [times_of(("I", 0.0), ("like", 0.5)), times_of(("it.", 0.7), ("Yes.", 1.1), ("So", 1.25), ("there", 2.1))]
    found = Chain(Transcriber(), Aligner(), judge).conclude(findings, SECOND, LABELS, None, 20.0)
    assert [utterance.text for utterance in found.utterances] == ["I like it.", "Yes. So", "there"]


def test_free_speech_is_told_utterance_by_utterance() -> None:
    chain = Chain(Transcriber("one", "two"), Aligner(), judge)
    findings = [chain.assess_segment(start, SECOND, align=True) for start in (0, 32000)]
    found = chain.conclude([*findings, SegmentFinding((), ())], np.tile(SECOND, 4), LABELS, None, 20.0)
    assert [utterance.text for utterance in found.utterances] == ["one two", "one two"]
    assert [word.place for utterance in found.utterances for word in utterance.words] == [0, 1, 0, 1]  # in the text of each
    assert (found.total_s, found.net_speech_s, found.snr_db, found.scores.fluency) == (4.0, 0.6, 20.0, 4.0)
    assert found.levels == {"fluency": LEVEL}


@pytest.mark.parametrize(
    "words, confidence, score, attempt",
    [(5, 0.5, 77.0, "IRRELEVANT"), (5, 0.76, 60.0, "RELEVANT"), (5, 0.5, 78.0, "RELEVANT"), (4, 0.2, 50.0, "RELEVANT")],
    ids=["another language", "surely heard", "well said", "too few words to tell"],
)
def test_free_speech_in_another_language_is_irrelevant(words: int, confidence: float, score: float, attempt: str) -> None:
    chain = Chain(Transcriber(*"abcde"[:words], confidence=confidence), Aligner(score=score), judge)
    found = chain.conclude([chain.assess_segment(0, SECOND, align=True)], SECOND, LABELS, None, 20.0)
    assert (found.attempt, sum(len(one.words) for one in found.utterances)) == (attempt, 0 if attempt == "IRRELEVANT" else words)


def test_words_left_out_of_a_sentence_are_told() -> None:
    found = read("I like green apples", heard("I", "like", "apples"), missing=["green"])
    assert (found.attempt, found.omitted, found.inserted) == ("RELEVANT", (2,), ())
    assert [word.text for word in found.utterances[0].words] == ["I", "like", "apples"]


@pytest.mark.parametrize("confidence, inserted", [(0.9, ("really",)), (0.3, ())])
def test_words_put_into_a_sentence_are_told_where_they_were_surely_heard(confidence: float, inserted: tuple[str, ...]) -> None:
    said = (("I", 0.9), ("really", confidence), ("like", 0.9), ("apples.", 0.9))
    assert read("I like apples", SegmentFinding(said, ())).inserted == inserted


@pytest.mark.parametrize("said", [heard("I", "like", "apples"), heard()])
def test_words_of_a_sentence_that_no_dictionary_has_are_told(said: SegmentFinding) -> None:
    assert read("I like strilp apples", said).unknown == (2,)
    assert read("I like apples", said).unknown == ()


def test_a_word_heard_as_another_is_not_one_too_many() -> None:
    assert read("I like apples", heard("I", "lack", "apples")).inserted == ()


def test_another_sentence_is_irrelevant() -> None:
    sentence = "would you please wait"
    found = read(sentence, heard("bananas", "taste", "nice"), score=70.0)
    assert (found.attempt, found.utterances, found.omitted) == ("IRRELEVANT", (), tuple(range(len(sentence.split()))))


def test_a_bad_transcript_of_a_beginner_is_overruled_by_the_alignment() -> None:
    assert read("would you please to wait", heard("Odeo", "mixed", "high", "gulf"), score=90.0).attempt == "RELEVANT"


def test_a_good_transcript_overrules_badly_said_sounds() -> None:
    assert read("would you please wait", heard("would", "you", "please", "wait"), score=40.0).attempt == "RELEVANT"


def test_nothing_heard_is_unspoken() -> None:
    found = read("yes", SegmentFinding((), ()))
    assert (found.attempt, found.omitted, found.utterances) == ("UNSPOKEN", (0,), ())


def test_a_recording_too_short_for_its_sentence_is_one_with_words_left_out() -> None:
    found = read("yes please", heard("yes"), fault=WORDS_DO_NOT_FIT)
    assert (found.attempt, found.omitted, found.utterances) == ("RELEVANT", (0, 1), ())


def test_a_server_that_assesses_imports_no_model() -> None:
    names = ("onnxruntime", "scipy.signal", "torch", "voicestream.models.speech.aligner", "voicestream.sessions.assessment_chain")
    code = f"import sys, voicestream.server.assessor; print([name for name in {names} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)})
    assert done.stdout.strip() == "[]"
