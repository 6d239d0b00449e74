"""Is a recording good enough to enrol: how much speech it holds, and how far the speech stands above the noise."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp.frontend import FrontEnd
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.intake import media_intake

Word: TypeAlias = Literal["OK", "TOO_NOISY", "TOO_SMALL_SPEECH_TOTAL_LENGTH", "TOO_SMALL_SPEECH_RELATIVE_LENGTH"]

FRAME_MS: Final = 30
MAX_SNR_DB: Final = 60.0  # what a quiet room gives a good microphone; above it the figure says nothing
MIN_SNR_DB: Final = -10.0
_DITHER_POWER: Final = 1.0 / 12.0  # of rounding to 16 bit: no noise is below it
_FLOOR_QUANTILE: Final = 0.05  # of frame powers, where the recording has hardly a pause
_FEW_PAUSES: Final = 5  # frames


@dataclass(frozen=True, slots=True)
class Threshold:
    """What a recording must reach."""

    snr_db: float = 8.0
    speech_length_ms: float = 2000.0
    relative_length: float = 0.1


@dataclass(frozen=True, slots=True)
class Quality:
    """What a recording reaches, and the vendor's word for it."""

    snr_db: float
    speech_length_ms: float
    relative_length: float  # of the recording that is speech, 0..1
    word: Word


def assess(rate_hz: int, blocks: Iterable[bytes], threshold: Threshold = Threshold(), make_front: MakeFront = FrontEnd) -> Quality:
    """Measure a recording, PCM16 little-endian mono in blocks; the shortage named first is the one to mend first."""
    power, speech = _frames(rate_hz, blocks, make_front)
    length_ms = float(FRAME_MS * int(speech.sum()))
    relative = float(speech.mean()) if speech.size else 0.0
    snr = _snr_db(power, speech)
    word: Word = "OK"
    if length_ms < threshold.speech_length_ms:
        word = "TOO_SMALL_SPEECH_TOTAL_LENGTH"
    elif relative < threshold.relative_length:
        word = "TOO_SMALL_SPEECH_RELATIVE_LENGTH"
    elif snr < threshold.snr_db:
        word = "TOO_NOISY"
    return Quality(snr, length_ms, relative, word)


def snr_db(rate_hz: int, blocks: Iterable[bytes], make_front: MakeFront = FrontEnd) -> float:
    """Speech over noise in dB, within `MIN_SNR_DB` .. `MAX_SNR_DB`; `MIN_SNR_DB` where there is no speech."""
    return _snr_db(*_frames(rate_hz, blocks, make_front))


def _snr_db(power: NDArray[np.float64], speech: NDArray[np.bool_]) -> float:
    """Mean power of speech frames less the noise, over the noise: the median of the pauses or, without any, the quietest frames."""
    if not speech.any():
        return MIN_SNR_DB
    pauses = power[~speech]
    pauses = pauses[pauses > 0.0]  # digital silence between prompts is no noise
    noise = float(np.median(pauses)) if len(pauses) >= _FEW_PAUSES else float(np.quantile(power[speech], _FLOOR_QUANTILE))
    noise = max(noise, _DITHER_POWER)
    signal = float(power[speech].mean()) - noise
    if signal <= 0.0:
        return MIN_SNR_DB
    return min(max(10.0 * float(np.log10(signal / noise)), MIN_SNR_DB), MAX_SNR_DB)


def _frames(rate_hz: int, blocks: Iterable[bytes], make_front: MakeFront) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Power in squared int16 steps, without DC, and speech mark of every whole 30 ms frame."""
    intake = media_intake(rate_hz, "pcm16", make_front)
    labels = bytearray()

    def heard() -> Iterator[bytes]:
        for block in blocks:
            labels.extend(intake.feed(block)[0])
            yield block
        labels.extend(intake.flush()[0])

    powers = [_powers(samples) for samples in _whole_frames(rate_hz, heard())]
    power = np.concatenate(powers) if powers else np.empty(0)
    speech = np.frombuffer(bytes(labels), np.bool_)
    count = min(len(power), len(speech))  # a resampler may hold the last frame back
    return power[:count], speech[:count]


def _whole_frames(rate_hz: int, blocks: Iterable[bytes]) -> Iterator[NDArray[np.float64]]:
    """Samples (n, frame length) of as many whole frames as each block completes; the frame is rounded down at 11025 and 22050 Hz."""
    rest = b""
    taken = 0  # frames
    offset = 0  # samples before the first byte of `rest`
    length = FRAME_MS * rate_hz // 1000
    for block in blocks:
        data = rest + block
        count = 100 * (offset + len(data) // 2) // (3 * rate_hz)
        edges = [3 * rate_hz * frame // 100 - offset for frame in range(taken, count + 1)]
        samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float64)
        if count > taken:
            yield np.stack([samples[edge : edge + length] for edge in edges[:-1]])
        rest = data[2 * edges[-1] :]
        offset += edges[-1]
        taken = count


def _powers(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    power: NDArray[np.float64] = frames.var(axis=1)
    return power
