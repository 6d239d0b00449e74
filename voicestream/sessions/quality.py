"""Is a recording good enough for a template or a score: how much speech, how loud, how clipped, how far above the noise.

blocks ─┬─► front end ─► labels ─┐
        ├────────────────────────┴─► Meter ─► Quality ─┬─► the vendor's word for it (check_quality)
        └─► network ─► labels: are they voices? ─┘     └─► admit(): a numbered error, or nothing
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp.frontend import FrontEnd
from voicestream.errors import LITTLE_SPEECH, MUCH_NOISE, NO_VOICE, SPEECH_CLIPPED, SPEECH_QUIET, Fault, PeerError
from voicestream.models.vad import compact
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.intake import media_intake

Word: TypeAlias = Literal["OK", "TOO_NOISY", "TOO_SMALL_SPEECH_TOTAL_LENGTH", "TOO_SMALL_SPEECH_RELATIVE_LENGTH"]

FRAME_MS: Final = 30
MAX_SNR_DB: Final = 60.0  # what a quiet room gives a good microphone; above it the figure says nothing
MIN_SNR_DB: Final = -10.0
SILENCE_DBFS: Final = -101.0  # the noise of rounding to 16 bit
_FULL_SCALE: Final = 32768.0
_BIN_STEPS: Final = 64  # int16 steps in a bin of the histogram of levels
_EDGE: Final = 0.98  # of the highest level: natural speech is there for 0.02 % of its samples, mu-law or not (measured)
_EDGE_LOUD: Final = 0.1 * _FULL_SCALE  # a recording that never gets so loud is not called clipped
_DITHER_POWER: Final = 1.0 / 12.0  # of rounding to 16 bit: no noise is below it
_FLOOR_QUANTILE: Final = 0.05  # of frame powers, where the recording has hardly a pause
_FEW_PAUSES: Final = 5  # frames


@dataclass(frozen=True, slots=True)
class Threshold:
    """What the vendor's check wants of a recording."""

    snr_db: float = 8.0
    speech_length_ms: float = 2000.0
    relative_length: float = 0.1


@dataclass(frozen=True, slots=True)
class Gate:
    """What a recording must reach before a voice is taken from it."""

    net_speech_s: float = 1.0  # the vendor's own example brings 1.97 s
    level_dbfs: float = -55.0
    clipped: float = 0.05
    snr_db: float = 3.0
    voice: float = 0.25  # tones and hold music reach 0.1, or are refused for their noise; the worst of 80 recordings of speech 0.4


@dataclass(frozen=True, slots=True)
class Quality:
    """What a recording reaches; figures of level and clipping are those of its speech."""

    snr_db: float  # MIN_SNR_DB where there is no speech
    speech_length_ms: float
    relative_length: float  # of the recording that is speech, 0..1
    level_dbfs: float  # rms; 0 is a full-scale square wave, SILENCE_DBFS where there is no speech
    clipped: float  # samples at the recording's highest level, as a share of the speech: a wave cut off stays there, 0..1
    voice: float  # of what the detector took for speech, the share that a network takes for a voice too; 0..1

    def word(self, threshold: Threshold) -> Word:
        """The vendor's word; the shortage named first is the one to mend first."""
        if self.speech_length_ms < threshold.speech_length_ms:
            return "TOO_SMALL_SPEECH_TOTAL_LENGTH"
        if self.relative_length < threshold.relative_length:
            return "TOO_SMALL_SPEECH_RELATIVE_LENGTH"
        return "TOO_NOISY" if self.snr_db < threshold.snr_db else "OK"


class Unfit(PeerError):
    """A recording that does not pass the gate, and what it reaches."""

    def __init__(self, fault: Fault, detail: str, quality: Quality) -> None:
        super().__init__(fault, detail)
        self.quality = quality


