"""Good clients in a process of their own: paced streams of recorded speech whose every answer is known beforehand.

    python -m benchmarks.good_stream PORT STREAMS TEMPLATE        a line on its input says that the server drains

What a server sends back in a conversation, from the upgrade's answer to the last result, is one string of bytes, so
checking costs a comparison and no parser. A stream that is through closes and begins again with the next script.
"""

import heapq
import json
import select
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np

from benchmarks.attacks.peer import BINARY, CLOSE, TEXT, frame, opening
from benchmarks.rehearsal import rehearse
from voicestream.cli.prompt import speakers
from voicestream.cli.recording import Recording
from voicestream.codecs.opus import OpusEncoder
from voicestream.dsp.resample import resample
from voicestream.transport import rfc6455
from voicestream.transport.head import Upgrade, acceptance

CLIP_S = 12.0
SPREAD_S = 4.0  # the streams begin one after the other
_PCM_S, _OPUS_S = 0.06, 0.04
_PATIENCE_S = 10.0  # for the last answers of a conversation
_GOODBYE = b"\x03\xe9"  # 1001
_KEY = b"dGhlIHNhbXBsZSBub25jZQ=="


@dataclass(frozen=True, slots=True)
class Script:
    """A conversation: what is sent, one piece per `interval_s`, and all that must come back."""

    path: str
    pieces: list[bytes]
    interval_s: float
    expected: bytes
    ends: list[int]  # where in `expected` the answer to each piece ends


def script(path: str, parameters: list[str], messages: list[bytes], interval_s: float) -> Script:
    """The conversation with these messages; the upgrade and the parameters go with the first one, in one piece."""
    first = opening(path) + b"".join(frame(TEXT, text.encode()) for text in parameters)
    pieces = [frame(BINARY, message) for message in messages]
    answers = [rfc6455.frame(rfc6455.TEXT, text.encode()) for text in rehearse(path, parameters, messages)]
    head = acceptance(Upgrade(path, _KEY, None, b"")) + b"".join(answers[: len(parameters)])
    answers = answers[len(parameters) :]
    ends = list(accumulate((len(answer) for answer in answers), initial=len(head)))[1:]
    return Script(path, [first + pieces[0], *pieces[1:]], interval_s, head + b"".join(answers), ends)


def scripts(template: str) -> list[Script]:
    """Every endpoint with every installed speaker, at several rates and chunk sizes, odd byte counts among them."""
    made = []
    for number, person in enumerate(speakers()):
        for rate_hz in (person.test.rate_hz, 16_000, 48_000):
            clip = at_rate(person.test, rate_hz)
            pcm = clip.samples.astype("<i2").tobytes()
            size = round(rate_hz * _PCM_S) * 2 + number % 2  # every other speaker sends odd byte counts
            chunks = [pcm[at : at + size] for at in range(0, len(pcm), size)]
            encoder = OpusEncoder(rate_hz)
            samples = round(rate_hz * _OPUS_S)
            packets = [encoder.encode(clip.samples[at : at + samples]) for at in range(0, len(clip.samples) - samples + 1, samples)]
            services = {
                "/speech_endpoint_detector": ["300", "500", str(rate_hz)],
                "/speech_summary_stream": [str(rate_hz)],
                "/voice_verify_stream": [template, str(rate_hz), "10", "3"],
            }
            for path, parameters in services.items():
                made.append(script(path, parameters, chunks, _PCM_S))
                made.append(script(f"{path}_opus", parameters, packets, _OPUS_S))
    return made


def at_rate(recording: Recording, rate_hz: int) -> Recording:
    """The first CLIP_S of a recording at another rate."""
    samples = recording.samples[: round(CLIP_S * recording.rate_hz)]
    if rate_hz != recording.rate_hz:
        samples = (resample((samples / 32768).astype(np.float32), recording.rate_hz, rate_hz).clip(-1, 1) * 32767).astype(np.int16)
    return Recording(samples, rate_hz)


@dataclass(slots=True)
class Tally:
    """What came of it all."""

    conversations: int = 0
    messages: int = 0
    right: int = 0  # conversations whose every byte was the expected one
    wrong: Counter[str] = field(default_factory=Counter)
    goodbyes: int = 0  # closed with 1001 while the server drained
    latencies_s: list[float] = field(default_factory=list)


