"""An assessment as ELSA's clients read it (elsa.md section 5): keys are always there, null where something is not known.

free speech: speakers, utterances, words, phonemes, top errors      a given sentence: utterance, words, phonemes, rates
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeAlias

from voicestream.protocols.phone_symbol import VOWELS, ipa
from voicestream.sessions.assessment_result import Assessment, Phone, Utterance, Word

Json: TypeAlias = dict[str, Any]
Aspect: TypeAlias = Literal["overall", "pronunciation", "fluency", "intonation", "grammar", "vocabulary"]
Band: TypeAlias = Callable[[Aspect, float], str | None]  # a score 0..100 -> A1 to C2; None where nobody has shown which

API_VERSION: Final = "1"
_FRAMES_PER_S: Final = 100  # start_index and end_index count 10 ms frames
_BANDS: Final = ((90.0, "excellent"), (80.0, "great"), (70.0, "good"), (60.0, "fair"))
_CORRECT, _WARNING = 70.0, 50.0  # least scores of a word or phone
_TOP_ERRORS = 5
_EXAMPLES = 5


def unbanded(aspect: Aspect, score: float) -> str | None:
    """No band: nothing was calibrated."""
    return None


def result_object(assessment: Assessment, band: Band = unbanded, *, hints: bool = False) -> Json:
    """The result of free speech or, when a sentence was given, of that; hints: say in words what to do about a phone."""
    body = _free(assessment, band) if assessment.sentence is None else _scripted(assessment, hints)
    return body if assessment.partial_error is None else {**body, "partial_error": assessment.partial_error}


def transcript_object(assessment: Assessment) -> Json:
    """The words alone, as the endpoint `asr` tells them."""
    return {"utterances": [_heard(index, utterance) for index, utterance in enumerate(assessment.utterances)]}


# ---- free speech


def _free(assessment: Assessment, band: Band) -> Json:
    return {
        "api_version": API_VERSION,
        "total_time": _seconds(assessment.total_s),
        "transcript": " ".join(utterance.text for utterance in assessment.utterances) or None,
        "recording_quality": assessment.recording,
        "assessment_quality": "ok" if assessment.recording == "ok" and assessment.attempt != "IRRELEVANT" else "low",
        "speakers": [
            {
                "speaker_id": 0,
                "total_time": _seconds(assessment.net_speech_s),
                "metrics": _metrics(assessment, band),
                "utterances": [_utterance(index, utterance) for index, utterance in enumerate(assessment.utterances)],
                "feedbacks": {"pronunciation": {"top_errors": _top_errors(assessment)}},
            }
        ],
    }


def _metrics(assessment: Assessment, band: Band) -> Json:
    scores, pace, melody = assessment.scores, assessment.pace, assessment.melody
    named: list[tuple[Aspect, str, float | None]] = [
        ("overall", "eps", scores.overall),
        ("pronunciation", "pronunciation", scores.pronunciation),
        ("intonation", "intonation", scores.intonation),
        ("fluency", "fluency", scores.fluency),
        ("grammar", "grammar", scores.grammar),
        ("vocabulary", "vocabulary", scores.vocabulary),
    ]
    elsa: Json = {}
    for _, name, score in named:
        elsa |= {f"{name}_score": _percent(score), f"{name}_decision": _quality(score)}
    return {
        "general_scores": {
            "elsa": elsa,
            "cefr": {f"{aspect}_cefr": None if score is None else band(aspect, score) for aspect, _, score in named},
            "other_scores": dict.fromkeys(("ielts_score", "toefl_score", "toeic_score", "pte_score")),
        },
        "other_metrics": {
            "pronunciation": {"advanced_pronunciation_score": None},
            "fluency": {
                "pausing_score": None,
                "words_per_minute": _percent(pace.words_per_minute) if pace else None,
                "pauses": [[_seconds(start_s), _seconds(end_s)] for start_s, end_s in pace.pauses] if pace else [],
                "fillers": pace.fillers if pace else None,
                "repetitions": pace.repetitions if pace else None,
            },
            "intonation": {
                "energy_variation": _rounded(melody.energy_variation),
                "pitch_variation": _rounded(melody.pitch_variation),
                "word_prominence_score": None,
                "word_prominence_cefr": None,
            },
        },
    }


def _utterance(index: int, utterance: Utterance) -> Json:
    return {
        "utterance_id": index,
        "text": utterance.text,
        "start_time": _seconds(utterance.start_s) if utterance.words else None,
        "end_time": _seconds(utterance.end_s) if utterance.words else None,
        "result": {"nativeness_score": _mean(utterance.words), "words": [_word(word) for word in utterance.words]},
    }


def _word(word: Word) -> Json:
    return {
        "text": word.text,
        "start_time": _seconds(word.start_s),
        "end_time": _seconds(word.end_s),
        "nativeness_score": _percent(word.score),
        "decision": _decision(word.score),
        "confidence": _rounded(word.confidence),
        "phonemes": [_phoneme(phone) for phone in word.phones],
    }


def _phoneme(phone: Phone) -> Json:
    return {
        "text": phone.symbol.lower(),
        "trans": ipa(phone.symbol),
        "trans_arpabet": phone.symbol,
        "start_index": _frame(phone.start_s),
        "end_index": _frame(phone.end_s),
        "nativeness_score": _percent(phone.score),
        "decision": _phone_decision(phone),
        "phoneme_error": ipa(phone.said) if phone.said else None,
        "phoneme_error_arpabet": phone.said or None,
    }


def _top_errors(assessment: Assessment) -> list[Json]:
    """The sounds that went wrong most often, and what was said instead."""
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], dict[str, None]] = {}
    for word in _words(assessment):
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


# ---- a given sentence


def _scripted(assessment: Assessment, hints: bool) -> Json:
    words, scores, pace = _words(assessment), assessment.scores, assessment.pace
    overall = _percent(scores.overall)
    speed = (
        "words_per_minute", "syllables_per_minute", "phones_per_minute",
        "articulated_words_per_minute", "articulated_syllables_per_minute", "articulated_phones_per_minute",
    )  # fmt: skip
    utterance = {
        "sentence_id": 0,
        "sentence": assessment.sentence,
        "attempt_type": assessment.attempt,
        "initial_silence": _seconds(words[0].start_s) if words else None,
        "total_time": _seconds(assessment.total_s),
        "snr": _percent(assessment.snr_db),
        "recording_quality": assessment.recording,
        "decision": _decision(scores.pronunciation),
        "ipa": " ".join("".join(ipa(phone.symbol) for phone in word.phones) for word in words),
        "nativeness_score": overall,
        "nativeness_score_partial": overall,
        "pronunciation_score": _percent(scores.pronunciation),
        "intonation_score": _percent(scores.intonation),
        "fluency_score": _percent(scores.fluency),
        "speed_metrics": {name: _percent(getattr(pace, name)) if pace else None for name in speed},
        "pronunciation_rate_metrics": _rates(assessment, words),
        "omitted_words": list(assessment.omitted),
        "inserted_words": list(assessment.inserted),
        "words": [_scripted_word(word, hints) for word in words],
    }
    return {"api_version": API_VERSION, "total_time": _seconds(assessment.total_s), "utterance": [utterance]}


def _rates(assessment: Assessment, words: Sequence[Word]) -> Json:
    """How many of the words, syllables and phones that were to be said were said right: as a share, and per minute."""
    right = [word for word in words if _decision(word.score) == "correct"]
    phones = [phone for word in words for phone in word.phones]
    vowels = [phone for phone in phones if phone.symbol in VOWELS]
    counted = {
        "words": (len(right), len(words) + len(assessment.omitted)),
        "syllables": (sum(_phone_decision(phone) == "correct" for phone in vowels), len(vowels)),
        "phones": (sum(_phone_decision(phone) == "correct" for phone in phones), len(phones)),
    }
    pace = assessment.pace
    rates: Json = {}
    for name, (correct, count) in counted.items():
        ratio = correct / count if count else None
        spoken = getattr(pace, f"{name}_per_minute") if pace else None
        said_share = correct / {"words": len(words)}.get(name, count) if correct else 0.0
        rates[f"correct_{name}_per_minute"] = None if spoken is None else _percent(spoken * said_share)
        rates[f"correct_{name}_ratio"] = _rounded(ratio)
    return rates


def _scripted_word(word: Word, hints: bool) -> Json:
    return {
        "text": word.text,
        "start_index": _frame(word.start_s),
        "end_index": _frame(word.end_s),
        "nativeness_score": _percent(word.score),
        "decision": _decision(word.score),
        "phonemes": [{**_phoneme(phone), "feedback": _feedback(phone) if hints else []} for phone in word.phones],
    }


def _feedback(phone: Phone) -> list[Json]:
    if phone.said is None:
        return []
    if not phone.said:
        return [{"text": f"The sound {ipa(phone.symbol)} was left out."}]
    return [{"text": f"It sounded like {ipa(phone.said)}. It should be {ipa(phone.symbol)}."}]


# ---- the transcript


def _heard(index: int, utterance: Utterance) -> Json:
    words = utterance.words
    return {
        "index": index,
        "interval": [_seconds(utterance.start_s), _seconds(utterance.end_s)] if words else None,
        "speaker_id": 0,
        "words": [
            {
                "word": word.text,
                "end_time": _seconds(word.end_s),
                "confidence": _rounded(word.confidence),
                "am_confidence": None,
                "lm_confidence": None,
                "start_index": _frame(word.start_s),
                "end_index": _frame(word.end_s),
            }
            for word in words
        ],
        "confidence": _rounded(sum(word.confidence for word in words) / len(words)) if words else None,
        "transcript": utterance.text,
    }


# ---- numbers and words for them


def _words(assessment: Assessment) -> list[Word]:
    return [word for utterance in assessment.utterances for word in utterance.words]


def _mean(words: Sequence[Word]) -> float | None:
    return _percent(sum(word.score for word in words) / len(words)) if words else None


def _percent(score: float | None) -> float | None:
    return None if score is None else round(float(score), 1)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 3)


def _seconds(value: float) -> float:
    return round(float(value), 2)


def _frame(at_s: float) -> int:
    return round(at_s * _FRAMES_PER_S)


def _quality(score: float | None) -> str | None:
    if score is None:
        return None
    return next((word for least, word in _BANDS if score >= least), "poor")


def _decision(score: float | None) -> str | None:
    if score is None:
        return None
    return "correct" if score >= _CORRECT else "warning" if score >= _WARNING else "incorrect"


def _phone_decision(phone: Phone) -> str | None:
    return "incorrect" if phone.said is not None else _decision(phone.score)
