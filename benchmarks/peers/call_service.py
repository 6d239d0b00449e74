"""The audio side of a call service written the usual way: websockets on asyncio, json, base64, webrtcvad, soxr, kaldi-native-fbank.

    python -m benchmarks.peers.call_service [WANTED_S [voice]]      prints its port, then serves until it is killed

Takes Twilio streams: mu-law of the caller is decoded, its 30 ms frames of voice are counted, it is resampled to the
16 kHz of speaker models and their features are computed as it comes; a stream with WANTED_S of voice is closed. With
`voice`, resampling and features are left out: what is done once for each stream could be done at its end.
"""

import asyncio
import base64
import json
import sys

import kaldi_native_fbank as knf  # type: ignore[import-untyped]
import numpy as np
import soxr  # type: ignore[import-untyped]
import webrtcvad  # type: ignore[import-untyped]
from numpy.typing import NDArray
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from benchmarks.measure import SERVER_CORE, pin, raise_file_limit
from voicestream.dsp import g711

RATE_HZ, MODEL_HZ = 8000, 16_000
FRAME_BYTES = 2 * 30 * RATE_HZ // 1000

_PCM16 = g711.mulaw_expand(bytes(range(256))).astype(np.int16)


class Voice:
    """One caller's voice, gathered."""

    def __init__(self, wanted_s: float, features: bool = True) -> None:
        self._wanted = round(wanted_s * RATE_HZ) * 2
        self._vad = webrtcvad.Vad(2)
        self._rest = b""
        self._voice = bytearray()
        self._features = features
        self._resampler = soxr.ResampleStream(RATE_HZ, MODEL_HZ, 1, dtype="float32")
        options = knf.FbankOptions()
        options.frame_opts.samp_freq = MODEL_HZ
        options.frame_opts.dither = 0.0
        options.mel_opts.num_bins = 40
        self._fbank = knf.OnlineFbank(options)
        self.rows: list[NDArray[np.float32]] = []
        self._ready = 0

    def feed(self, mulaw: bytes) -> bool:
        """Take a message; whether there is voice enough."""
        samples = _PCM16[np.frombuffer(mulaw, np.uint8)]
        data = self._rest + samples.tobytes()
        whole = len(data) // FRAME_BYTES * FRAME_BYTES
        self._rest = data[whole:]
        for start in range(0, whole, FRAME_BYTES):
            frame = data[start : start + FRAME_BYTES]
            if self._vad.is_speech(frame, RATE_HZ):
                self._voice += frame
        if self._features:
            wide = self._resampler.resample_chunk(samples.astype(np.float32) / 32768)
            if len(wide):
                # A list: faster than an array through these bindings.
                self._fbank.accept_waveform(MODEL_HZ, wide.tolist())
                for frame_number in range(self._ready, self._fbank.num_frames_ready):
                    self.rows.append(self._fbank.get_frame(frame_number))
                self._ready = self._fbank.num_frames_ready
                self._fbank.pop(self._ready)
        return len(self._voice) >= self._wanted


async def handle(websocket: ServerConnection, wanted_s: float, features: bool) -> None:
    voice = Voice(wanted_s, features)
    try:
        async for text in websocket:
            message = json.loads(text)
            if message["event"] == "media":
                media = message["media"]
                if media.get("track", "inbound") == "inbound" and voice.feed(base64.b64decode(media["payload"], validate=True)):
                    await websocket.close()
            elif message["event"] == "stop":
                break
    except ConnectionClosed:
        pass


async def main(wanted_s: float, features: bool) -> None:
    async with serve(lambda websocket: handle(websocket, wanted_s, features), "127.0.0.1", 0, backlog=1024) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    pin(SERVER_CORE)
    raise_file_limit()
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0, sys.argv[2:] != ["voice"]))