class Stream:
    """One client: a conversation after the other."""

    def __init__(self, number: int, port: int) -> None:
        self._number = number
        self._port = port
        self.turn = 0
        self.live = False
        self.socket = socket.socket()

    def begin(self, choices: list[Script], now: float) -> None:
        """Connect; nothing is sent yet."""
        self.script = choices[(self._number + self.turn * 7) % len(choices)]
        self.sent = self.answered = self.heard = 0
        self.unsent = b""
        self.begun = now
        self.sent_at: list[float] = []
        self.closing = False
        self.live = True
        self.socket = socket.create_connection(("127.0.0.1", self._port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    @property
    def due(self) -> float:
        """When the next piece is to be sent, or the last answer must have come."""
        wait_s = 0.0 if self.sent < len(self.script.pieces) else _PATIENCE_S
        return self.begun + self.sent * self.script.interval_s + wait_s

    def end(self) -> None:
        """Hang up."""
        self.socket.close()
        self.live = False
        self.turn += 1

    def send_due(self, now: float) -> None:
        """Send the next piece."""
        self.unsent += self.script.pieces[self.sent]
        self.sent_at.append(now)
        self.sent += 1
        try:
            self.unsent = self.unsent[self.socket.send(self.unsent) :]
        except BlockingIOError:
            pass
        except OSError:  # the end is read, not written
            self.unsent = b""

    def hear(self, tally: Tally, now: float, draining: bool) -> str:
        """Take what came: "" to go on, else how the conversation ended."""
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return ""
        except OSError:
            return "reset"
        expected = self.script.expected
        if data and self.closing:
            return "right" if data[:1] == b"\x88" else "spoke after the end"
        if not data:
            return "hung up"
        if expected.startswith(data, self.heard):
            self.heard += len(data)
            self._count(tally, now)
            if self.heard == len(expected):
                self.closing = True
                self.socket.send(frame(CLOSE, b"\x03\xe8"))
            return ""
        if draining and self._is_goodbye(data):
            return "goodbye"
        return "another answer"

    def _is_goodbye(self, data: bytes) -> bool:
        """Expected answers up to some message, then the close frame."""
        begin = data.rfind(b"\x88")
        return begin >= 0 and self.script.expected.startswith(data[:begin], self.heard) and data[begin + 2 : begin + 4] == _GOODBYE

    def _count(self, tally: Tally, now: float) -> None:
        ends = self.script.ends
        while self.answered < self.sent and ends[self.answered] <= self.heard:
            tally.latencies_s.append(now - self.sent_at[self.answered])
            self.answered += 1
            tally.messages += 1


class Choir:
    """All streams, in one loop."""

    def __init__(self, port: int, count: int, choices: list[Script]) -> None:
        self._choices = choices
        self._tally = Tally()
        self._epoll = select.epoll()
        self._live: dict[int, Stream] = {}  # by descriptor
        self._dates: list[tuple[float, int, int, Stream]] = []  # when, a tie-breaker, the stream's turn it is meant for
        self._serial = 0
        self._draining = False
        now = time.monotonic()
        for number in range(count):
            self._date(Stream(number, port), now + SPREAD_S * number / count)

    def run(self) -> Tally:
        """Until the server has drained."""
        self._epoll.register(sys.stdin, select.EPOLLIN)
        while self._live or not self._draining:
            now = time.monotonic()
            while self._dates and self._dates[0][0] <= now:
                _, _, turn, stream = heapq.heappop(self._dates)
                if turn == stream.turn:
                    self._step(stream, now)
            wait_s = self._dates[0][0] - now if self._dates else 1.0
            for fd, _ in self._epoll.poll(max(wait_s, 0)):
                if fd == sys.stdin.fileno():
                    self._draining = True
                    self._epoll.unregister(sys.stdin)
                    print("draining", flush=True)  # an end is a goodbye from here on, so SIGTERM waits for this
                elif ending := self._live[fd].hear(self._tally, time.monotonic(), self._draining):
                    self._end(self._live[fd], ending)
        return self._tally

    def _date(self, stream: Stream, when: float) -> None:
        self._serial += 1
        heapq.heappush(self._dates, (when, self._serial, stream.turn, stream))

    def _step(self, stream: Stream, now: float) -> None:
        if not stream.live:
            if self._draining:
                return
            stream.begin(self._choices, now)
            self._live[stream.socket.fileno()] = stream
            self._epoll.register(stream.socket, select.EPOLLIN)
        if stream.sent < len(stream.script.pieces):
            stream.send_due(now)
            self._date(stream, stream.due)
        else:
            self._end(stream, "unanswered")

    def _end(self, stream: Stream, ending: str) -> None:
        tally = self._tally
        self._epoll.unregister(stream.socket)
        del self._live[stream.socket.fileno()]
        stream.end()
        tally.conversations += 1
        if ending == "right":
            tally.right += 1
        elif ending == "goodbye":
            tally.goodbyes += 1
        else:
            tally.wrong[f"{stream.script.path}: {ending} after {stream.answered} of {len(stream.script.pieces)}"] += 1
        self._date(stream, time.monotonic())


def main() -> None:
    port, count, template = sys.argv[1:]
    choices = scripts(template)
    print("ready", flush=True)
    tally = Choir(int(port), int(count), choices).run()
    seen_ms = np.array(tally.latencies_s) * 1e3
    figures = {
        "conversations": tally.conversations, "right": tally.right, "goodbyes": tally.goodbyes, "wrong": dict(tally.wrong),
        "messages": tally.messages, **{f"answer_p{q}_ms": round(float(np.percentile(seen_ms, q)), 2) for q in (50, 99, 100)},
    }  # fmt: skip
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
