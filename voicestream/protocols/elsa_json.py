"""An assessment as ELSA's clients read it (elsa.md section 5): keys are always there, null where something is not known.

free speech: speakers, utterances, words, phonemes, top errors      a given sentence: utterance, words, phonemes, rates
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from voicestream.protocols.elsa_json_sentence import API_VERSION, OTHER_TESTS, level, sentence_object, words_of
from voicestream.protocols.elsa_json_word import Json, percent, rounded, seconds, word_objects
from voicestream.sessions.assessment_result import Assessment, Utterance, Word
from voicestream.sessions.vocabulary import Assessing

ASPECTS: Final = ("overall", "pronunciation", "intonation", "fluency", "grammar", "vocabulary")
_FRAMES_PER_S: Final = 100  # in the transcript alone, start_index and end_index count 10 ms frames
_BANDS: Final = ((90.0, "excellent"), (80.0, "great"), (70.0, "good"), (60.0, "fair"))
_TOP_ERRORS = 5
_EXAMPLES = 5


def result_object(assessment: Assessment, *, hints: bool = False) -> Json:
    """The result of free speech or, when a sentence was given, of that; hints: say in words what to do about a phone."""
    body = _free(assessment) if assessment.sentence is None else sentence_object(assessment, hints)
    return _with_error(body, assessment.partial_error)


def write_result(assessment: Assessment, service: Assessing) -> bytes:
    """The result as it is told to who asked for this service."""
    return msgspec.json.encode(result_object(assessment, hints=service.hints))


def transcript_object(assessment: Assessment) -> Json:
    """The words alone, as the endpoint `asr` tells them; that there are too few for a score is nothing to a transcript."""
    error = assessment.partial_error if assessment.partial_error != "too_short" else None
    return _with_error({"utterances": [_heard(index, utterance) for index, utterance in enumerate(assessment.utterances)]}, error)


def _with_error(body: Json, partial_error: str | None) -> Json:
    return body if partial_error is None else {**body, "partial_error": partial_error}


# ---- free speech


def _free(assessment: Assessment) -> Json:
    return {
        "api_version": API_VERSION,
        "total_time": seconds(assessment.total_s),
        "transcript": " ".join(utterance.text for utterance in assessment.utterances) or None,
        "recording_quality": assessment.recording,
        "assessment_quality": "ok" if assessment.recording == "ok" and assessment.attempt == "RELEVANT" else "low",
        "speakers": [
            {
                "speaker_id": 0,
                "total_time": seconds(assessment.net_speech_s),
                "metrics": _metrics(assessment),
                "utterances": [_utterance(index, utterance) for index, utterance in enumerate(assessment.utterances)],
                "feedbacks": {"pronunciation": {"top_errors": _top_errors(assessment)}},
            }
        ],
    }


def _metrics(assessment: Assessment) -> Json:
    scores, pace, melody = assessment.scores, assessment.pace, assessment.melody
    elsa: Json = {}
    for aspect in ASPECTS:
        name, score = "eps" if aspect == "overall" else aspect, getattr(scores, aspect)
        elsa |= {f"{name}_score": percent(score), f"{name}_decision": _quality(score)}
    levels = {f"{aspect}_cefr": level(assessment, aspect) for aspect in ASPECTS}
    return {
        "general_scores": {
            "elsa": elsa,
            "cefr": {name: found.likeliest if found else None for name, found in levels.items()},
            "cefr_range": {name: [found.lowest, found.highest] if found else None for name, found in levels.items()},
            "other_scores": dict.fromkeys(OTHER_TESTS),
        },
        "other_metrics": {
            "pronunciation": {"advanced_pronunciation_score": None},
            "fluency": {
                "pausing_score": None,
                "words_per_minute": percent(pace.words_per_minute) if pace else None,
                "pauses": [[seconds(start_s), seconds(end_s)] for start_s, end_s in pace.pauses] if pace else [],
                "fillers": pace.fillers if pace else None,
                "repetitions": pace.repetitions if pace else None,
            },
            "intonation": {
                "energy_variation": rounded(melody.energy_variation),
                "pitch_variation": rounded(melody.pitch_variation),
                "word_prominence_score": None,
                "word_prominence_cefr": None,
            },
        },
    }


def _utterance(index: int, utterance: Utterance) -> Json:
    told = zip(word_objects(utterance.text, utterance.words), utterance.words, strict=True)
    words = [{**word_told, "confidence": rounded(word.confidence)} for word_told, word in told]
    return {
        "utterance_id": index,
        "text": utterance.text,
        "start_time": seconds(utterance.start_s) if utterance.words else None,
        "end_time": seconds(utterance.end_s) if utterance.words else None,
        "result": {"nativeness_score": _mean(utterance.words), "words": words},
    }


def _top_errors(assessment: Assessment) -> list[Json]:
    """The sounds that went wrong most often, and what was said instead."""
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], dict[str, None]] = {}
    for word in words_of(assessment):
        for phone in word.phones:
            if phone.said is not None:
                error = phone.symbol, phone.said
                counts[error] += 1
                examples.setdefault(error, {})[word.text] = None
    symbols: Counter[str] = Counter()
    for (symbol, _), count in counts.items():
        symbols[symbol] += count
    return [
        {
            "phoneme": symbol,
            "errors": [
                {
                    "error_phoneme": said or None,
                    "type": "substitution" if said else "deletion",
                    "count": count,
                    "examples": [{"text": text} for text in list(examples[expected, said])[:_EXAMPLES]],
                }
                for (expected, said), count in counts.most_common()
                if expected == symbol
            ],
        }
        for symbol, _ in symbols.most_common(_TOP_ERRORS)
    ]


# ---- the transcript


def _heard(index: int, utterance: Utterance) -> Json:
    words = utterance.words
    return {
        "index": index,
        "interval": [seconds(utterance.start_s), seconds(utterance.end_s)] if words else None,
        "speaker_id": 0,
        "words": [
            {
                "word": word.text,
                "end_time": seconds(word.end_s),
                "confidence": rounded(word.confidence),
                "am_confidence": None,
                "lm_confidence": None,
                "start_index": _frame(word.start_s),
                "end_index": _frame(word.end_s),
            }
            for word in words
        ],
        "confidence": rounded(sum(word.confidence for word in words) / len(words)) if words else None,
        "transcript": utterance.text,
    }


# ---- numbers and words for them


def _mean(words: Sequence[Word]) -> float | None:
    return percent(sum(word.score for word in words) / len(words)) if words else None


def _frame(at_s: float) -> int:
    return round(at_s * _FRAMES_PER_S)


def _quality(score: float | None) -> str | None:
    if score is None:
        return None
    return next((word for least, word in _BANDS if score >= least), "poor")
