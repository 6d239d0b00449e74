"""A file or the microphone through one IDVoice endpoint, as a command: its display, its verdict, its exit code."""

from __future__ import annotations

import signal
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import trio
import typer

from voicestream.cli.display import StreamDisplay
from voicestream.cli.microphone import RATE_HZ, microphone
from voicestream.cli.recording import MESSAGE_S, read_recording
from voicestream.cli.stream import converse, paced
from voicestream.cli.terminal import NEGATIVE, fail_with
from voicestream.errors import PeerError

if TYPE_CHECKING:
    from voicestream.cli.view import View
    from voicestream.sessions.vocabulary import Encoding


def stream(
    path: str,
    parameters: Callable[[str], list[str]],
    view: View,
    file: Path | None,
    mic: bool,
    opus: bool,
    realtime: bool,
    json: bool,
    url: str,
) -> None:
    """Run one conversation with its display; ends the command where something fails or the answer is negative."""
    if mic == (file is not None):
        raise typer.BadParameter("give one of FILE and --mic")
    if mic and opus:
        raise typer.BadParameter("--opus is for files")
    encoding: Encoding = "opus" if opus else "pcm16"
    if file is not None:
        recording = read_recording(file).at_rate_of(encoding)
        rate_hz, total_s = recording.rate_hz, recording.duration_s
        messages: AsyncGenerator[bytes] = paced(recording.messages(encoding), MESSAGE_S[encoding] if realtime else None)
    else:
        rate_hz, total_s, messages = RATE_HZ, None, microphone()
    display = StreamDisplay(view, encoding, total_s, json)

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_on_interrupt, nursery.cancel_scope)
            try:
                await converse(url, path + ("_opus" if opus else ""), parameters(str(rate_hz)), messages, display.hear)
            except PeerError as error:
                failures.append(error)
            nursery.cancel_scope.cancel()

    failures: list[PeerError] = []  # kept, not raised: a nursery would wrap them
    with display.progress:
        trio.run(run)
    if failures:
        fail_with(failures[0])
    if not json:
        print(view.verdict())
    if not view.accepted:
        raise SystemExit(NEGATIVE)


async def _cancel_on_interrupt(scope: trio.CancelScope) -> None:
    """Ctrl-C ends the stream, not the command: what was heard so far still gets its verdict."""
    with trio.open_signal_receiver(signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()
