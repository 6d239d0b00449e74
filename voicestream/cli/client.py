"""`voicestream client`: stream a file or the microphone to a server, and watch its answers."""

from __future__ import annotations

import math
import signal
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from voicestream.cli.flag import DEFAULT_URL, Url
from voicestream.cli.terminal import NEGATIVE, console, fail_with
from voicestream.errors import PeerError

if TYPE_CHECKING:
    from rich.progress import Progress

    from voicestream.cli.view import View
    from voicestream.sessions.vocabulary import Encoding

client = typer.Typer(
    name="client",
    no_args_is_help=True,
    short_help="Stream speech to a server.",
    help="Stream a file or the microphone to a server and watch its answers.",
)

File: TypeAlias = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Audio in any container; - is standard input.")]
Mic: TypeAlias = Annotated[bool, typer.Option("--mic", help="The microphone instead of a file; Ctrl-C ends.")]
Opus: TypeAlias = Annotated[bool, typer.Option("--opus", help="Send Opus packets instead of PCM16.")]
Realtime: TypeAlias = Annotated[bool, typer.Option("--realtime", help="Send a file at the speed of speech.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the server's answers as they are, one a line.")]


@client.command()
def endpoint(
    file: File = None,
    mic: Mic = False,
    opus: Opus = False,
    realtime: Realtime = False,
    json: Json = False,
    url: Url = DEFAULT_URL,
    min_speech_ms: Annotated[int, typer.Option(help="Speech an utterance needs.")] = 300,
    max_silence_ms: Annotated[int, typer.Option(help="Silence that ends it.")] = 500,
) -> None:
    """Tell when utterances end.

    Example: voicestream client endpoint talk.wav --realtime
    """
    from voicestream.cli.view import EndpointView

    _stream(
        "/speech_endpoint_detector",
        lambda rate: [str(min_speech_ms), str(max_silence_ms), rate],
        EndpointView(),
        file,
        mic,
        opus,
        realtime,
        json,
        url,
    )


@client.command()
def summary(
    file: File = None, mic: Mic = False, opus: Opus = False, realtime: Realtime = False, json: Json = False, url: Url = DEFAULT_URL
) -> None:
    """Tell how much speech there is.

    Example: voicestream client summary --mic
    """
    from voicestream.cli.view import SummaryView

    _stream("/speech_summary_stream", lambda rate: [rate], SummaryView(), file, mic, opus, realtime, json, url)


@client.command()
def verify(
    file: File = None,
    mic: Mic = False,
    template: Annotated[Path | None, typer.Option(metavar="FILE", help="A template, of `voicestream enrol` or the server.")] = None,
    enrol: Annotated[Path | None, typer.Option(metavar="FILE", help="Speech to make the template of, on the server.")] = None,
    opus: Opus = False,
    realtime: Realtime = False,
    json: Json = False,
    url: Url = DEFAULT_URL,
    context: Annotated[str, typer.Option(metavar="SECONDS", help="How much is remembered.")] = "10",
    window: Annotated[str, typer.Option(metavar="SECONDS", help="How much is compared at a time.")] = "3",
) -> None:
    """Compare a voice with a template; exit code 1 when it is another voice.

    Examples:

      voicestream client verify who.wav --template me.template

      voicestream client verify --mic --enrol me.wav
    """
    from voicestream.cli.http import create_template
    from voicestream.cli.recording import read_bytes, read_recording
    from voicestream.cli.view import VerifyView

    if (template is None) == (enrol is None):
        raise typer.BadParameter("give one of --template and --enrol")
    if template is not None:
        text = read_bytes(template).decode("ascii", "replace").strip()
    else:
        assert enrol is not None
        speech = read_recording(enrol)
        try:
            text = create_template(url, speech.samples.astype("<i2").tobytes(), speech.rate_hz)
        except PeerError as error:
            fail_with(error)
    _stream("/voice_verify_stream", lambda rate: [text, rate, context, window], VerifyView(), file, mic, opus, realtime, json, url)


def _stream(
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
    import trio

    from voicestream.cli.microphone import RATE_HZ, microphone
    from voicestream.cli.recording import MESSAGE_S, read_recording
    from voicestream.cli.stream import converse, paced

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
    display = _Display(view, encoding, total_s, json)

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


async def _cancel_on_interrupt(scope: object) -> None:
    """Ctrl-C ends the stream, not the command: what was heard so far still gets its verdict."""
    import trio

    assert isinstance(scope, trio.CancelScope)
    with trio.open_signal_receiver(signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()


class _Display:
    """Progress, level, and the view's line; plain lines where the output is no terminal."""

    def __init__(self, view: View, encoding: Encoding, total_s: float | None, json: bool) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        from voicestream.cli.recording import MESSAGE_S

        self._view = view
        self._encoding = encoding
        self._message_s = MESSAGE_S[encoding]
        self._heard_s = 0.0
        self._json = json
        out = console()
        self.progress: Progress = Progress(
            TextColumn("{task.fields[clock]}"),
            BarColumn(16),
            TextColumn("{task.fields[level]}"),
            TextColumn("{task.fields[line]}", markup=False),
            console=out,
            transient=True,
            disable=json or not out.is_terminal,
        )
        self._task = self.progress.add_task("", total=total_s, clock="", level="", line="")

    def hear(self, answer: str, message: bytes) -> None:
        self._heard_s += self._message_s
        if self._json:
            print(answer)
        news = self._view.hear(answer, self._heard_s)
        if news is not None and not self._json:
            self.progress.console.print(news, markup=False)
        level = _level(message) if self._encoding == "pcm16" else ""
        self.progress.update(self._task, completed=self._heard_s, clock=f"{self._heard_s:6.1f} s", level=level, line=self._view.line())


def _level(message: bytes) -> str:
    """The loudness of a PCM16 message as a meter from -60 to 0 dBFS."""
    import numpy as np

    from voicestream.cli.view import bar

    samples = np.frombuffer(message, "<i2", len(message) // 2).astype(np.float64)
    power = float(np.mean(samples**2)) if len(samples) else 0.0
    level_db = 10 * math.log10(power / 32768**2) if power > 0 else -60.0
    return bar(1 + level_db / 60, 10)
