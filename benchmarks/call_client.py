"""The clients of one call, without threads or tasks: each is told that its socket can be read, and when its next message is due.

    Signalling  Socket.IO over its own WebSocket: CONNECT, initialize ─► info-consumer-ready ─► Media ─► events ─► result
    Media       the Twilio stream of that call: start, media every 20 ms ─► until the server closes it
    Hook        an AudioHook session that is opened and closed, to see how long that takes

Blocking only to connect, which the kernel does alone. What they see goes into a Diary.
"""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.call_audio import INTERVAL_S, Script, start_text
from benchmarks.call_wire import CLOSE, NORMAL_CLOSE, PING, PONG, REFUSED, TEXT, UPGRADED, Poll, Wire
from voicestream.cli.audiohook_handshake import PATH, Hook
from voicestream.server.consumer import TWILIO_PATH
from voicestream.sessions.collection import STATUS_MS

_LATE_S = 0.001
_NAMESPACE = "/socket.io/register"


@dataclass
class Diary:
    """What was seen. Times in seconds, from the sending of what completes it to the reading of what answers it."""

    statuses_s: list[float] = field(default_factory=list)  # voice status
    collected_s: list[float] = field(default_factory=list)  # close of the stream: there is enough
    results_s: list[float] = field(default_factory=list)  # result, of the message after which there is enough
    opened_s: list[float] = field(default_factory=list)  # AudioHook: opened, of open
    lengths_s: list[float] = field(default_factory=list)  # no delay: audio that was sent in sessions with a result
    sent: int = 0  # media messages
    late: int = 0  # of them: sent over 1 ms after they fell due, the generator's own fault
    stall_s: float = 0.0  # the longest time in which the generator neither sent nor read
    stuck: int = 0  # of them: not taken by the socket at once
    defects: list[str] = field(default_factory=list)  # what was not as it should be

    def turn(self) -> "Diary":
        """What was seen so far; from here on it begins anew."""
        seen = replace(self)
        for name, value in vars(Diary()).items():
            setattr(self, name, value)
        return seen


class Media:
    """The stream of a call. `begin(self)` is called when it may send: then send_next() whenever a message is due, while `live`."""

    def __init__(
        self, poll: Poll, port: int, api_key: str, call_id: str, script: Script, diary: Diary, begin: Callable[["Media"], None]
    ) -> None:
        self.live = True
        self.script = script
        self.dates: list[float] = []  # when the messages were sent that complete a status each
        self.due = 0.0  # of the next message; whoever drives it keeps it
        self.pings = 0  # not answered yet
        self._call_id = call_id
        self._diary = diary
        self._begin = begin
        self._next = 0
        self._mark = script.marks[0]
        self._wire = Wire(poll, port, TWILIO_PATH, {"apikey": api_key}, self._heard)

    @property
    def seconds(self) -> float:
        """Audio sent."""
        return self._next * INTERVAL_S

    def send_next(self, now: float) -> None:
        """Send the message that is due now."""
        script, diary, at = self.script, self._diary, self._next
        if at == self._mark:
            self.dates.append(now)
            self._mark = script.marks[len(self.dates)] if len(self.dates) < len(script.marks) else -1
        diary.sent += 1
        diary.late += now - self.due > _LATE_S
        diary.stuck += not self._wire.send(script.frames[at])
        self._next = at + 1
        if self._next == len(script.frames):
            self.live = False
            diary.defects.append("a stream came to the end of its script")

    def ping(self) -> None:
        """Ask whether all that was sent has been read."""
        self.pings += 1
        self._wire.send(PING)

    def hang_up(self) -> None:
        """The caller has gone."""
        self.live = False
        self._wire.close()

    def _heard(self, opcode: int, payload: bytes) -> None:
        if opcode == UPGRADED:
            self._wire.say(start_text(self._call_id))
            self._begin(self)
        elif opcode == CLOSE:
            self._closed(int.from_bytes(payload[:2], "big"))
            self._wire.send(NORMAL_CLOSE)
            self._wire.close()
        elif opcode == PONG:
            self.pings -= 1
        elif opcode == REFUSED:
            self.live = False
            self._diary.defects.append(f"stream: {payload.decode()}")

    def _closed(self, code: int) -> None:
        self.live = False
        if code != 1000:
            self._diary.defects.append(f"stream closed with {code}")
        elif self.script.ends and len(self.dates) == len(self.script.marks):
            self._diary.collected_s.append(time.monotonic() - self.dates[-1])
        else:
            self._diary.defects.append("stream closed before there was enough")


