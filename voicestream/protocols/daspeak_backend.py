"""das-Peak's back end REST as its clients spell it: the fields of their forms, and our answers.

    parts of a form ──► Form: audio, credential, candidates, channel, calibration, hash ──► the work ──► an answer
             └─────────── PeerError ───────────┴──► daspeak_exception.refusal ◄── PeerError ──┘

No state, no I/O. Sources: daspeak.md section 5; PyPI vericlient 0.5.0.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from voicestream import __version__, errors
from voicestream.errors import PeerError
from voicestream.protocols.daspeak_exception import LONGEST_WORD, Refused, model_unknown

Json: TypeAlias = dict[str, object]

DEFAULT_CALIBRATION: Final = "telephone-channel"
MODE: Final = "text-independent"  # what our models are
MAX_CHANNELS: Final = 2
RATES_HZ: Final = (8000, 16000)
MAX_AUDIO_S: Final = 30.0  # and not even that: recordings are shorter
CANDIDATE_BYTES: Final = 4 * 1024  # of a form for each candidate in it: a credential has 1 to 2 KB, more where it is URL-encoded
_HASH: Final = re.compile(r"[0-9A-Fa-f]{64}")
_ROUNDED: Final = 4  # digits of a probability: a finer one only helps who feels his way to a forged voice


class Candidate(msgspec.Struct, frozen=True):
    """One of those who may have spoken; `id` is the client's own name of them."""

    id: str
    credential: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recording was found to be: probability 0..1 that its voice is a living one, and seconds."""

    authenticity: float
    audio_s: float
    speech_s: float


class Form:
    """The fields of one request, each once. PeerError VS1952 for one that is missing, VS1953, VS1954, and those named below."""

    def __init__(self, parts: Iterable[tuple[str, bytes | bytearray]]) -> None:
        self._fields: dict[str, bytes | bytearray] = {}
        for name, value in parts:
            if name in self._fields:
                raise PeerError(errors.FIELD_TWICE)
            self._fields[name] = value

    def audio(self, name: str) -> bytes | bytearray:
        """The bytes of a recording, with a file name or without."""
        return self._field(name)

    def credential(self, name: str) -> str:
        """The text of a credential, which nobody has looked at yet. PeerError VS1954 for no text."""
        try:
            return self._field(name).decode()
        except UnicodeDecodeError:
            raise PeerError(errors.FIELD_WRONG, name) from None

    def candidates(self, most: int) -> list[Candidate]:
        """The JSON list of `credential_list`, of 1 to `most` candidates. PeerError VS1958, VS1959."""
        text = self._field("credential_list")
        if len(text) > most * CANDIDATE_BYTES:
            raise _many(most)
        try:
            found = msgspec.json.decode(text, type=list[Candidate])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise PeerError(errors.CANDIDATES_WRONG) from None
        if not found:
            raise PeerError(errors.CANDIDATES_WRONG)
        if len(found) > most:
            raise _many(most)
        return found

    def channel(self, name: str = "channel") -> int:
        """1 or 2; 1 when absent. PeerError VS1955."""
        number = self._fields.get(name) or b"1"
        if number not in (b"1", b"2"):
            raise PeerError(errors.CHANNEL_WRONG)
        return int(number)

    def calibration(self) -> str:
        """A name, the telephone's when absent; the server looks whether it has one of that name."""
        return _start(self._fields.get("calibration") or b"") or DEFAULT_CALIBRATION

    def model_hash(self) -> bytes:
        return read_hash(_start(self._field("hash")))

    def _field(self, name: str) -> bytes | bytearray:
        if name not in self._fields:
            raise Refused(errors.FIELD_MISSING, f"The form has no field {name}")
        return self._fields[name]


def _start(value: bytes | bytearray) -> str:
    """As much of a text as a name could be, and a character more by which it is none."""
    return value[: LONGEST_WORD + 1].decode("utf-8", "replace")


def _many(most: int) -> Refused:
    return Refused(errors.CANDIDATES_MANY, f"The credential list is longer than {most}")


def read_hash(text: str) -> bytes:
    """The 32 bytes of a model's hash in hex. PeerError VS1957."""
    if not _HASH.fullmatch(text):
        raise model_unknown(text)
    return bytes.fromhex(text)


# ---- answers: after the version, keys in the order of daspeak.md


def models(hashes: Sequence[bytes]) -> Json:
    return _answer(models=[one.hex() for one in hashes])


def metadata(model_hash: bytes, description: str) -> Json:
    return _answer(metadata={"hash": model_hash.hex(), "description": description})


def calibrations(names: Sequence[str]) -> Json:
    return _answer(calibrations=list(names))


def enrolled(model_hash: bytes, credential: str, heard: Heard) -> Json:
    return _answer(model=_model(model_hash), credential=credential) | _heard(heard, "")


def compared(probability: float, model_hash: bytes, calibration: str, to_evaluate: Heard, reference: Heard | None = None) -> Json:
    """The similarity of a recording; `reference` where that is a recording too."""
    answer = _answer(score=_rounded(probability), model=_model(model_hash), calibration=calibration)
    if reference is not None:
        answer |= _heard(reference, "_reference")
    return answer | _heard(to_evaluate, "_to_evaluate")


def compared_credentials(probability: float, model_hash: bytes, calibration: str) -> Json:
    return _answer(score=_rounded(probability), model=_model(model_hash), calibration=calibration)


def identified(
    ranking: Sequence[tuple[str, float]], best: int, model_hash: bytes, calibration: str, to_evaluate: Heard | None = None
) -> Json:
    """Ids and probabilities in the order they were sent; `best`: which of them it most probably is."""
    scores = [{"id": name, "score": _rounded(probability)} for name, probability in ranking]
    answer = _answer(result=scores[best], scores=scores, calibration=calibration, model=_model(model_hash))
    return answer if to_evaluate is None else answer | _heard(to_evaluate, "_to_evaluate")


def _answer(**fields: object) -> Json:
    return {"version": __version__, **fields}


def _model(model_hash: bytes) -> Json:
    return {"hash": model_hash.hex(), "mode": MODE}


def _heard(heard: Heard, side: str) -> Json:
    return {
        f"authenticity{side}": _rounded(heard.authenticity),
        f"input_audio_duration{side}": round(heard.audio_s, 3),
        f"net_speech_duration{side}": round(heard.speech_s, 3),
    }


def _rounded(probability: float) -> float:
    return round(probability, _ROUNDED)
