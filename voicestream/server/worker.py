"""A worker process: native code that may crash or hang runs here, and not where everybody's conversations are.

    python -m voicestream.server.worker MODULE:FUNCTION     FUNCTION(argument) -> handle(request) -> answer, bytes to bytes

    stdin   first frame: the argument; then requests
    stdout  one frame per request, and one, empty, when FUNCTION has returned

    request frame   length of the payload (4 bytes, big-endian), milliseconds it may take (4), payload
    answer frame    one byte at once, when a whole request is there and is begun; then
                    length of the payload (4), kind (1): 0 an answer, 1 a PeerError `CODE detail`, 2 a defect and where; payload

It ends when stdin does, so that no worker outlives its server; one that hangs is ended by the kernel's alarm, even where the
server is gone. Plain bytes and no pickle: what a crashed decoder leaves behind must not be able to run in the server.
"""

import os
import resource
import signal
import struct
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import BinaryIO, Final, TypeAlias

from voicestream.errors import PeerError

Handle: TypeAlias = Callable[[bytes], bytes]

REQUEST: Final = struct.Struct("!II")
ANSWER: Final = struct.Struct("!IB")
BEGUN: Final = b"\1"
ANSWERED, REFUSED, DEFECT = range(3)
LONGEST_BYTES: Final = 32 * 1024 * 1024

_NICENESS: Final = 5  # the event loop, which answers everybody, comes first
_MOST_BYTES: Final = 2 << 30  # of memory: four times what an assessment was seen to take
_FIRST_VICTIM: Final = "500"  # of the kernel when memory runs out: rather a worker than the server


def main() -> None:
    """Serve requests until stdin ends."""
    requests, answers = _pipes()
    _confine()
    module, _, function = sys.argv[1].partition(":")
    handle: Handle | None = None
    while (request := _read(requests)) is not None:
        limit_ms, payload = request
        _write(answers, BEGUN)
        signal.setitimer(signal.ITIMER_REAL, limit_ms / 1000)
        try:
            if handle is None:
                handle = getattr(import_module(module), function)(payload)
                kind, answer = ANSWERED, b""
            else:
                kind, answer = ANSWERED, handle(payload)
        except PeerError as error:
            kind, answer = REFUSED, f"{error.fault.code} {error.detail}".encode()
        except Exception as error:
            kind, answer = DEFECT, _where(error).encode()
        signal.setitimer(signal.ITIMER_REAL, 0)
        _write(answers, ANSWER.pack(len(answer), kind) + answer)


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """What was stdin and stdout, under numbers of their own: what native code prints must not get between the answers."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return requests, answers


def _confine() -> None:
    """No core dumps, which would hold speech; so much memory; signals meant for the server are not for us; the alarm ends us."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, _MOST_BYTES))
    os.nice(_NICENESS)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as adjustment:
        adjustment.write(_FIRST_VICTIM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # to the whole group: the server finishes what is under way, with us
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _read(requests: BinaryIO) -> tuple[int, bytes] | None:
    head = requests.read(REQUEST.size)
    if len(head) < REQUEST.size:
        return None
    size, limit_ms = REQUEST.unpack(head)
    payload = requests.read(size)
    return (limit_ms, payload) if len(payload) == size else None


def _write(answers: BinaryIO, data: bytes) -> None:
    with suppress(BrokenPipeError):  # nobody waits for it any more: stdin has ended, too
        answers.write(data)
        answers.flush()


def _where(error: Exception) -> str:
    """Its kind and the lines it went through; not its message, which may repeat what was said."""
    lines = (f"{os.path.basename(frame.filename)}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__))
    return " < ".join([type(error).__name__, *reversed(list(lines))])


if __name__ == "__main__":
    main()
