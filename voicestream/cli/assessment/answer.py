"""The JSON of an assessment, unscripted or scripted, read for what is there (elsa.md section 5).

Servers differ: ours, the vendor's of this and of other years. Nothing but the list of utterances has to be there,
numbers may be text, and `start_index` is a place in the sentence for the vendor and a frame of 10 ms for others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any, Final, TypeAlias

from voicestream import errors
from voicestream.cli.assessment.arpabet import ipa
from voicestream.cli.assessment.finding import Confusion, Finding, Score, Sound, Utterance, Word, band_of
from voicestream.cli.terminal import printable
from voicestream.errors import PeerError

Fields: TypeAlias = Mapping[str, Any]

_FRAME_S: Final = 0.01
_LONGEST_TEXT: Final = 20_000  # characters: a transcript of ten minutes
_SCORES: Final = {"eps": "overall", **{name: name for name in ("pronunciation", "fluency", "intonation", "grammar", "vocabulary")}}
_OUTSIDE: Final = {"ielts_score": "IELTS", "toefl_score": "TOEFL", "toeic_score": "TOEIC", "pte_score": "PTE"}
_NOTES: Final = {
    ("partial_error", "too_short"): "There was too little speech for some of the scores: they want about 20 seconds.",
    ("partial_error", "too_long"): "The recording was too long: its end was not assessed.",
    ("partial_error", "not_understood"): "What was said was not understood; only English is. There is no score for it.",
    ("recording_quality", "noisy"): "The recording is noisy: the scores may be off.",
    ("recording_quality", "clipped"): "The recording is clipped, too loud for the microphone: the scores may be off.",
    ("recording_quality", "loud"): "The recording is too loud for the microphone: the scores may be off.",
    ("recording_quality", "quiet"): "The recording is very quiet: the scores may be off.",
    ("recording_quality", "mixed"): "The recording is too loud, too quiet or noisy in places: the scores may be off.",
    ("recording_quality", "no_speech"): "No speech was heard.",
    ("assessment_quality", "low"): "The server holds its own assessment for uncertain.",
    ("attempt_type", "UNSPOKEN"): "The sentence was not said.",
    ("attempt_type", "IRRELEVANT"): "Something else was said than the sentence.",
}


def find_result(told: object) -> Fields | None:
    """The object that has the utterances: `told` itself or a field of it; None where there is none."""
    if not isinstance(told, dict):
        return None
    for candidate in (told, *told.values()):
        if isinstance(candidate, dict) and any(isinstance(candidate.get(name), list) for name in ("speakers", "utterance")):
            return candidate
    return None


def read_result(told: object) -> Finding:
    """What a server found out. PeerError VS1022 where `told` is no assessment of elsa.md."""
    result = find_result(told)
    if result is None:
        raise PeerError(errors.UNEXPECTED_ANSWER, "a result without utterances")
    return _unscripted(result) if isinstance(result.get("speakers"), list) else _scripted(result)


def _unscripted(result: Fields) -> Finding:
    speakers = _objects(result, "speakers")
    metrics = _object(speakers[0], "metrics") if speakers else {}
    general, other = _object(metrics, "general_scores"), _object(metrics, "other_metrics")
    elsa, cefr, ranges = _object(general, "elsa"), _object(general, "cefr"), _object(general, "cefr_range")
    told = [utterance for speaker in speakers for utterance in _objects(speaker, "utterances")]
    errors_told = (confusion for speaker in speakers for confusion in _confusions(speaker))
    confusions = tuple(sorted(errors_told, key=lambda confusion: -confusion.count))
    utterances = tuple(_utterance(utterance, _object(utterance, "result") or utterance, confusions) for utterance in told)
    fluency, intonation = _object(other, "fluency"), _object(other, "intonation")
    facts = [
        _fact("pace", fluency, "words_per_minute", "words a minute"),
        _fact("pausing", fluency, "pausing_score", "of 100"),
        _fact("fillers", fluency, "fillers"),
        _fact("repetitions", fluency, "repetitions"),
        _fact("pitch variation", intonation, "pitch_variation"),
        _fact("energy variation", intonation, "energy_variation"),
        *(_fact(name, _object(general, "other_scores"), field) for field, name in _OUTSIDE.items()),
    ]
    return Finding(
        tuple(_scores(elsa, cefr, ranges)),
        tuple(utterance for utterance in utterances if utterance.words),
        confusions or _counted(utterances),
        tuple(fact for fact in facts if fact is not None),
        tuple(_notes(result)),
        transcript=_text(result, "transcript") or " ".join(_text(utterance, "text") for utterance in told),
        total_s=_number(result, "total_time"),
        told_pauses=_pauses(fluency),
    )


def _scripted(result: Fields) -> Finding:
    told = _objects(result, "utterance")
    first: Fields = told[0] if told else {}
    utterances = tuple(_with_omitted(_utterance(utterance, utterance, ()), utterance) for utterance in told)
    speed, pausing = _object(first, "speed_metrics"), _object(first, "pausing_metrics")
    rate = _object(first, "pronunciation_rate_metrics")
    facts = [
        _fact("pace", speed, "words_per_minute", "words a minute"),
        _fact("pace without pauses", speed, "articulated_words_per_minute", "words a minute"),
        _share("right words", rate, "correct_words_ratio"),
        _listed("left out", first, "omitted_words"),
        _listed("added", first, "inserted_words"),
        _fact("pausing", pausing, "pausing_score_percentage", "of 100"),
        _share("silence between words", pausing, "pause_ratio_without_initial_sil"),
        _fact("signal to noise", first, "snr", "dB"),
        *(_fact(name, first, field) for field, name in _OUTSIDE.items()),
    ]
    given = {"eps_score": first.get("nativeness_score"), **first}
    return Finding(
        tuple(_scores(given, {"overall_cefr": first.get("cefr_score")}, {"overall_cefr": first.get("cefr_range")})),
        tuple(utterance for utterance in utterances if utterance.words),
        _counted(utterances),
        tuple(fact for fact in facts if fact is not None),
        (*_notes(result), *_notes(first)),
        sentence=_text(first, "sentence"),
        transcript=_text(result, "transcript"),
        total_s=_number(result, "total_time"),
    )


def _scores(scores: Fields, cefr: Fields, ranges: Fields) -> Iterator[Score]:
    """Those that are told, be it as null: then there is not enough to tell."""
    for field, name in _SCORES.items():
        if f"{field}_score" in scores:
            decision, level = _text(scores, f"{field}_decision"), f"{name}_cefr"
            between = [text[:2] for text in _texts(ranges, level)]
            value = _percent(scores, f"{field}_score")
            yield Score(name, value, decision, _text(cefr, level)[:2], (between[0], between[1]) if len(between) == 2 else None)


def _utterance(told: Fields, result: Fields, confusions: tuple[Confusion, ...]) -> Utterance:
    sentence = _text(told, "sentence")
    words = _objects(result, "words")
    placed = _are_places(words, sentence)
    return Utterance(tuple(_word(word, placed, confusions) for word in words), _percent(result, "nativeness_score"))


def _with_omitted(utterance: Utterance, told: Fields) -> Utterance:
    """The utterance with the words that were left out of the sentence, where they belong, if the server names them."""
    wanted, omitted = _text(told, "sentence").split(), {_plain(text) for text in _texts(told, "omitted_words")}
    matcher = SequenceMatcher(None, [_plain(text) for text in wanted], [_plain(word.text) for word in utterance.words], autojunk=False)
    words: list[Word] = []
    for _, first, last, begin, end in matcher.get_opcodes():
        words += utterance.words[begin:end]
        if first != last and begin == end:
            words += [Word(text, None, "poor", skipped=True) for text in wanted[first:last] if _plain(text) in omitted]
    return replace(utterance, words=tuple(words))


def _bare(text: str) -> str:
    """A word without the punctuation around it."""
    return text.strip(" .,;:!?…\"'()")


def _plain(text: str) -> str:
    """A word without its case and punctuation."""
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _are_places(words: list[Fields], sentence: str) -> bool:
    """Whether the indices of these words count characters of the sentence, not frames."""
    indices = [(_number(word, "start_index"), _number(word, "end_index"), _text(word, "text")) for word in words]
    return bool(sentence) and all(
        start is not None and end is not None and sentence[int(start) : int(end) + 1].strip().lower().startswith(text.lower())
        for start, end, text in indices
    )


def _word(told: Fields, placed: bool, confusions: tuple[Confusion, ...]) -> Word:
    text, score = _text(told, "text") or _text(told, "word"), _percent(told, "nativeness_score")
    sounds = tuple(_sound(phoneme, text, confusions) for phoneme in _objects(told, "phonemes"))
    span_s = _span(told, placed)
    skipped = told.get("decoded") is False or (not sounds and span_s is None and score is None)
    return Word(text, score, band_of(_text(told, "decision"), score), sounds, span_s, skipped)


def _sound(told: Fields, word: str, confusions: tuple[Confusion, ...]) -> Sound:
    score = _percent(told, "nativeness_score")
    expected = ipa(_text(told, "trans_arpabet")) or _text(told, "trans") or _text(told, "text")
    band = band_of(_text(told, "decision"), score)
    said = ipa(_text(told, "phoneme_error_arpabet")) or _text(told, "phoneme_error") or None
    if said is None and band == "poor":  # it may stand with the top errors
        named = (confusion.said for confusion in confusions if confusion.ipa == expected and _bare(word) in confusion.examples)
        said = next(named, None)
    hints = (_text(hint, "text") for hint in _objects(told, "feedback"))
    return Sound(expected, score, band, said, next((hint for hint in hints if hint), ""))


def _confusions(speaker: Fields) -> Iterator[Confusion]:
    """What the server tells of wrong sounds."""
    for told in _objects(_object(_object(speaker, "feedbacks"), "pronunciation"), "top_errors"):
        expected = _text(told, "phoneme")
        for error in _objects(told, "errors"):
            examples = [text for example in _objects(error, "examples") if (text := _bare(_text(example, "text")))]
            said, count = _text(error, "error_phoneme"), int(_number(error, "count") or len(examples))
            yield Confusion(ipa(expected) or expected, ipa(said) or said, count, tuple(dict.fromkeys(examples)))


def _counted(utterances: tuple[Utterance, ...]) -> tuple[Confusion, ...]:
    """The same, counted here where a server tells it with each sound only."""
    found: dict[tuple[str, str], list[str]] = {}
    for utterance in utterances:
        for word in utterance.words:
            for sound in word.sounds:
                if sound.said is not None:
                    found.setdefault((sound.ipa, sound.said), []).append(_bare(word.text))
    ordered = sorted(found.items(), key=lambda item: -len(item[1]))
    return tuple(Confusion(expected, said, len(words), tuple(dict.fromkeys(words))) for (expected, said), words in ordered)


def _notes(told: Fields) -> Iterator[str]:
    for name in ("partial_error", "recording_quality", "assessment_quality", "attempt_type"):
        value = _text(told, name)
        if value and value not in ("ok", "RELEVANT"):
            yield _NOTES.get((name, value), f"The server says of the {name.replace('_', ' ')}: {value}.")


def _fact(name: str, told: Fields, field: str, unit: str = "") -> tuple[str, str] | None:
    value = _number(told, field)
    digits = 4 if value is not None and abs(value) >= 100 else 3
    return None if value is None else (name, f"{value:.{digits}g} {unit}".rstrip())


def _share(name: str, told: Fields, field: str) -> tuple[str, str] | None:
    value = _number(told, field)
    return None if value is None else (name, f"{100 * value:.0f} %")


def _listed(name: str, told: Fields, field: str) -> tuple[str, str] | None:
    texts = _texts(told, field)
    return (name, ", ".join(texts)) if texts else None


def _span(told: Fields, placed: bool) -> tuple[float, float] | None:
    """Seconds since the start of the recording, from times or else from frames."""
    start_s, end_s = _number(told, "start_time"), _number(told, "end_time")
    if not placed and (start_s is None or end_s is None):
        start, end = _number(told, "start_index"), _number(told, "end_index")
        if start is not None and end is not None:
            start_s, end_s = start * _FRAME_S, end * _FRAME_S
    return (start_s, end_s) if start_s is not None and end_s is not None and 0 <= start_s < end_s else None


def _pauses(fluency: Fields) -> tuple[tuple[float, float], ...] | None:
    """None where the server does not tell them."""
    told = fluency.get("pauses")
    if not isinstance(told, list):
        return None
    spans = (_span(dict(zip(("start_time", "end_time"), pause, strict=False)), True) for pause in told if isinstance(pause, list))
    return tuple(span_s for span_s in spans if span_s is not None)


def _percent(told: Fields, name: str) -> float | None:
    value = _number(told, name)
    return None if value is None else min(max(value, 0.0), 100.0)


def _number(told: Fields, name: str) -> float | None:
    """A finite number, also one that is written as text."""
    value = told.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _text(told: Fields, name: str) -> str:
    value = told.get(name)
    return printable(value, _LONGEST_TEXT).strip() if isinstance(value, str) else ""


def _texts(told: Fields, name: str) -> list[str]:
    value = told.get(name)
    return [printable(text).strip() for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _object(told: Fields, name: str) -> Fields:
    value = told.get(name)
    return value if isinstance(value, dict) else {}


def _objects(told: Fields, name: str) -> list[Fields]:
    value = told.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
