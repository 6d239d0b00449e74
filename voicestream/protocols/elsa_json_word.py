"""Words and sounds of an assessment as ELSA's clients read them, the same in free speech and in a given sentence.

`start_index` and `end_index` count characters of the text, the last one included; `start_time` and `end_time` are seconds.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from voicestream.protocols.phone_symbol import ipa
from voicestream.sessions.assessment_result import Phone, Word

Json: TypeAlias = dict[str, Any]

_CORRECT, _WARNING = 70.0, 50.0  # least scores of a word or phone
_WRITTEN: Final = re.compile(r"\S+")


def word_objects(text: str, words: Sequence[Word], omitted: Sequence[int] = (), *, hints: bool = False) -> list[Json]:
    """The words of a text in the order of the text, also those that were omitted; hints: say in words what to do about a phone."""
    written = list(_WRITTEN.finditer(text))
    starts: dict[int | None, int] = {place: match.start() for place, match in enumerate(written)}
    said = [_said(word, starts.get(word.place), hints) for word in words]
    unsaid = [_omitted(written[place][0], starts[place]) for place in omitted]
    return sorted(said + unsaid, key=lambda told: told["start_index"] or 0) if unsaid else said


def _said(word: Word, start: int | None, hints: bool) -> Json:
    return {
        **_place(start, (0, len(word.text))),
        "start_time": seconds(word.start_s),
        "end_time": seconds(word.end_s),
        "text": word.text,
        "trans_arpabet": " ".join(phone.symbol for phone in word.phones),
        "ipa": ipa_of(word),
        "decoded": True,
        "nativeness_score": percent(word.score),
        "decision": decision(word.score),
        "phonemes": [_phoneme(phone, word.text, start, hints) for phone in word.phones],
        "word_stress": [],
    }


def _omitted(text: str, start: int) -> Json:
    """A word that was to be said, and was not: no score can be worse."""
    unsaid = dict.fromkeys(("start_time", "end_time", "trans_arpabet", "ipa"))
    told = {"text": text, "decoded": False, "nativeness_score": 0.0, "decision": "incorrect", "phonemes": [], "word_stress": []}
    return {**_place(start, (0, len(text))), **unsaid, **told}


def _phoneme(phone: Phone, written: str, start: int | None, hints: bool) -> Json:
    letters = phone.letters or (0, len(written))
    return {
        **_place(start if phone.letters else None, letters),
        "start_time": seconds(phone.start_s),
        "end_time": seconds(phone.end_s),
        "text": written[slice(*letters)],
        "trans": ipa(phone.symbol),
        "trans_arpabet": phone.symbol,
        "nativeness_score": percent(phone.score),
        "decision": phone_decision(phone),
        "phoneme_error": ipa(phone.said) if phone.said else None,
        "phoneme_error_arpabet": phone.said or None,
        "feedback": _feedback(phone) if hints else [],
    }


def _place(start: int | None, letters: tuple[int, int]) -> Json:
    """Where letters of the word that begins at `start` stand in the text."""
    if start is None:
        return {"start_index": None, "end_index": None}
    return {"start_index": start + letters[0], "end_index": start + letters[1] - 1}


def _feedback(phone: Phone) -> list[Json]:
    if phone.said is None:
        return []
    if not phone.said:
        return [{"text": f"The sound {ipa(phone.symbol)} was left out.", "language": "en"}]
    return [{"text": f"It sounded like {ipa(phone.said)}. It should be {ipa(phone.symbol)}.", "language": "en"}]


# ---- numbers and words for them


def ipa_of(word: Word) -> str:
    return "".join(ipa(phone.symbol) for phone in word.phones)


def decision(score: float | None) -> str | None:
    """Of a word, a sound or a sentence."""
    if score is None:
        return None
    return "correct" if score >= _CORRECT else "warning" if score >= _WARNING else "incorrect"


def phone_decision(phone: Phone) -> str | None:
    """A sound that was another one is wrong, whatever its score."""
    return "incorrect" if phone.said is not None else decision(phone.score)


def percent(score: float | None) -> float | None:
    return None if score is None else round(float(score), 1)


def rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 3)


def seconds(value: float) -> float:
    return round(float(value), 2)
