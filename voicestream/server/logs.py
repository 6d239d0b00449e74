"""The log: one static sentence per event plus fields, on standard error, as JSON lines or for a terminal.

Never in a message or a field: audio, names, transcripts, templates, tokens or a peer's own text.
Context bound with `structlog.contextvars` follows trio tasks, nurseries and `to_thread`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import Literal, TextIO

# structlog imports rich (0.15 s of the start) for tracebacks that are not printed here; without it, it does without.
_rich = sys.modules.get("rich")
sys.modules["rich"] = None  # type: ignore[assignment]
import structlog  # noqa: E402

if _rich is None:
    del sys.modules["rich"]
else:
    sys.modules["rich"] = _rich

from structlog.typing import EventDict, Processor, WrappedLogger  # noqa: E402

from voicestream.server.setting_source import Problem  # noqa: E402

_LONGEST_FIELD = 300  # a field is a number or a fixed word; anything longer slipped through
_MAY_BE_LONG = ("event", "exception", "stack")


def configure(form: Literal["auto", "json", "console"], level: str, stream: TextIO | None = None) -> None:
    """Set up structlog for the process: `form` auto is console on a terminal and JSON lines elsewhere."""
    stream = sys.stderr if stream is None else stream
    console = form == "console" or (form == "auto" and stream.isatty())
    ending: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)]
        if console
        else [structlog.processors.format_exc_info, _bounded, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *ending,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Forward()], force=True)


class _Forward(logging.Handler):
    """What libraries (hypercorn, quart) say through the standard module becomes an event like any other.

    The unformatted text is told, not its arguments: those may be a peer's.
    """

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno, "a library logged", library=record.name, text=str(record.msg), exc_info=record.exc_info or None
        )


def _bounded(_logger: WrappedLogger, _method: str, fields: EventDict) -> EventDict:
    for name, value in fields.items():
        if isinstance(value, str) and len(value) > _LONGEST_FIELD and name not in _MAY_BE_LONG:
            fields[name] = f"{value[:_LONGEST_FIELD]}…"
    return fields


def warn(problems: Iterable[Problem]) -> None:
    """Log what the settings' sources left to say: each problem one warning with its number."""
    log = structlog.get_logger()
    for problem in problems:
        log.warning(problem.fault.sentence, code=problem.fault.code, detail=problem.detail)
