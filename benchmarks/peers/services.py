"""The two stream services written the usual way: websockets on asyncio, webrtcvad, kaldi-native-fbank, numpy, json.

    python -m benchmarks.peers.services        prints its port, then serves until it is killed

Same wire and same work as ours (idvoice.md sections 5, 6), written with care for speed but with nothing home-made:
frames are classified when they are whole, features computed once, the answer is a dict that json spells.
"""

import asyncio
import json
import math
from collections.abc import Callable
from typing import Any

import kaldi_native_fbank as knf  # type: ignore[import-untyped]
import numpy as np
import webrtcvad  # type: ignore[import-untyped]
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from benchmarks.measure import SERVER_CORE, pin, raise_file_limit

FRAME_MS = 30
ROWS_PER_FRAME = 3
CEPSTRA = 20
DIMENSION = 60
MIN_SPEECH_ROWS = 50

_RNG = np.random.default_rng(7)
PROJECTION = _RNG.standard_normal((2 * CEPSTRA, DIMENSION)).astype(np.float32)
VOICE = _RNG.standard_normal(DIMENSION).astype(np.float32)
VOICE /= np.linalg.norm(VOICE)


class Labels:
    """Speech or not, per 30 ms frame."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._frame_bytes = 2 * rate_hz * FRAME_MS // 1000
        self._vad = webrtcvad.Vad(2)
        self._rest = b""

    def feed(self, data: bytes) -> list[bool]:
        data = self._rest + data
        whole = len(data) // self._frame_bytes * self._frame_bytes
        self._rest = data[whole:]
        return [self._vad.is_speech(data[start : start + self._frame_bytes], self._rate_hz) for start in range(0, whole, self._frame_bytes)]


class Summary:
    """`/speech_summary_stream` after its one parameter."""

    def __init__(self, texts: list[str]) -> None:
        self._rate_hz = int(texts[0])
        self._frame_samples = self._rate_hz * FRAME_MS // 1000
        self._labels = Labels(self._rate_hz)
        self._samples = 0
        self._speech = 0
        self._silence = 0  # frames since the last speech
        self._frames: list[bool] = []
        self._events: list[dict[str, Any]] = []

    def feed(self, data: bytes) -> str:
        self._samples += len(data) // 2
        for label in self._labels.feed(data):
            self._add(label)
        frames = len(self._frames)
        summary = {
            "background_length": (frames - self._speech) * 0.03,
            "speech_signal_length": self._speech * 0.03,
            "total_length": self._samples / self._rate_hz,
            "vad_result": {"frame_length_ms": 30.0, "frames": self._frames},
        }
        return json.dumps(
            {
                "current_background_length": self._silence * 0.03,
                "speech_length": self._speech * 0.03,
                "current_speech_summary": summary,
                "speech_events": self._events,
            }
        )

    def _add(self, label: bool) -> None:
        start = len(self._frames) * self._frame_samples
        if not self._frames or self._frames[-1] != label:
            self._events.append({"is_voice": label, "audio_interval": interval(start, start, self._rate_hz)})
        self._frames.append(label)
        span = self._events[-1]["audio_interval"]
        span["end_sample"] = start + self._frame_samples
        span["end_time"] = span["end_sample"] * 1000 // self._rate_hz
        self._speech += label
        self._silence = 0 if label else self._silence + 1


class Verify:
    """`/voice_verify_stream` after its four parameters: statistics of the speech frames, projection, cosine."""

    def __init__(self, texts: list[str]) -> None:
        _, rate, context_s, window_s = texts
        self._rate_hz = int(rate)
        self._labels = Labels(self._rate_hz)
        options = knf.MfccOptions()
        options.frame_opts.samp_freq = self._rate_hz
        options.frame_opts.dither = 0.0
        options.mel_opts.num_bins = 24
        options.num_ceps = CEPSTRA
        options.use_energy = False
        self._mfcc = knf.OnlineMfcc(options)
        self._window = round(float(window_s) * self._rate_hz)
        self._hop = self._rate_hz
        self._window_frames = self._window * 1000 // (self._rate_hz * FRAME_MS)
        self._in_context = int(float(context_s) - float(window_s)) + 1
        self._next_end = self._window
        self._samples = 0
        self._carried = b""
        self._speech: list[bool] = []
        self._rows = np.empty((4 * ROWS_PER_FRAME * self._window_frames, CEPSTRA), np.float32)
        self._end = 0  # rows in use
        self._ready = 0  # frames taken from the extractor
        self._vectors: list[np.ndarray] = []

    def feed(self, data: bytes) -> str:
        data = self._carried + data
        self._carried = data[len(data) // 2 * 2 :]
        samples = np.frombuffer(data, np.int16, len(data) // 2)
        self._samples += len(samples)
        # A list: faster than an array through these bindings (9.0 against 14.3 us a frame).
        self._mfcc.accept_waveform(self._rate_hz, (samples.astype(np.float32) / 32768).tolist())
        for frame in range(self._ready, self._mfcc.num_frames_ready):
            self._rows[self._end] = self._mfcc.get_frame(frame)
            self._end += 1
        self._ready = self._mfcc.num_frames_ready
        self._speech += self._labels.feed(data)
        if self._samples < self._next_end:
            return "[]"
        elements = []
        while self._next_end <= self._samples:
            elements.append(self._element(self._next_end - self._window, self._next_end))
            self._next_end += self._hop
        self._forget()
        return json.dumps(elements)

    def _element(self, start: int, end: int) -> dict[str, Any]:
        speech = np.repeat(np.array(self._speech[-self._window_frames :]), ROWS_PER_FRAME)
        count = min(len(speech), self._end)
        spoken = self._rows[self._end - count : self._end][speech[-count:]]
        if len(spoken) >= MIN_SPEECH_ROWS:
            vector = np.concatenate((spoken.mean(axis=0), spoken.std(axis=0))) @ PROJECTION
            self._vectors.append(vector / np.linalg.norm(vector))
            del self._vectors[: -self._in_context]
        score = 0.0
        if self._vectors:
            mean = np.mean(self._vectors, axis=0)
            score = float(mean @ VOICE / np.linalg.norm(mean))
        return {
            "audio_interval": interval(start, end, self._rate_hz),
            "verify_result": {"probability": 1 / (1 + math.exp(-10 * score)), "score": score},
        }

    def _forget(self) -> None:
        """Keep what the windows to come need."""
        kept = min(self._end, ROWS_PER_FRAME * self._window_frames)
        self._mfcc.pop(self._end - kept)
        self._rows[:kept] = self._rows[self._end - kept : self._end].copy()
        self._end = kept
        del self._speech[: -self._window_frames]


def interval(start: int, end: int, rate_hz: int) -> dict[str, int]:
    return {
        "end_sample": end,
        "end_time": end * 1000 // rate_hz,
        "sample_rate": rate_hz,
        "start_sample": start,
        "start_time": start * 1000 // rate_hz,
    }


SERVICES: dict[str, tuple[int, Callable[[list[str]], Summary | Verify]]] = {
    "/speech_summary_stream": (1, Summary),
    "/voice_verify_stream": (4, Verify),
}


async def handle(websocket: ServerConnection) -> None:
    assert websocket.request is not None
    parameters, make = SERVICES[websocket.request.path]
    try:
        texts: list[str] = []
        while len(texts) < parameters:
            texts.append(str(await websocket.recv()))
            await websocket.send("200")
        service = make(texts)
        async for message in websocket:
            assert isinstance(message, bytes)
            await websocket.send(service.feed(message))
    except ConnectionClosed:
        pass


async def main() -> None:
    async with serve(handle, "127.0.0.1", 0, backlog=1024) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    pin(SERVER_CORE)
    raise_file_limit()
    asyncio.run(main())
