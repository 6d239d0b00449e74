"""What a stream is cut into while it comes in, for recordings that lie there whole."""

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp.frontend import FrontEndPlan
from voicestream.models.registry import vad_front
from voicestream.models.speech.segmenter import RATE_HZ, Segment, Segmenter


def streamed(recording: NDArray[np.int16]) -> tuple[bytes, list[Segment]]:
    """Labels, a byte 0 or 1 per 30 ms, and segments of a recording (n,) int16 at 16 kHz, as the assessor has them."""
    labels, _ = vad_front("compact")(FrontEndPlan(rate_hz=RATE_HZ)).feed(recording.tobytes())
    segmenter = Segmenter()
    return labels, segmenter.feed(recording, labels) + segmenter.flush()
