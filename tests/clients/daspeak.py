"""A das-Peak server with its first credentials, and the vendor's own programs beside it: taken out of ../shared, never kept."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import requests

from benchmarks.house import House, house
from tests.clients.speech import Pcm
from voicestream.dsp import g711


@dataclass(frozen=True)
class Server:
    """A running server and who may use it."""

    house: House
    client_id: str
    client_secret: str
    api_key: str

    @property
    def port(self) -> int:
        return self.house.port


@contextmanager
def daspeak_server(folder: Path, **settings: object) -> Iterator[Server]:
    """A server on a data folder of its own."""
    with house(folder / "log", data_folder=folder / "data", **settings) as running:
        told = next(entry for entry in running.log() if entry["event"] == "first credentials, shown this once")
        yield Server(running, told["client_id"], told["client_secret"], told["apikey"])


def raw(samples: Pcm, file: Path) -> Path:
    """The file with `samples` as mu-law, as `audio.raw` of the vendor's example is."""
    file.write_bytes(g711.mulaw_compress(np.ascontiguousarray(samples)))
    return file


def signalling_listing(vendor: Path, server: Server, streaming: str, **replaced: str) -> str:
    """The program of the first listing of v1.2: host, ids and the two empty `if` bodies filled in, and what the caller replaces."""
    headers = {"apikey": server.api_key}
    model_hash = requests.get(f"http://127.0.0.1:{server.port}/daspeak/v1/models", headers=headers, timeout=10).json()["models"][-1]
    text = (vendor / "daspeak-example-v1.2.txt").read_text()
    program = text[text.index("import socketio") : text.index("Let's analyze this snippet")]
    program = program.replace("https://api.eu.veri-das.com", f"http://127.0.0.1:{server.port}")
    program = program.replace("$CLIENT_ID", server.client_id).replace("$CLIENT_SECRET", server.client_secret)
    program = program.replace("        # Start sending audio\n", f"        {streaming}\n")
    program = program.replace(
        "        # Store collected_audio for later use\n", "        open('collected.wav', 'wb').write(collected_audio)\n"
    )
    program = program.replace("'audio_protocol': 'audiohook'", "'audio_protocol': 'twilio'").replace("<MODEL_HASH>", model_hash)
    for old, new in replaced.items():
        program = program.replace(old, new)
    return program


def audio_listing(vendor: Path, server: Server, call_id: str, file: Path) -> str:
    """The program of "other platforms": URL, key, call and file filled in.

    As printed it cannot run, because it gives its client the name of the module that it connects with: that is mended.
    """
    text = (vendor / "daspeak-other-platforms.txt").read_text()
    program = text[text.index("import asyncio") : text.index("Let's analyze last code.")]
    program = program.replace("wss://api.eu.veri-das.com", f"ws://127.0.0.1:{server.port}")
    program = program.replace('APIKEY = "*****"', f"APIKEY = {server.api_key!r}")
    program = re.sub(r'CALL_ID = "[^"]*"', f"CALL_ID = {call_id!r}", program)
    program = program.replace("\nclient = Client(", "\ncaller = Client(").replace("\nclient.run(", "\ncaller.run(")
    return program.replace('"audio.raw"', repr(str(file)))


def run(program: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a program in a process of its own, in `folder`."""
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, timeout=60)
