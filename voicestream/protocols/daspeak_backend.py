"""das-Peak's back end REST as its clients spell it: the fields of their forms, our answers, and the exceptions they parse.

    parts of a form ──► Form: audio, credential, candidates, channel, calibration, hash ──► the work
             └─────────── PeerError ───────────┴──► refusal: status, {"exception", "error"} ◄──┘ PeerError

No state, no I/O. Sources: daspeak.md section 5; PyPI vericlient 0.5.0, which reads the sentences of errors by their
words and positions; the server's answers in the tests of github.com/clarriu97/vericlient, whose sentences these are.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from voicestream import __version__, errors
from voicestream.errors import Fault, PeerError

Json: TypeAlias = dict[str, object]

DEFAULT_CALIBRATION: Final = "telephone-channel"
MODE: Final = "text-independent"  # what our models are
MAX_CHANNELS: Final = 2
RATES_HZ: Final = (8000, 16000)
MAX_AUDIO_S: Final = 30.0  # and not even that: recordings are shorter
_CREDENTIAL_CHARACTERS: Final = 64 * 1024
_WORD: Final = re.compile(r"[0-9A-Za-z._-]{1,64}")  # of the client's that may stand in our sentence
_HASH: Final = re.compile(r"[0-9A-Fa-f]{64}")
_ROUNDED: Final = 4  # digits of a probability: a finer one only helps who feels his way to a forged voice


class Refused(PeerError):
    """A refusal whose sentence holds what the client reads out of it; `told` is for the client alone and in no log."""

    def __init__(self, fault: Fault, told: str) -> None:
        super().__init__(fault)
        self.told = told


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

    def text(self, name: str, longest: int = 256) -> str:
        """Text of at most so many characters."""
        value = self._field(name)
        if len(value) > longest:
            raise PeerError(errors.FIELD_WRONG, name)
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise PeerError(errors.FIELD_WRONG, name) from None

    def credential(self, name: str) -> str:
        return self.text(name, _CREDENTIAL_CHARACTERS)

    def candidates(self, most: int) -> list[Candidate]:
        """The JSON list of `credential_list`, of 1 to `most` candidates. PeerError VS1958, VS1959."""
        try:
            found = msgspec.json.decode(self._field("credential_list"), type=list[Candidate])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise PeerError(errors.CANDIDATES_WRONG) from None
        if not found:
            raise PeerError(errors.CANDIDATES_WRONG)
        if len(found) > most:
            raise Refused(errors.CANDIDATES_MANY, f"The credential list is longer than {most}")
        return found

    def channel(self, name: str = "channel") -> int:
        """1 or 2; 1 when absent. PeerError VS1955."""
        if not self._fields.get(name):
            return 1
        text = self.text(name)
        if text not in ("1", "2"):
            raise PeerError(errors.CHANNEL_WRONG)
        return int(text)

    def calibration(self) -> str:
        """A name; the telephone's when absent. PeerError VS1956 for what is no name."""
        if not self._fields.get("calibration"):
            return DEFAULT_CALIBRATION
        try:
            name = self.text("calibration")
        except PeerError:
            name = ""
        if not _WORD.fullmatch(name):
            raise calibration_unknown(name)
        return name

    def model_hash(self) -> bytes:
        return read_hash(self.text("hash", _CREDENTIAL_CHARACTERS))

    def _field(self, name: str) -> bytes | bytearray:
        if name not in self._fields:
            raise Refused(errors.FIELD_MISSING, f"The form has no field {name}")
        return self._fields[name]


def read_hash(text: str) -> bytes:
    """The 32 bytes of a model's hash in hex. PeerError VS1957."""
    if not _HASH.fullmatch(text):
        raise model_unknown(text)
    return bytes.fromhex(text)


# ---- refusals

INVALID_CREDENTIAL: Final = "InvalidCredential"
SERVER_ERROR: Final = "ServerError"
_AUDIO_INPUT: Final = "AudioInputException"
_QUALITY: Final = "InsufficientQuality"
_UNREADABLE: Final = "The wav cannot be read"
_POOR: Final = "The audio quality is not good enough"

