"""A file or the microphone through das-Peak, as a command: what all its commands share, and how a session is run and shown."""

from __future__ import annotations

import base64
import binascii
import os
import time
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import trio
import typer

from voicestream import errors
from voicestream.cli import audiohook_handshake, twilio_caller
from voicestream.cli.audiohook_caller import AudioHookCaller
from voicestream.cli.audiohook_handshake import Hook
from voicestream.cli.daspeak_request import SUCCESS, Request, Told, Via
from voicestream.cli.daspeak_session import ask
from voicestream.cli.display import CallDisplay
from voicestream.cli.http import endpoint_url, fetch_token
from voicestream.cli.interrupt import run
from voicestream.cli.recording import read_recording
from voicestream.cli.secret import API_KEY, read_secret
from voicestream.cli.telephone_audio import TELEPHONE_HZ, recorded, spoken, telephone
from voicestream.cli.telephone_call import Line, call
from voicestream.cli.terminal import NEGATIVE, console, fail, fail_with
from voicestream.cli.twilio_caller import TwilioCaller
from voicestream.cli.view import DasPeakView, result_rows
from voicestream.errors import PeerError

if TYPE_CHECKING:
    from rich.table import Table

CLIENT_SECRET, HOOK_SECRET = "VOICESTREAM_CLIENT_SECRET", "VOICESTREAM_AUDIOHOOK_SECRET"


@dataclass(frozen=True, slots=True)
class Access:
    """A server, and what lets us in. Secrets come from files or the environment: a command line is read by everybody."""

    url: str
    client_id: str = ""
    client_secret_file: Path | None = None
    api_key_file: Path | None = None
    hook_secret_file: Path | None = None

    @property
    def base(self) -> str:
        """The server, also where the vendor's pages write it with its Socket.IO path."""
        return self.url.rstrip("/").removesuffix("/socket.io")

    def authorization(self) -> str:
        """A fresh access token; ends the command where there is none."""
        secret = read_secret(self.client_secret_file, CLIENT_SECRET)
        if not (self.client_id and secret):
            raise typer.BadParameter(f"give --client-id, and its secret with --client-secret-file or {CLIENT_SECRET}")
        try:
            return fetch_token(self.base, self.client_id, secret)
        except PeerError as error:
            fail_with(error)

    def line(self, via: Via, call_id: str) -> Line:
        """The audio side of one call."""
        key = read_secret(self.api_key_file, API_KEY)
        if via == "twilio":
            url = endpoint_url(self.base, twilio_caller.PATH, "ws")
            return Line(url, lambda: {"apikey": key} if key else {}, lambda _now: TwilioCaller(call_id))
        url, hook = endpoint_url(self.base, audiohook_handshake.PATH, "ws"), Hook(call_id)
        secret = _decoded(read_secret(self.hook_secret_file, HOOK_SECRET))
        return Line(url, lambda: hook.headers(url, key, secret, time.time()), lambda now: AudioHookCaller(hook, now))


@dataclass(frozen=True, slots=True)
class Speech:
    """What is said in the call. speed: of a file, as a multiple of that of speech; 0: as fast as it is taken."""

    file: Path | None
    mic: bool
    speed: float = 1.0

    @property
    def is_elsewhere(self) -> bool:
        """Whoever has the call sends its audio."""
        return not self.mic and self.file is None

    def call_id(self, given: str | None) -> str:
        """The one given, else one that no other call has."""
        if self.is_elsewhere and given is None:
            raise typer.BadParameter("give FILE or --mic, or the --call-id of a call whose audio comes from elsewhere")
        return given or str(uuid.uuid4())

    def open(self) -> tuple[AsyncGenerator[bytes], float | None]:
        """Its pieces, and its length in seconds where it is known; ends the command where it cannot be read."""
        if self.mic and self.file is not None:
            raise typer.BadParameter("give one of FILE and --mic")
        if self.file is None:
            return spoken(), None
        mulaw = telephone(read_recording(self.file))
        return recorded(mulaw, self.speed), len(mulaw) / TELEPHONE_HZ


