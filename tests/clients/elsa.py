"""What the vendor's two streaming clients do, with their libraries: packets cut by pydub, ws4py's socket, messages read as they read them.

Fields are read unguarded, as theirs are: a message without one is an error of the server's.
"""

import io
import queue
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import ujson
from pydub import AudioSegment
from ws4py.client.threadedclient import WebSocketClient

PACKET_MS = 500
LONGEST_S = 60


@dataclass
class Heard:
    """What a client has seen."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    unknown: list[dict[str, Any]] = field(default_factory=list)
    close_code: int | None = None


def packets(wav: bytes) -> list[bytes]:
    """Half seconds of a file, each a WAV file of pydub's making."""
    audio = AudioSegment.from_wav(io.BytesIO(wav))
    files = []
    for begin in range(0, int(audio.duration_seconds * 1000), PACKET_MS):
        file = io.BytesIO()
        audio[begin : begin + PACKET_MS].export(file, format="wav")
        files.append(file.getvalue())
    return files


class _Client(WebSocketClient):  # type: ignore[misc]
    """One exchange; `pace_s` between packets."""

    def __init__(self, url: str, token: str, wav: bytes, pace_s: float) -> None:
        super().__init__(url, headers=[("Authorization", f"ELSA {token}")])
        self.heard = Heard()
        self.results: queue.Queue[dict[str, Any]] = queue.Queue()
        self._wav = wav
        self._pace = threading.Event()
        self._pace_s = pace_s
        self.audio = threading.Thread(target=self._send_audio, daemon=True)

    def _send_audio(self) -> None:
        with suppress(RuntimeError, OSError):  # theirs ends with a traceback when the connection is over before the audio
            for packet in packets(self._wav):
                if self._pace.is_set():
                    return
                self.send(packet, binary=True)
                self._pace.wait(self._pace_s)
            self.send('{"type": "ELSA:end_stream"}')

    def stop(self) -> None:
        self._pace.set()

    def received_message(self, message: Any) -> None:
        response = ujson.loads(str(message))
        self.heard.messages.append(response)
        self.take(response)

    def take(self, response: dict[str, Any]) -> None:
        raise NotImplementedError

    def closed(self, code: int, reason: str | None = None) -> None:
        self.heard.close_code = code
        self.results.put({"type": "client_finished"})


class Unscripted(_Client):
    """The client of free speech."""

    def start(self) -> None:
        self.send(ujson.dumps({"api_plan": "standard", "return_json": True}))

    def take(self, response: dict[str, Any]) -> None:
        if "status" not in response:
            self.close()
            return
        if response["status"] == "failed":
            response["reason"]
            self.stop()
            self.close()
        elif response["status"] == "processing":
            if "stream_id" in response:
                self.audio.start()
        elif response["status"] == "success":
            self.stop()
            response["audio_link"]
        else:
            self.heard.unknown.append(response)
        self.results.put(response)


class Scripted(_Client):
    """The client of given sentences."""

    sentence = "pizza party"

    def start(self) -> None:
        info = {"api_plan": "standard", "sentence": self.sentence}
        self.send(ujson.dumps({"type": "ELSA:start_stream", "data": {"stream_info": info}}))

    def take(self, response: dict[str, Any]) -> None:
        match response.get("type"):
            case "ELSA:error":
                response["message"]
                self.stop()
                self.close(100, "closing please")  # as theirs does: no WebSocket knows this code
            case "ELSA:warning":
                response["message"]
            case "ELSA:start_stream_result":
                self.audio.start()
            case "ELSA:decoding_result":
                response["data"]["utterance"][0]["sentence"]
                if response["data"]["stream_finished"] is True:
                    self.stop()
            case "ELSA:stopped_listening":
                self.stop()
            case "ELSA:ready" | "ELSA:message" | "ELSA:audioACK" | "ELSA:wsConnect":
                pass
            case _:
                self.heard.unknown.append(response)
                self.close()
        self.results.put(response)


def exchange(client: _Client) -> Heard:
    """Run it to its last word; it leaves without a Close, as theirs do when they exit."""
    client.connect()
    sock = client.sock
    client.start()  # type: ignore[attr-defined]
    last = ("success", "failed", "ELSA:decoding_result", "ELSA:error", "client_finished")
    while (told := client.results.get(timeout=LONGEST_S)).get("status", told.get("type")) not in last:
        pass
    sock.close()
    return client.heard