class Signalling:
    """One session over a connection of its own. `stream(call_id)` is called when its audio may come, `over(self)` at its end."""

    def __init__(
        self,
        poll: Poll,
        port: int,
        token: str,
        wanted_s: float,
        diary: Diary,
        stream: Callable[[str], Media],
        over: Callable[["Signalling"], None],
    ) -> None:
        self.media: Media | None = None
        self._call_id = str(uuid.uuid4())
        self._wanted_s = wanted_s
        self._diary = diary
        self._stream = stream
        self._over = over
        self._statuses = 0
        self._ended = False
        self._wire = Wire(poll, port, "/socket.io/?EIO=4&transport=websocket", {"Authorization": f"Bearer {token}"}, self._heard)

    def hang_up(self) -> None:
        """The client and the caller have gone."""
        self._ended = True
        self._wire.close()
        if self.media is not None:
            self.media.hang_up()

    def _heard(self, opcode: int, payload: bytes) -> None:
        if opcode == CLOSE:
            if not self._ended:
                self._end("signalling closed without a result")
            self._wire.close()
        elif opcode == TEXT:
            self._packet(payload.decode())
        elif opcode == REFUSED:
            self._end(f"signalling: {payload.decode()}")

    def _packet(self, text: str) -> None:
        if text[0] == "0":
            self._wire.say(f"40{_NAMESPACE},")
        elif text == "2":
            self._wire.say("3")
        elif text.startswith("40"):
            metadata = {
                "audio_protocol": "twilio", "audio_format": "raw", "audio_codec": "mulaw", "sample_format": "", "sample_rate": "8000",
                "channels": "1", "call_id": self._call_id,
            }  # fmt: skip
            request = {"audio_total_duration": self._wanted_s, "authenticity_threshold": 0}
            self._wire.say(f"42{_NAMESPACE}," + json.dumps(["initialize", {"metadata": metadata, "register_request": request}]))
        elif text.startswith(("42", "451-")):
            name, told, *_ = json.loads(text[text.index("[") :])
            self._event(name, told)

    def _event(self, name: str, told: dict[str, Any]) -> None:
        now = time.monotonic()
        match name:
            case "info-consumer-ready":
                self.media = self._stream(self._call_id)
            case "info-vad-status":
                self._status(told["audio_seconds"], now)
            case "result-success":
                self._result(now)
            case _:
                self._end(f"{name}: {told.get('content')}")

    def _status(self, voice_s: float, now: float) -> None:
        dates = self.media.dates if self.media is not None else []
        if voice_s != round(self._statuses * STATUS_MS / 1000, 2) or self._statuses > len(dates):
            self._diary.defects.append(f"status {self._statuses} is not that of the audio")
        elif self._statuses:  # the first one says 0, with the start
            self._diary.statuses_s.append(now - dates[self._statuses - 1])
        self._statuses += 1

    def _result(self, now: float) -> None:
        media = self.media
        if media is None or self._statuses != len(media.script.marks) + 1:
            self._end("a result before its statuses")
            return
        self._diary.results_s.append(now - media.dates[-1])
        self._diary.lengths_s.append(media.seconds)
        self._end()

    def _end(self, defect: str = "") -> None:
        if self._ended:
            return
        self._ended = True
        if defect:
            self._diary.defects.append(defect)
        self._wire.say(f"41{_NAMESPACE},")
        self._wire.send(NORMAL_CLOSE)
        self._over(self)


class HookCall:
    """One AudioHook session: open, opened, close, closed."""

    def __init__(self, poll: Poll, port: int, api_key: str, secret: bytes, diary: Diary) -> None:
        self._hook = Hook(str(uuid.uuid4()))
        self._diary = diary
        self._seq = 0
        self._said = 0.0
        url = f"ws://localhost:{port}{PATH}"
        self._wire = Wire(poll, port, PATH, self._hook.headers(url, api_key, secret, time.time()), self._heard)

    def _heard(self, opcode: int, payload: bytes) -> None:
        if opcode == UPGRADED:
            self._said = time.monotonic()
            self._say("open", self._hook.opening(), 0)
        elif opcode == CLOSE:
            self._wire.send(NORMAL_CLOSE)
            self._wire.close()
        elif opcode == TEXT:
            told = json.loads(payload)
            if told["type"] == "opened":
                self._diary.opened_s.append(time.monotonic() - self._said)
                self._say("close", {"reason": "end"}, told["seq"])
            elif told["type"] == "closed":
                self._wire.send(NORMAL_CLOSE)
                self._wire.close()
            else:
                self._diary.defects.append(f"AudioHook: {told['type']} instead of opened")
                self._wire.close()
        elif opcode == REFUSED:
            self._diary.defects.append(f"AudioHook: {payload.decode()}")

    def _say(self, kind: str, parameters: object, server_seq: int) -> None:
        self._seq += 1
        message = {"version": "2", "id": self._hook.session, "type": kind, "seq": self._seq, "serverseq": server_seq, "position": "PT0S"}
        self._wire.say(json.dumps(message | {"parameters": parameters}))
