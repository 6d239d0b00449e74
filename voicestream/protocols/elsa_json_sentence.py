"""A given sentence as ELSA's clients read how it was said: utterance, words, phonemes, rates (elsa.md section 5)."""

from collections.abc import Sequence
from typing import Final

from voicestream.protocols.elsa_json_word import Json, decision, ipa_of, percent, phone_decision, rounded, seconds, word_objects
from voicestream.protocols.phone_symbol import VOWELS
from voicestream.sessions.assessment_result import Assessment, Level, Pace, Word

API_VERSION: Final = "1"
OTHER_TESTS: Final = ("ielts_score", "toefl_score", "toeic_score", "pte_score")  # which count what nobody rated here: null


def sentence_object(assessment: Assessment, hints: bool) -> Json:
    """The result; hints: say in words what to do about a phone."""
    words, scores, pace = words_of(assessment), assessment.scores, assessment.pace
    overall, pronunciation = percent(scores.overall), percent(scores.pronunciation)
    found = level(assessment, "overall")
    speed = (
        "words_per_minute", "syllables_per_minute", "phones_per_minute",
        "articulated_words_per_minute", "articulated_syllables_per_minute", "articulated_phones_per_minute",
    )  # fmt: skip
    utterance = {
        "sentence_id": assessment.sentence_place,
        "sentence": assessment.sentence,
        "attempt_type": assessment.attempt,
        "has_speech": assessment.attempt != "UNSPOKEN",
        "initial_silence": not words or words[0].start_s > 0.0,  # a flag: false where the speaker was faster than the recording
        "total_time": seconds(assessment.total_s),
        "snr": percent(assessment.snr_db),
        "recording_quality": assessment.recording,
        "decision": decision(scores.pronunciation),
        "ipa": " ".join(map(ipa_of, words)),
        "eps_score": overall,
        "cefr_score": found.likeliest if found else None,
        "cefr_range": [found.lowest, found.highest] if found else None,
        **dict.fromkeys(OTHER_TESTS),
        "nativeness_score": overall,
        "nativeness_score_partial": overall,  # of the words that were said, which are all that our scores are made from
        "pronunciation_score": pronunciation,
        "pronunciation_score_partial": pronunciation,
        "intonation_score": percent(scores.intonation),
        "fluency_score": percent(scores.fluency),
        "speed_metrics": {name: percent(getattr(pace, name)) if pace else None for name in speed},
        "pronunciation_rate_metrics": _rates(assessment, words),
        "pausing_metrics": _pausing(pace, words),
        "omitted_words": [(assessment.sentence or "").split()[place] for place in assessment.omitted],
        "inserted_words": list(assessment.inserted),
        "words": word_objects(assessment.sentence or "", words, assessment.omitted, hints=hints),
    }
    return {"api_version": API_VERSION, "success": True, "total_time": seconds(assessment.total_s), "utterance": [utterance]}


def level(assessment: Assessment, aspect: str) -> Level | None:
    """The CEFR level of a score that is told; None where a poor recording makes its doubt greater than anybody measured."""
    if assessment.recording != "ok" or getattr(assessment.scores, aspect) is None:
        return None
    return assessment.levels.get(aspect)


def words_of(assessment: Assessment) -> list[Word]:
    """All that were said."""
    return [word for utterance in assessment.utterances for word in utterance.words]


def _pausing(pace: Pace | None, words: Sequence[Word]) -> Json:
    """How much of the time up to the last word was silence, with the silence before the first and without it."""
    told: Json = dict.fromkeys(("pause_ratio", "pause_ratio_without_initial_sil", "pausing_score_percentage"))
    if pace and words:
        begin_s, end_s = words[0].start_s, words[-1].end_s
        paused_s = sum(end_s - start_s for start_s, end_s in pace.pauses)
        told["pause_ratio"] = rounded((begin_s + paused_s) / end_s)
        told["pause_ratio_without_initial_sil"] = rounded(paused_s / (end_s - begin_s))
    return told


def _rates(assessment: Assessment, words: Sequence[Word]) -> Json:
    """How many of the words, syllables and phones that were to be said were said right: as a share, and per minute."""
    right = [word for word in words if decision(word.score) == "correct"]
    phones = [phone for word in words for phone in word.phones]
    vowels = [phone for phone in phones if phone.symbol in VOWELS]
    counted = {
        "words": (len(right), len(words) + len(assessment.omitted)),
        "syllables": (sum(phone_decision(phone) == "correct" for phone in vowels), len(vowels)),
        "phones": (sum(phone_decision(phone) == "correct" for phone in phones), len(phones)),
    }
    pace = assessment.pace
    rates: Json = {}
    for name, (correct, count) in counted.items():
        ratio = correct / count if count else None
        spoken = getattr(pace, f"{name}_per_minute") if pace else None
        said_share = correct / {"words": len(words)}.get(name, count) if correct else 0.0
        rates[f"correct_{name}_per_minute"] = None if spoken is None else percent(spoken * said_share)
        rates[f"correct_{name}_ratio"] = rounded(ratio)
    return rates
