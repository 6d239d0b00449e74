"""What a person sees of a stream's answers: one live line, things worth a line of their own, and a verdict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from voicestream import errors
from voicestream.cli.terminal import printable
from voicestream.errors import PeerError

if TYPE_CHECKING:
    from voicestream.cli.daspeak_request import Told

_STRIP_FRAMES = 48
ACCEPT_PROBABILITY = 0.5  # where the vendor's demonstrations decide


class View(Protocol):
    """How one service is shown. Times are seconds of audio sent."""

    def hear(self, answer: str, at_s: float) -> str | None:
        """Take an answer; return a line to keep on the screen, if it is worth one."""
        ...

    def line(self) -> str:
        """The state now, on one line."""
        ...

    def verdict(self) -> str:
        """What came out in the end."""
        ...

    @property
    def accepted(self) -> bool:
        """False for a negative outcome: exit code 1."""
        ...


class EndpointView:
    """`/speech_endpoint_detector`: when utterances end."""

    def __init__(self) -> None:
        self._ended = False
        self.ends_s: list[float] = []  # when each utterance was known to have ended

    def hear(self, answer: str, at_s: float) -> str | None:
        if answer not in ("true", "false"):
            raise _unexpected()
        before, self._ended = self._ended, answer == "true"
        if before or not self._ended:
            return None
        self.ends_s.append(at_s)
        return f"  utterance {len(self.ends_s)} ended, known at {at_s:.2f} s"

    def line(self) -> str:
        return "■ ended" if self._ended else "● waiting for an end"

    def verdict(self) -> str:
        return f"{len(self.ends_s)} endpoint{'s' * (len(self.ends_s) != 1)}" + "".join(f", {end:.2f} s" for end in self.ends_s)

    @property
    def accepted(self) -> bool:
        return True


class SummaryView:
    """`/speech_summary_stream`: how much speech there is, and where."""

    def __init__(self) -> None:
        self.speech_s = self.background_s = self._total_s = 0.0
        self._strip = ""
        self._stretches = 0

    def hear(self, answer: str, at_s: float) -> str | None:
        try:
            found = json.loads(answer)
            frames = found["current_speech_summary"]["vad_result"]["frames"]
            self.speech_s = float(found["speech_length"])
            self.background_s = float(found["current_speech_summary"]["background_length"])
            self._total_s = float(found["current_speech_summary"]["total_length"])
            self._stretches = sum(event["is_voice"] for event in found["speech_events"])
        except (ValueError, TypeError, KeyError):
            raise _unexpected() from None
        self._strip = "".join("█" if frame else "·" for frame in frames[-_STRIP_FRAMES:])
        return None

    @property
    def speech_share(self) -> float:
        """Speech as a share of all audio, 0..1."""
        return self.speech_s / self._total_s if self._total_s else 0.0

    def line(self) -> str:
        return f"{self._strip:·>{_STRIP_FRAMES}} speech {self.speech_s:.2f} s of {self._total_s:.2f} s"

    def verdict(self) -> str:
        return (
            f"speech {self.speech_s:.2f} s in {self._stretches} stretches, "
            f"background {self.background_s:.2f} s, total {self._total_s:.2f} s"
        )

    @property
    def accepted(self) -> bool:
        return True


class VerifyView:
    """`/voice_verify_stream`: is it the voice of the template?"""

    def __init__(self) -> None:
        self.probability = self.score = 0.0
        self.windows = 0

    def hear(self, answer: str, at_s: float) -> str | None:
        lines = []
        try:
            windows = json.loads(answer)
            if not isinstance(windows, list):
                raise TypeError
            for window in windows:
                interval, result = window["audio_interval"], window["verify_result"]
                self.probability, self.score = float(result["probability"]), float(result["score"])
                self.windows += 1
                span = f"{interval['start_time'] / 1000:6.1f} to {interval['end_time'] / 1000:5.1f} s"
                lines.append(f"  {span}   {bar(self.probability)} probability {self.probability:.4f}   score {self.score:+.3f}")
        except (ValueError, TypeError, KeyError):
            raise _unexpected() from None
        return "\n".join(lines) or None

    def line(self) -> str:
        return f"{bar(self.probability)} probability {self.probability:.3f}" if self.windows else "listening: the first window is not full"

    def verdict(self) -> str:
        if not self.windows:
            return "too little audio for one window: no answer"
        return f"{'the same voice' if self.accepted else 'another voice'}: probability {self.probability:.4f}, score {self.score:+.3f}"

    @property
    def accepted(self) -> bool:
        return self.probability >= ACCEPT_PROBABILITY


class DasPeakView:
    """A das-Peak session: how much of the wanted voice is collected, and the result."""

    def __init__(self) -> None:
        self.percent = self.voice_s = 0.0
        self._state = "connecting"

    def hear(self, told: Told) -> None:
        """Take an event of signalling."""
        if told.event == "info-consumer-ready":
            self._state = "waiting for voice"
        percent, seconds = told.number("vad_percentage"), told.number("audio_seconds")
        if percent is not None and seconds is not None:
            self.percent, self.voice_s = percent, seconds
            self._state = "listening" if percent < 100 else "enough, judging"  # servers do not clamp it

    def line(self) -> str:
        """The state now, on one line."""
        return f"{self.percent:3.0f} %, {self.voice_s:.2f} s  {self._state}"


def result_rows(told: Told) -> list[tuple[str, str]]:
    """A das-Peak result as rows of a table: a name and its value."""
    reason = {"result-fail-spoof": "authenticity is too low", "result-fail-score": "similarity is too low"}.get(told.event, "")
    rows = [("result", printable(told.text("content")) + (f", {reason}" if reason else ""))]
    for name, label, unit in (
        ("similarity", "similarity", ""),
        ("authenticity", "authenticity", ""),
        ("voice_audio_collected", "voice collected", " s"),
    ):
        value = told.number(name)
        if value is not None:
            rows.append((label, f"{value:.2f}{unit}" + ("" if unit else f"  {bar(value)}")))
    return rows


def bar(share: float, width: int = 20) -> str:
    """A share 0..1 as a bar of `width` characters."""
    full = round(width * min(max(share, 0.0), 1.0))
    return "█" * full + "░" * (width - full)


def _unexpected() -> PeerError:
    return PeerError(errors.UNEXPECTED_ANSWER, "an answer that is not of this endpoint; the message was refused, or the server is another")
