"""Twilio's side of a Media Stream, without a socket: connected, start, media, stop (twilio.md sections 2 and 4)."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from voicestream.cli.telephone_call import Ending, closed_with
from voicestream.protocols.base import NEVER

if TYPE_CHECKING:
    from trio_websocket import CloseReason

PATH = "/daspeak-stream/v1/twilio"
_ACCOUNT = "AC" + 32 * "0"
_LAST_WORD_S = 6.0  # a server keeps a stream that nobody asked for 5 s, then tells so by its close code


class TwilioCaller:
    """One stream of a call's inbound track. `ending` is set when it is over."""

    def __init__(self, call_id: str, stream_id: str | None = None) -> None:
        self.deadline = NEVER
        self.is_open, self.is_paused = True, False  # Twilio waits for nothing
        self.ending: Ending | None = None
        self._call_id = call_id
        self._stream_id = stream_id or f"MZ{secrets.token_hex(16)}"
        self._sent_ms = 0.0
        self._sequence = self._chunk = 0
        self._hung_up = False
        self._outbox = [json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})]
        self._say(
            "start",
            {
                "streamSid": self._stream_id,
                "accountSid": _ACCOUNT,
                "callSid": call_id,
                "tracks": ["inbound"],
                "customParameters": {},
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            },
        )

    def feed(self, mulaw: bytes) -> None:
        """Send a piece of speech."""
        self._chunk += 1
        payload = base64.b64encode(mulaw).decode()
        media = {"track": "inbound", "chunk": str(self._chunk), "timestamp": str(round(self._sent_ms)), "payload": payload}
        self._say("media", media)
        self._sent_ms += len(mulaw) / 8

    def hang_up(self, now: float) -> None:
        """The call is over; the server may still have a word."""
        if self.ending is None and not self._hung_up:
            self._hung_up = True
            self._say("stop", {"accountSid": _ACCOUNT, "callSid": self._call_id})
            self.deadline = now + _LAST_WORD_S

    def receive(self, message: str | bytes, now: float) -> None:
        """A server that plays audio into the call is not listened to."""

    def tick(self, now: float) -> None:
        """The server had its time for a word after the stop."""
        if now >= self.deadline:
            self.ending = Ending(enough=False)

    def lost(self, reason: CloseReason | None) -> None:
        """The server closed: with 1000 it has what it wanted."""
        normal = reason is not None and reason.code == 1000
        self.ending = Ending(enough=not self._hung_up) if normal else Ending(failure=closed_with(reason))

    def drain(self) -> Sequence[str]:
        """Messages to send, in order."""
        messages, self._outbox = self._outbox, []
        return messages

    def _say(self, event: str, content: object) -> None:
        self._sequence += 1
        self._outbox.append(
            json.dumps({"event": event, "sequenceNumber": str(self._sequence), "streamSid": self._stream_id, event: content})
        )
