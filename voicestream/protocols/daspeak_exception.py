"""Refusals of das-Peak's back end: the exceptions that its clients raise, and the sentences that they parse.

    PeerError ──► refusal: status, {"exception": name, "error": sentence, "code": our number}

Sources: daspeak.md section 5; PyPI vericlient 0.5.0, which reads sentences by their words and by places counted from
either end; the server's answers in the tests of github.com/clarriu97/vericlient, whose sentences these are.
"""

import re
from typing import Final

from voicestream import errors
from voicestream.errors import Fault, PeerError
from voicestream.protocols.http_refusal import HttpRefusal, key_refusal

LONGEST_WORD: Final = 64
_WORD: Final = re.compile(r"[0-9A-Za-z._-]{1,64}")  # of the client's that may stand in our sentence


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
    errors.CALL_ATTEMPTS: (429, SERVER_ERROR, "Too many comparisons with this voice were rejected"),
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
_RETRY_S: Final = 2


class Refused(PeerError):
    """A refusal whose sentence holds what the client reads out of it; `told` is for the client alone and in no log."""

    def __init__(self, fault: Fault, told: str) -> None:
        super().__init__(fault)
        self.told = told


def refusal(error: PeerError) -> HttpRefusal:
    """The exception that its client raises; our own number beside it. A fault that is not the client's: ServerError, 500."""
    if (of_key := key_refusal(error.fault)) is not None:
        return of_key
    if error.fault in _CREDENTIAL_FAULTS:
        status, exception, told = 400, INVALID_CREDENTIAL, _CREDENTIAL_FAULTS[error.fault]
    else:
        status, exception, told = _EXCEPTIONS.get(error.fault, (500, SERVER_ERROR, "An internal server error occurred"))
    if isinstance(error, Refused):
        told = error.told
    headers = {"Retry-After": error.detail if status == 429 else str(_RETRY_S)} if status in (429, 503) else {}
    return HttpRefusal(status, {"exception": exception, "error": told, "code": error.fault.code}, headers)


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
