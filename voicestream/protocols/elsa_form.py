"""The forms of ELSA's HTTP twins, read and checked; what is wrong is told field by field, in fixed words (elsa.md section 4)."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from voicestream.errors import ASSESSMENT_FIELD, ASSESSMENT_PLAN, Fault, PeerError
from voicestream.protocols.elsa_message import PLANS, read_flag, read_plan, read_sentences
from voicestream.sessions.assessment_result import LONGEST_S, Plan
from voicestream.sessions.vocabulary import Assessing

Kind: TypeAlias = Literal["free", "scripted", "transcript"]

_FILES: Final = ("audio_file", "audio")
_TEXT_BYTES: Final = 64 * 1024  # of any field but the audio
_PLAN: Final = "api_plan: must be standard or premium"
_RETURN_JSON: Final = "return_json: must be true or false"
_SENTENCE: Final = "sentence: must be 1 to 1000 characters, or a JSON list of up to 8 of them"
_GRAMMAR: Final = "force_grammar_vocab: must be true or false"
_HINTS: Final = "return_feedback_hints: must be true or false"
_PATH: Final = "audio_path is disabled"
_AUDIO: Final = "audio_file: is missing; it may also come as audio, or in base64 as audio_data"
_BASE64: Final = "audio_data: must be base64"
_LONG: Final = "a field is too long"


class FormError(PeerError):
    """What is wrong, a sentence for each field."""

    def __init__(self, fault: Fault, fields: Sequence[str]) -> None:
        super().__init__(fault)
        self.fields = tuple(fields)


@dataclass(frozen=True, slots=True)
class Request:
    """A form that can be answered; `audio` is what its field holds."""

    service: Assessing
    return_json: bool
    audio: bytearray
    is_base64: bool

    def recording(self) -> bytes:
        """The bytes of the recording; takes a while. `FormError` VS2128."""
        if not self.is_base64:
            return bytes(self.audio)
        data = bytes(self.audio).strip()
        if data.startswith(b"data:"):  # as browsers make it
            data = data.partition(b",")[2]
        try:
            return base64.b64decode(b"".join(data.split()), validate=True)
        except binascii.Error as error:
            raise FormError(ASSESSMENT_FIELD, [_BASE64]) from error


def read_form(parts: Sequence[tuple[str, bytearray]], kind: Kind, plans: tuple[Plan, ...] = PLANS) -> Request:
    """The form with these names and values. `FormError` VS2128, VS2121."""
    form = _Form(parts)
    plan = form.plan(kind, plans)
    return_json = form.flag("return_json", _RETURN_JSON, default=None if kind == "free" else True)
    forced = form.flag("force_grammar_vocab", _GRAMMAR, default=False)
    hints = form.flag("return_feedback_hints", _HINTS, default=False)
    sentences = form.sentences() if kind == "scripted" else ()
    audio, is_base64 = form.audio()
    if form.wrong:
        raise FormError(ASSESSMENT_FIELD, form.wrong)
    if plan is None:
        raise FormError(ASSESSMENT_PLAN, ["api_plan: is not offered"])
    service = Assessing(plan, sentences, auto_endpoint=False, force_grammar_vocab=forced, hints=hints)
    return Request(service, return_json, audio, is_base64)


class _Form:
    """Fields are looked at one by one; `wrong` gathers what they should have been."""

    def __init__(self, parts: Sequence[tuple[str, bytearray]]) -> None:
        self._fields = dict(reversed(parts))  # the first of a name counts
        self.wrong: list[str] = []

    def plan(self, kind: Kind, plans: tuple[Plan, ...]) -> Plan | None:
        """None: a known one that is not offered."""
        text = self._text("api_plan")
        if kind == "transcript" and text == "asr":
            text = max(plans, key=LONGEST_S.__getitem__)
        elif kind == "scripted" and text is None:
            text = plans[0]
        try:
            return read_plan(text, plans)
        except PeerError as error:
            if error.fault is not ASSESSMENT_PLAN:
                self.wrong.append(_PLAN)
            return None

    def flag(self, name: str, sentence: str, default: bool | None) -> bool:
        """default None: it must be there."""
        text = self._text(name)
        flag = default if text is None else read_flag(text)
        if flag is None:
            self.wrong.append(sentence)
        return bool(flag)

    def sentences(self) -> tuple[str, ...]:
        try:
            return read_sentences(self._text("sentence"))
        except PeerError:
            self.wrong.append(_SENTENCE)
            return ()

    def audio(self) -> tuple[bytearray, bool]:
        for name in _FILES:
            if self._fields.get(name):
                return self._fields[name], False
        if self._fields.get("audio_data"):
            return self._fields["audio_data"], True
        self.wrong.append(_PATH if "audio_path" in self._fields else _AUDIO)
        return bytearray(), False

    def _text(self, name: str) -> str | None:
        value = self._fields.get(name)
        if value is None:
            return None
        if len(value) > _TEXT_BYTES:
            self.wrong.append(_LONG)
            return None
        return value.decode("utf-8", "replace").strip()
