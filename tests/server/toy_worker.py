"""A worker whose every misdeed can be asked for."""

import ctypes
import os
import signal
import time
from pathlib import Path

from voicestream.errors import LITTLE_SPEECH, PeerError
from voicestream.server.worker import Handle


def make(argument: bytes) -> Handle:
    def handle(request: bytes) -> bytes:
        word, _, rest = request.partition(b" ")
        match word:
            case b"crash":
                ctypes.string_at(0)
            case b"kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case b"hang":
                while True:
                    time.sleep(1)
            case b"stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case b"refuse":
                raise PeerError(LITTLE_SPEECH, "0.4 s")
            case b"defect":
                raise ValueError("a secret")
            case b"print":
                os.write(1, b"noise between the answers")
            case b"pid":
                return str(os.getpid()).encode()
            case b"environment":
                return " ".join(os.environ).encode()
            case b"grow":
                return bytes(len(bytearray(3 << 30)) & 1)
            case b"lie":
                return bytes(40 * 1024 * 1024)
        return argument + rest

    return handle


def broken(argument: bytes) -> Handle:
    raise PeerError(LITTLE_SPEECH, "at the start")


def dying(argument: bytes) -> Handle:
    os._exit(3)


def unlucky(argument: bytes) -> Handle:
    """Of the processes that share a folder, the first cannot be started, the others when `go` lies there."""
    folder = Path(argument.decode())
    try:
        (folder / "first").touch(exist_ok=False)
    except FileExistsError:
        while not (folder / "go").exists():
            time.sleep(0.01)
        return make(b"<")
    raise PeerError(LITTLE_SPEECH, "at the start")