@dataclass(frozen=True, slots=True)
class Keep:
    """Files for what comes out of a session."""

    credential: Path | None = None
    audio: Path | None = None

    def check(self) -> None:
        """End the command before the call where a file cannot be written after it."""
        for path in (self.credential, self.audio):
            if path is not None and (path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK)):
                fail(errors.UNWRITABLE_FILE, str(path))


def session(request: Request, speech: Speech, access: Access, keep: Keep, json: bool) -> None:
    """Run a registration or a verification and show its result; ends the command with 1 where it is rejected, 2 where there is none."""
    keep.check()
    display = CallDisplay(DasPeakView(), None, json)
    hang_up = trio.Event()
    if speech.is_elsewhere:
        speak = None
        hang_up.set()  # there is nothing to hang up: Ctrl-C gives up
    else:
        audio, _ = speech.open()
        speak = partial(call, access.line(request.via, request.call_id), audio, hang_up, display.say)
    authorization = access.authorization()
    result = run(partial(ask, access.base, authorization, request, speak, display.tell), display.progress, hang_up)
    call_row = ("call", f"{request.call_id} via {request.via}" + ("" if speak is None else f", {display.said_s:.1f} s"))
    rows = [*result_rows(result), call_row, *_hand_over(result, keep)]
    if not json:
        console().print(_table(rows, "bold green" if result.event == SUCCESS else "bold red"))
        if keep.credential is None and result.text("credential"):
            print(f"credential, for `client verify --credential FILE`:\n{result.text('credential')}")
    if result.event != SUCCESS:
        raise SystemExit(NEGATIVE)


def audio_side(via: Via, call_id: str, speech: Speech, access: Access) -> None:
    """Make the call alone, for a session that somebody else asks for; ends the command with 2 where the server refuses it."""
    if speech.is_elsewhere:
        raise typer.BadParameter("give one of FILE and --mic")
    audio, total_s = speech.open()
    display = CallDisplay(None, total_s, json=False)
    hang_up = trio.Event()
    ending = run(partial(call, access.line(via, call_id), audio, hang_up, display.say), display.progress, hang_up)
    unheard = f", {ending.unheard_s:.1f} s of it while the server had paused the stream" if ending.unheard_s else ""
    who = "the server ended it, having what it wanted" if ending.enough else "the speech was over"
    print(f"a call of {display.said_s:.1f} s{unheard}; {who}")


def _table(rows: list[tuple[str, str]], style: str) -> Table:
    """Rows with the first of them, the result, in `style`."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, show_header=False)
    for number, (name, value) in enumerate(rows):
        table.add_row(Text(name, "dim"), Text(value, "" if number else style))
    return table


def _hand_over(result: Told, keep: Keep) -> list[tuple[str, str]]:
    """The credential and the collected voice to their files, and rows that tell so."""
    rows, credential = [], result.text("credential")
    if keep.credential is not None and credential:
        _write(keep.credential, f"{credential}\n".encode(), lost=credential)
        rows.append(("credential", f"{keep.credential}, {len(credential)} characters"))
    if keep.audio is not None and result.audio is not None:
        _write(keep.audio, result.audio)
        rows.append(("collected voice", f"{keep.audio}, {len(result.audio)} bytes"))
    elif keep.audio is not None:
        rows.append(("collected voice", "the server handed none back"))
    return rows


def _write(path: Path, content: bytes, lost: str = "") -> None:
    """Ends the command where that is impossible, and prints what would be `lost`."""
    try:
        path.write_bytes(content)
    except OSError as error:
        print(lost, end="\n" * bool(lost))
        fail(errors.UNWRITABLE_FILE, f"{path}: {error.strerror}")


def _decoded(secret: str) -> bytes:
    try:
        return base64.b64decode(secret, validate=True)
    except binascii.Error:
        raise typer.BadParameter("the AudioHook secret is not base64") from None
