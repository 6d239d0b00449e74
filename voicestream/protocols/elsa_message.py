"""What ELSA's clients say in text, read and checked (elsa.md sections 2 and 3). Unknown fields are ignored."""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, get_args

import msgspec

from voicestream.errors import ASSESSMENT_CONFIG, ASSESSMENT_PLAN, ASSESSMENT_SENTENCE, PeerError
from voicestream.sessions.assessment_result import Plan
from voicestream.sessions.vocabulary import Assessing

END: Final = "ELSA:end_stream"
START: Final = "ELSA:start_stream"

PLANS: Final[tuple[Plan, ...]] = get_args(Plan)
_LONGEST_SENTENCE: Final = 1000  # characters
_MOST_SENTENCES: Final = 8
_SILENCES_S: Final = (1.0, 30.0)
_FLAGS: Final = {True: True, False: False, "true": True, "false": False, "True": True, "False": False}


def new_stream_id() -> str:
    """The name of a stream: 128 random bits."""
    return f"s-{secrets.token_hex(16)}"


@dataclass(frozen=True, slots=True)
class Config:
    """How a stream of free speech is to be heard and answered."""

    service: Assessing
    return_json: bool
    verbose: bool


def read_object(text: str) -> dict[str, Any]:
    """The JSON object of a message. PeerError VS2120."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise PeerError(ASSESSMENT_CONFIG) from error


def read_config(fields: dict[str, Any], plans: tuple[Plan, ...]) -> Config:
    """The configuration of a free stream. PeerError VS2120, or VS2121 for a plan that is not among `plans`."""
    plan = read_plan(fields.get("api_plan"), plans)
    service = Assessing(
        plan,
        auto_endpoint=_flag(fields.get("auto_endpoint", True)),
        endpoint_silence_s=_silence_s(fields.get("endpoint_silence")),
        force_grammar_vocab=_flag(fields.get("force_grammar_vocab", False)),
    )
    return Config(service, _flag(fields.get("return_json", False)), _flag(fields.get("verbose", False)))


def read_plan(plan: object, plans: tuple[Plan, ...]) -> Plan:
    """The plan of that name. PeerError VS2120, VS2121."""
    known = next((one for one in PLANS if one == plan), None)
    if known is None:
        raise PeerError(ASSESSMENT_CONFIG)
    if known not in plans:
        raise PeerError(ASSESSMENT_PLAN)
    return known


def read_start(fields: dict[str, Any], plans: tuple[Plan, ...]) -> Assessing:
    """The `ELSA:start_stream` of a scripted stream. PeerError VS2120, VS2121, VS2127."""
    data = fields.get("data")
    info = data.get("stream_info") if isinstance(data, dict) else None
    if not isinstance(info, dict):
        raise PeerError(ASSESSMENT_CONFIG)
    return Assessing(
        read_plan(info.get("api_plan"), plans),
        read_sentences(info.get("sentence")),
        auto_endpoint=_flag(info.get("auto_endpoint", True)),
        endpoint_silence_s=_silence_s(info.get("endpoint_silence")),
        hints=_flag(info.get("return_feedback_hints", False)),
    )


def read_sentences(sentence: object) -> tuple[str, ...]:
    """What is to be said: one sentence, or a list of which one is said, also as the text of a JSON list. PeerError VS2127."""
    if isinstance(sentence, str) and sentence.lstrip().startswith("["):
        with suppress(msgspec.MsgspecError, UnicodeError, RecursionError):  # a sentence may begin with a bracket
            sentence = msgspec.json.decode(sentence)
    sentences = sentence if isinstance(sentence, list) else [sentence]
    if not 1 <= len(sentences) <= _MOST_SENTENCES:
        raise PeerError(ASSESSMENT_SENTENCE)
    return tuple(_sentence(one) for one in sentences)


def _sentence(sentence: object) -> str:
    if not isinstance(sentence, str) or len(sentence) > _LONGEST_SENTENCE or not any(character.isalnum() for character in sentence):
        raise PeerError(ASSESSMENT_SENTENCE)
    return sentence.strip()


def read_flag(value: object) -> bool | None:
    """true or false, also as text; None for all else."""
    return _FLAGS.get(value) if isinstance(value, bool | str) else None


def _flag(value: object) -> bool:
    flag = read_flag(value)
    if flag is None:
        raise PeerError(ASSESSMENT_CONFIG)
    return flag


def _silence_s(value: object) -> float | None:
    if value is None:
        return None
    least_s, most_s = _SILENCES_S
    if isinstance(value, bool) or not isinstance(value, int | float) or not least_s <= value <= most_s:
        raise PeerError(ASSESSMENT_CONFIG)
    return float(value)
