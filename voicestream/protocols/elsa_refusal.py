"""What ELSA's HTTP clients are told when a request is refused (elsa.md section 6)."""

from collections.abc import Sequence
from typing import Final

from voicestream import errors
from voicestream.errors import Fault

_STATUS: Final[dict[Fault, tuple[int, str]]] = {
    errors.ASSESSMENT_TOKEN: (401, "Not authorized"),
    errors.ASSESSMENT_PLAN: (403, "Plan not authorized"),
    errors.ASSESSMENT_UNKNOWN: (404, "Not found"),
    errors.BODY_SLOW: (408, "Request took too long"),
    errors.BODY_LARGE: (413, "Request too large"),
    **dict.fromkeys(
        (errors.ASSESSMENT_FORMAT, errors.UNREADABLE_AUDIO, errors.UNKNOWN_FORMAT, errors.NOT_FINITE, errors.RATE_UNSUPPORTED,
         errors.MANY_CHANNELS, errors.CONTENT_TYPE),
        (415, "Unsupported format"),
    ),
    **dict.fromkeys((errors.OVERLOADED, errors.ASSESSMENT_BUSY), (429, "Too many requests")),
    **dict.fromkeys((errors.INTERNAL, errors.WORKER_DIED, errors.WORKER_DEFECT), (500, "Internal error")),
    **dict.fromkeys(
        (errors.WORKER_MISSING, errors.TRANSCRIBER_MISSING, errors.SPEECH_MODEL_MISSING, errors.SPEECH_MODEL_FOREIGN),
        (503, "Not available now"),
    ),
    **dict.fromkeys((errors.ASSESSMENT_LATE, errors.WORKER_SLOW), (504, "Assessment took too long")),
}  # fmt: skip
_INVALID: Final = (400, "Invalid request")


def status_of(fault: Fault) -> int:
    """The HTTP status of a refusal: 400 unless the table says otherwise."""
    return _STATUS.get(fault, _INVALID)[0]


def refusal_object(fault: Fault, fields: Sequence[str] = ()) -> dict[str, object]:
    """The body: our number as `code`; `fields`: what is wrong, field by field, in fixed words."""
    return {"error": {"code": int(fault.code[2:]), "message": _STATUS.get(fault, _INVALID)[1], "errors": list(fields) or [fault.sentence]}}