# Fault -> status, exception, sentence. The client looks for words of a sentence, some by their place from its end.
_EXCEPTIONS: Final[dict[Fault, tuple[int, str, str]]] = {
    errors.NO_WAV: (415, "UnsupportedMediaType", "415 Unsupported Media Type: The audio is not a wav"),
    errors.CONTENT_TYPE: (415, "UnsupportedMediaType", "415 Unsupported Media Type: The request is not a form"),
    errors.UNREADABLE_AUDIO: (400, _AUDIO_INPUT, _UNREADABLE),
    errors.WAV_CHANNELS: (400, _AUDIO_INPUT, "The wav has more channels than are accepted by the system"),
    errors.WAV_CODEC: (
        400, _AUDIO_INPUT, "Provided audio data uses an unsupported codec. Supported codecs are: 'PCM_16', 'ULAW', 'ALAW'",
    ),
    errors.WAV_RATE: (400, _AUDIO_INPUT, "The sample rate is not supported, must be 8 Khz or 16 Khz"),
    errors.WAV_LONG: (400, _AUDIO_INPUT, "The wav duration is longer than 30 seconds"),
    errors.WAV_SPEECH: (400, "VoiceDurationIsNotEnoughException", "Net speech found was 0.00s of 3.00s"),
    errors.CHANNEL_WRONG: (400, "InvalidChannelException", "Invalid specified channel/s"),
    errors.MUCH_NOISE: (400, "SignalNoiseRatioException", "Noise level exceeded"),
    **dict.fromkeys((errors.NO_VOICE, errors.SPEECH_QUIET, errors.SPEECH_CLIPPED), (400, _QUALITY, _POOR)),
    errors.CALIBRATION_UNKNOWN: (400, "CalibrationNotAvailable", "The calibration asked-for is not available"),
    errors.MODEL_HASH_UNKNOWN: (404, "ModelNotAvailable", "No biometrics model has hash asked-for"),
    errors.CANDIDATES_WRONG: (400, INVALID_CREDENTIAL, "The credential list is not a list of ids and credentials"),
    errors.CANDIDATES_MANY: (413, SERVER_ERROR, "The credential list is too long"),
    errors.FIELD_MISSING: (400, SERVER_ERROR, "The form lacks a field"),
    errors.FIELD_TWICE: (400, SERVER_ERROR, "The form has a field twice"),
    errors.FIELD_WRONG: (400, SERVER_ERROR, "A field of the form cannot be read"),
    errors.BAD_FORM: (400, SERVER_ERROR, "The form cannot be read"),
    errors.BODY_LARGE: (413, SERVER_ERROR, "The request is too large"),
    errors.BODY_SLOW: (408, SERVER_ERROR, "The request did not come in time"),
    errors.OVERLOADED: (503, SERVER_ERROR, "The service is busy"),
}  # fmt: skip
_CREDENTIAL_FAULTS: Final = {
    errors.TEMPLATE_KEY: "Decryption error",
    errors.TEMPLATE_MODEL: "The credential is of another model",
    **dict.fromkeys(
        (
            errors.TEMPLATE_SHORT, errors.TEMPLATE_LONG, errors.TEMPLATE_MAGIC, errors.TEMPLATE_VERSION, errors.TEMPLATE_CHECKSUM,
            errors.TEMPLATE_DIMENSION, errors.TEMPLATE_VALUES, errors.TEMPLATE_NOT_SEALED, errors.TEMPLATE_TEXT_LONG,
            errors.TEMPLATE_NOT_BASE64, errors.TEMPLATE_OF_VENDOR,
        ),
        "The credential is not one of this service",
    ),
}  # fmt: skip
_UNAUTHORISED: Final = {  # told as the vendor's gateway tells it
    errors.NO_API_KEY: "no Authorization header found",
    errors.API_KEY_REFUSED: "Invalid authentication credentials",
}
_RETRY_S: Final = 2


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a refused client is told."""

    status: int
    body: Json
    headers: dict[str, str]


def refusal(error: PeerError) -> Refusal:
    """The exception that its client raises; our own number beside it. A fault that is not the client's: ServerError, 500."""
    if error.fault in _UNAUTHORISED:
        return Refusal(401, {"message": _UNAUTHORISED[error.fault]}, {})
    if error.fault in _CREDENTIAL_FAULTS:
        status, exception, told = 400, INVALID_CREDENTIAL, _CREDENTIAL_FAULTS[error.fault]
    else:
        status, exception, told = _EXCEPTIONS.get(error.fault, (500, SERVER_ERROR, "An internal server error occurred"))
    if isinstance(error, Refused):
        told = error.told
    headers = {"Retry-After": str(_RETRY_S)} if status == 503 else {}
    return Refusal(status, {"exception": exception, "error": told, "code": error.fault.code}, headers)


def little_speech(found_s: float, needed_s: float) -> Refused:
    """The client reads the seconds found in the third word from the end."""
    return Refused(errors.WAV_SPEECH, f"Net speech found was {found_s:.2f}s of {needed_s:.2f}s")


def calibration_unknown(name: str) -> PeerError:
    """The client reads the name in the third word; one that is no word is not repeated."""
    if not _WORD.fullmatch(name):
        return PeerError(errors.CALIBRATION_UNKNOWN)
    return Refused(errors.CALIBRATION_UNKNOWN, f"The calibration {name} is not available")


def model_unknown(text: str) -> PeerError:
    """The client reads the hash in the last word; one that is no word is not repeated."""
    if not _WORD.fullmatch(text):
        return PeerError(errors.MODEL_HASH_UNKNOWN)
    return Refused(errors.MODEL_HASH_UNKNOWN, f"No biometrics model has hash {text}")


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


def credentials_compared(probability: float, model_hash: bytes, calibration: str) -> Json:
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
