"""What moves on the screen while audio is streamed: a clock, a bar, a level meter, and a line of the view's."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn

from voicestream.cli.recording import MESSAGE_S
from voicestream.cli.terminal import console
from voicestream.cli.view import bar

if TYPE_CHECKING:
    from voicestream.cli.assessment.talk import News
    from voicestream.cli.daspeak_request import Told
    from voicestream.cli.view import DasPeakView, View
    from voicestream.sessions.vocabulary import Encoding

_PERCENT = 100.0
_LINE = TextColumn("{task.fields[line]}", markup=False)


class StreamDisplay:
    """Of an IDVoice stream: the bar is the recording. Plain lines where the output is no terminal."""

    def __init__(self, view: View, encoding: Encoding, total_s: float | None, json: bool) -> None:
        self._view = view
        self._encoding = encoding
        self._message_s = MESSAGE_S[encoding]
        self._heard_s = 0.0
        self._json = json
        columns = (TextColumn("{task.fields[clock]}"), BarColumn(16), TextColumn("{task.fields[level]}"), _LINE)
        self.progress = _progress(json, *columns)
        self._task = self.progress.add_task("", total=total_s, clock="", level="", line="")

    def hear(self, answer: str, message: bytes) -> None:
        """An answer, and the message of audio it answers."""
        self._heard_s += self._message_s
        if self._json:
            print(answer)
        news = self._view.hear(answer, self._heard_s)
        if news is not None and not self._json:
            self.progress.console.print(news, markup=False)
        meter = level(np.frombuffer(message, "<i2", len(message) // 2)) if self._encoding == "pcm16" else ""
        self.progress.update(self._task, completed=self._heard_s, clock=_clock(self._heard_s), level=meter, line=self._view.line())


class CallDisplay:
    """Of a call. With a view the bar is the voice that the server collected, without it is the recording of `total_s`."""

    def __init__(self, view: DasPeakView | None, total_s: float | None, json: bool) -> None:
        self._view = view
        self._json = json
        self._said_s = 0.0
        self._meter, self._state = bar(0.0, 10), "connecting"
        what, total = ("call", total_s) if view is None else ("voice", _PERCENT)
        loudness = TextColumn("{task.fields[clock]}  level {task.fields[level]}")
        self.progress = _progress(json, loudness, TextColumn(f" {what}"), BarColumn(24, complete_style="cyan"), _LINE)
        self._task = self.progress.add_task("", total=total, clock=_clock(0.0), level=self._meter, line=self._state)

    @property
    def said_s(self) -> float:
        """How much audio was sent."""
        return self._said_s

    def say(self, mulaw: bytes, heard: bool) -> None:
        """A piece of the call's audio, and whether the server heard it."""
        from voicestream.dsp.g711 import mulaw_expand

        self._said_s += len(mulaw) / 8000
        self._meter = level(mulaw_expand(mulaw))
        self._state = "calling" if heard else "paused by the server"
        self._update()

    def tell(self, told: Told) -> None:
        """An event of signalling."""
        if self._json:
            print(json.dumps(told.fields), flush=True)
        assert self._view is not None
        self._view.hear(told)
        self._update()

    def _update(self) -> None:
        view = self._view
        done, line = (self._said_s, self._state) if view is None else (min(view.percent, _PERCENT), view.line())
        self.progress.update(self._task, completed=done, clock=_clock(self._said_s), line=line, level=self._meter)


class AssessmentDisplay:
    """Of an assessment: the bar is the recording, beside it what the server is doing."""

    def __init__(self, rate_hz: int, total_s: float | None, json: bool) -> None:
        self._rate_hz = rate_hz
        self._json = json
        self._said_s = 0.0
        self._meter = bar(0.0, 10)
        loudness = TextColumn("{task.fields[clock]}  level {task.fields[level]}")
        self.progress = _progress(json, loudness, BarColumn(24, complete_style="cyan"), SpinnerColumn("dots"), _LINE)
        self._task = self.progress.add_task("", total=total_s, clock=_clock(0.0), level=self._meter, line="connecting")

    @property
    def said_s(self) -> float:
        """How much audio was sent."""
        return self._said_s

    def say(self, pcm: bytes) -> None:
        """A packet of PCM16 that was sent."""
        samples = np.frombuffer(pcm, "<i2")
        self._said_s += len(samples) / self._rate_hz
        self._meter = level(samples)
        self._update("the server listens")

    def tell(self, answer: str, news: News) -> None:
        """A server's answer, and what it means."""
        if self._json:
            print(answer, flush=True)
        elif news.warning:
            self.progress.console.print(f"! {news.warning}", style="yellow", markup=False)
        if news.begin:
            self._update("the server listens")

    def wait(self) -> None:
        """All is said, or enough."""
        self._update("judging")

    def _update(self, state: str) -> None:
        self.progress.update(self._task, completed=self._said_s, clock=_clock(self._said_s), line=state, level=self._meter)


def level(samples: NDArray[np.int16]) -> str:
    """The loudness of samples (n,) int16 as a meter from -60 to 0 dBFS."""
    power = float(np.mean(samples.astype(np.float64) ** 2)) if len(samples) else 0.0
    level_db = 10 * math.log10(power / 32768**2) if power > 0 else -60.0
    return bar(1 + level_db / 60, 10)


def _clock(seconds: float) -> str:
    return f"{seconds:6.1f} s"


def _progress(json: bool, *columns: ProgressColumn) -> Progress:
    out = console()
    return Progress(*columns, console=out, transient=True, disable=json or not out.is_terminal)