def admit(quality: Quality, gate: Gate) -> None:
    """Pass, or `Unfit`: VS3013 too little speech, VS3018 no voice, VS3015 too quiet, VS3016 clipped, VS3017 too noisy."""
    speech_s = quality.speech_length_ms / 1000
    if speech_s < gate.net_speech_s:
        raise Unfit(LITTLE_SPEECH, f"{speech_s:.2f} s found, {gate.net_speech_s:.2f} s needed", quality)
    if quality.voice < gate.voice:
        raise Unfit(NO_VOICE, f"{quality.voice:.0%} of the sound is like a voice, {gate.voice:.0%} needed", quality)
    if quality.level_dbfs < gate.level_dbfs:
        raise Unfit(SPEECH_QUIET, f"{quality.level_dbfs:.0f} dBFS found, {gate.level_dbfs:.0f} needed", quality)
    if quality.clipped > gate.clipped:
        raise Unfit(SPEECH_CLIPPED, f"{quality.clipped:.1%} of the speech, {gate.clipped:.1%} allowed", quality)
    if quality.snr_db < gate.snr_db:
        raise Unfit(MUCH_NOISE, f"{quality.snr_db:.0f} dB found, {gate.snr_db:.0f} needed", quality)


def assess(rate_hz: int, blocks: Iterable[bytes], make_front: MakeFront = FrontEnd) -> Quality:
    """Measure a recording, PCM16 little-endian mono in blocks of any size."""
    intake = media_intake(rate_hz, "pcm16", make_front)
    meter = Meter(rate_hz)
    for block in blocks:
        meter.hear(block, intake.feed(block)[0])
    meter.hear(b"", intake.flush()[0])
    return meter.quality()


class Meter:
    """Listens beside a front end: the blocks that it was fed, and the labels that it gave for them."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._length = FRAME_MS * rate_hz // 1000  # rounded down at 11025 and 22050 Hz
        self._rest = b""
        self._rest_at = 0  # sample that `rest` begins with
        self._labels = bytearray()
        self._network = media_intake(rate_hz, "pcm16", compact.load())
        self._voices = bytearray()
        self._powers: list[NDArray[np.float64]] = []
        self._levels = np.zeros(32768 // _BIN_STEPS + 1, np.int64)
        self._frames = 0

    @property
    def voices(self) -> bytearray:
        """What the network said so far, one 0 or 1 per 30 ms frame; not to be changed."""
        return self._voices

    def hear(self, block: bytes, labels: bytes) -> None:
        """Take a block, PCM16 little-endian mono, and the new labels, one byte 0 or 1 per 30 ms frame."""
        self._labels += labels
        self._voices += self._network.feed(block)[0]
        data = self._rest + block
        count = 100 * (self._rest_at + len(data) // 2) // (3 * self._rate_hz)  # frames that are whole by now
        if count == self._frames:
            self._rest = data
            return
        edges = [3 * self._rate_hz * frame // 100 - self._rest_at for frame in range(self._frames, count + 1)]
        samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float64)
        frames = np.stack([samples[edge : edge + self._length] for edge in edges[:-1]])
        self._powers.append(frames.var(axis=1))
        self._levels += np.bincount((np.abs(frames) // _BIN_STEPS).astype(np.int64).reshape(-1), minlength=len(self._levels))
        self._rest = data[2 * edges[-1] :]
        self._rest_at += edges[-1]
        self._frames = count

    def quality(self) -> Quality:
        """What was heard so far."""
        power = np.concatenate([np.empty(0), *self._powers])
        speech = np.frombuffer(bytes(self._labels), np.bool_)
        voice = np.frombuffer(bytes(self._voices), np.bool_)
        count = min(len(power), len(speech))  # a resampler may hold the last frame back
        power, speech = power[:count], speech[:count]
        spoken = int(speech.sum())
        return Quality(
            snr_db=_snr_db(power, speech),
            speech_length_ms=float(FRAME_MS * spoken),
            relative_length=spoken / count if count else 0.0,
            level_dbfs=_level_dbfs(float(power[speech].mean())) if spoken else SILENCE_DBFS,
            voice=float(voice[: len(speech)][speech[: len(voice)]].mean()) if spoken else 0.0,
            clipped=min(self._at_the_edge() / (spoken * self._length), 1.0) if spoken else 0.0,
        )

    def _at_the_edge(self) -> int:
        """Samples near the highest level that the recording reaches."""
        highest = (int(self._levels.nonzero()[0][-1]) + 1) * _BIN_STEPS
        return int(self._levels[int(_EDGE * highest) // _BIN_STEPS :].sum()) if highest > _EDGE_LOUD else 0


def _level_dbfs(power: float) -> float:
    return max(10.0 * float(np.log10(max(power, _DITHER_POWER) / _FULL_SCALE**2)), SILENCE_DBFS)


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
