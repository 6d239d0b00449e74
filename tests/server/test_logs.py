"""The log: fields, not sentences; nothing of a peer's."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog

from voicestream import errors
from voicestream.server import logs
from voicestream.server.setting_source import Problem


@pytest.fixture(autouse=True)
def _process_logging_is_put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def lines() -> io.StringIO:
    stream = io.StringIO()
    logs.configure("auto", "info", stream)  # a StringIO is no terminal: JSON
    return stream


def test_an_event_is_one_json_line_with_its_context(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(session=7):
        structlog.get_logger().info("session ended", code=1000)
    event = json.loads(lines.getvalue())
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "session ended", "level": "info", "code": 1000, "session": 7}


def test_levels_below_the_chosen_one_are_dropped(lines: io.StringIO) -> None:
    structlog.get_logger().debug("detail")
    assert lines.getvalue() == ""


def test_a_traceback_is_a_field(lines: io.StringIO) -> None:
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        structlog.get_logger().exception("conversation ended by our fault")
    assert "RuntimeError: broken" in json.loads(lines.getvalue())["exception"]


def test_an_overlong_field_is_cut(lines: io.StringIO) -> None:
    structlog.get_logger().info("odd", field="x" * 10_000)
    assert len(json.loads(lines.getvalue())["field"]) == 301


def test_a_librarys_arguments_are_not_told(lines: io.StringIO) -> None:
    logging.getLogger("library").warning("bad target %s", "/secret?token=abc")
    event = json.loads(lines.getvalue())
    assert (event["library"], event["text"]) == ("library", "bad target %s")
    assert "abc" not in lines.getvalue()


def test_the_console_form_is_for_people() -> None:
    stream = io.StringIO()
    logs.configure("console", "info", stream)
    structlog.get_logger().info("listening", port=8080)
    assert "listening" in stream.getvalue()
    assert "port" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_warnings_of_the_settings_carry_their_number(lines: io.StringIO) -> None:
    logs.warn([Problem(errors.IGNORED_VARIABLE, "VOICESTREAM_PROT")])
    assert json.loads(lines.getvalue())["code"] == "VS1007"


def test_the_log_does_not_load_rich_which_the_command_line_still_can() -> None:
    code = "import sys; from voicestream.server import logs; print('rich' in sys.modules); import rich.console"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
