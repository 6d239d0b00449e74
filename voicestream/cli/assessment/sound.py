"""What a page needs of a recording's sound: its pitch to draw, and itself to hear."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicestream.cli.recording import Recording

_BIT_RATE: Final = 48_000  # plenty for one voice; constant, so that a browser finds a word's place at once
_MP3_HZ: Final = 16_000


def pitch(recording: Recording) -> NDArray[np.float32]:
    """(frames,) Hz, one number per 10 ms, NaN where there is no voice."""
    from voicestream.dsp import pitch as detector
    from voicestream.dsp.pcm import to_float

    return detector.pitch(to_float(recording.samples), recording.rate_hz).hz


def mp3(recording: Recording) -> bytes:
    """The recording as every browser plays it, at 16 kHz."""
    import av

    from voicestream.dsp.pcm import to_float, to_int16
    from voicestream.dsp.resample import resample

    samples = recording.samples
    if recording.rate_hz != _MP3_HZ:
        samples = to_int16(resample(to_float(samples), recording.rate_hz, _MP3_HZ))
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=_MP3_HZ, layout="mono", bit_rate=_BIT_RATE)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = _MP3_HZ
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return file.getvalue()
