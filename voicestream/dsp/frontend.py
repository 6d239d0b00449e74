"""A stream's whole way from bytes to labels and features: one kernel call per chunk.

    bytes -> PCM16 | mu-law | A-law -> resample -> 30 ms speech labels -> log-mel or MFCC frames

All a stream remembers lies in one row of a `[session, K]` float32 array (at most 6 KiB), so that one call may
one day serve many sessions. Scratch belongs to the thread. Between the stages samples are float32 in -1..1.

    row:      counters (as int64) | VAD | newest input samples | analysis samples still in use
    scratch:  input block behind its history | analysis samples | scratch of the features or of the VAD's network
"""

import threading
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp import mfcc, vad
from voicestream.dsp._jit import BYTES, F32, F32_2D, F32_RO, I64_RO, INT, U8, kernel, late_kernel, part
from voicestream.dsp.g711 import Encoding, alaw_sample, mulaw_sample
from voicestream.dsp.mfcc import FeatureOptions, feature_frame, feature_plan
from voicestream.dsp.network_vad import VadNetwork, network_hop, network_start
from voicestream.dsp.resample import TAPS, ResamplePlan, resample_block, resample_plan
from voicestream.dsp.vad import VadOptions, vad_hop, vad_start

Labels: TypeAlias = bytes
Features: TypeAlias = NDArray[np.float32]

_BLOCK = 512  # input samples in flight: all scratch stays in the first cache
_LONGEST_BYTES = 32768  # per kernel call; longer chunks are cut
_PCM16, _MULAW, _ALAW = range(3)
_CODES: dict[Encoding, int] = {"pcm16": _PCM16, "mulaw": _MULAW, "alaw": _ALAW}
_NO_LABELS, _ONE_LABEL = b"", (b"\x00", b"\x01")

# Positions in a row's counters; the first two are the resampler's.
_LATE, _CARRY, _HELD, _VAD_AT, _FEATURE_AT = range(2, 7)
_COUNTERS = 8  # int64 values, that is 16 floats
_ROW_VAD = 2 * _COUNTERS

# Positions in a plan's numbers; the numbers of the resampler and of the features follow.
_ENCODING, _HOP, _AT_VAD, _AT_FEATURES, _OLDER, _WITH_FEATURES, _SCRATCH_ANALYSIS, _SCRATCH_FEATURES = range(8)
_ROW_OLDER, _VAD_SPAN, _NETWORK, _RESAMPLING = range(8, 12)
_FEATURING = _RESAMPLING + 4


@dataclass(frozen=True)
class FrontEndPlan:
    """What to do with a stream: a value, and the tables made from it once.

    encoding of the bytes, rate_hz they declare, analysis_hz (8000 or 16000) at which labels and features are
    computed; features None for labels alone; vad by energy or by a network. ValueError for rates that cannot
    be resampled.
    """

    encoding: Encoding = "pcm16"
    rate_hz: int = 16000
    analysis_hz: int = 16000
    features: FeatureOptions | None = None
    vad: VadOptions | VadNetwork = field(default_factory=VadOptions)

    def __post_init__(self) -> None:
        if self.analysis_hz not in vad.RATES_HZ:
            raise ValueError(f"analysis at 8000 or 16000 Hz, not {self.analysis_hz}")
        if self.features and self.features.rate_hz != self.analysis_hz:
            raise ValueError(f"features at {self.features.rate_hz} Hz of a stream analysed at {self.analysis_hz} Hz")
        if self.encoding not in _CODES:
            raise ValueError(f"unknown encoding {self.encoding!r}")
        if self.rate_hz < 8000:
            raise ValueError(f"streams of 8000 Hz and more, not {self.rate_hz}")
        resample_plan(self.rate_hz, self.analysis_hz)

    @cached_property
    def tables(self) -> "_Tables":
        return _tables(self)


@dataclass(frozen=True, slots=True)
class _Tables:
    resampling: ResamplePlan
    numbers: NDArray[np.int64]
    table: NDArray[np.float32]
    row: int  # floats a stream remembers
    scratch: int  # floats a thread needs
    width: int  # numbers per feature frame
    shift: int  # samples at analysis_hz between feature frames
    pool: "_Pool"


@lru_cache(maxsize=64)
def _tables(plan: FrontEndPlan) -> _Tables:
    resampling = resample_plan(plan.rate_hz, plan.analysis_hz)
    features = feature_plan(plan.features) if plan.features else None
    hop = plan.analysis_hz // 100
    older = resampling.taps - 1
    network = plan.vad.plan(plan.analysis_hz) if isinstance(plan.vad, VadNetwork) else None
    options = plan.vad.table if isinstance(plan.vad, VadOptions) else plan.vad.plan(plan.analysis_hz).table
    span, state = (network.span, network.state) if network else (hop, vad.STATE)
    kept = max(span, features.options.framing.length if features else 0)
    row_older = _ROW_VAD + state
    analysis = older + _BLOCK
    scratch_features = analysis + kept + resampling.length(_BLOCK) + 4
    of_features = features.numbers if features else np.empty(0, np.int64)
    at_network = _FEATURING + len(of_features) if network else 0
    head = [_CODES[plan.encoding], hop, len(resampling.table), len(resampling.table) + len(options), older]
    numbers = [*head, features is not None, analysis, scratch_features, row_older, span, at_network]
    row = row_older + older + kept
    return _Tables(
        resampling,
        np.concatenate((numbers, resampling.numbers, of_features, network.numbers if network else [])).astype(np.int64),
        np.concatenate((resampling.table, options, features.table if features else [])).astype(np.float32),
        row,
        scratch_features + max(mfcc.SCRATCH if features else 0, network.scratch if network else 0),
        features.options.width if features else 0,
        features.options.framing.shift if features else 1,
        _Pool(row),
    )


class _Pool:
    """Rows of equal length, in blocks that are never moved; a stream that ends gives its row to the next."""

    _BLOCK_ROWS = 32

    def __init__(self, row: int) -> None:
        self._row = row + row % 2  # counters are int64: rows start on 8 bytes
        self._free: list[NDArray[np.float32]] = []
        self._lock = threading.Lock()

    def take(self) -> NDArray[np.float32]:
        with self._lock:
            if not self._free:
                self._free.extend(np.zeros((self._BLOCK_ROWS, self._row), np.float32))
            return self._free.pop()

    def give(self, row: NDArray[np.float32]) -> None:
        self._free.append(row)


class _Workbench(threading.local):
    """What a thread works on and forgets between calls."""

    def __init__(self) -> None:
        self.scratch = np.empty(0, np.float32)
        self.labels = np.empty(_LONGEST_BYTES // 240 + 2, np.uint8)


_BENCH = _Workbench()
_NO_FEATURES = np.empty((0, 1), np.float32)


class FrontEnd:
    """One stream. Pieces of any size, odd ones too, give the same labels and features as the whole, to the bit.

    The resampler's delay is taken out: label k is about input samples [3 rate k / 100, 3 rate (k + 1) / 100),
    though a frame may come with the message after (at most 3 ms late) where rates differ.
    """

    def __init__(self, plan: FrontEndPlan) -> None:
        self._tables = tables = plan.tables
        self._numbers, self._table, self._width = tables.numbers, tables.table, tables.width
        self._kernel = _front_network if isinstance(plan.vad, VadNetwork) else _front
        # Frames a chunk can complete: analysis samples it gives, over the shift, and one under way.
        self._frames_per_byte = tables.resampling.length(1 << 20) / (1 << 20) / tables.shift / (2 if plan.encoding == "pcm16" else 1)
        self._row = row = tables.pool.take()
        row[:] = 0.0
        start = network_start if isinstance(plan.vad, VadNetwork) else vad_start
        start(row[_ROW_VAD : tables.numbers[_ROW_OLDER]])
        counters = row[:_ROW_VAD].view(np.int64)
        counters[_CARRY] = -1
        counters[_LATE] = tables.resampling.delay_samples
        self._silence = {"pcm16": b"\x00\x00", "mulaw": b"\xff", "alaw": b"\xd5"}[plan.encoding]

    def __del__(self) -> None:
        if hasattr(self, "_row"):
            self._tables.pool.give(self._row)

    def feed(self, data: bytes) -> tuple[Labels, Features]:
        """Bytes (n,) -> one 0/1 byte per completed 30 ms frame, and (k, width) float32 of completed feature frames."""
        size = len(data)
        if size > _LONGEST_BYTES:
            return self._feed_long(data)
        bench = _BENCH
        scratch = bench.scratch
        if len(scratch) < self._tables.scratch:
            bench.scratch = scratch = np.empty(self._tables.scratch, np.float32)
        features = np.empty((int(size * self._frames_per_byte) + 2, self._width), np.float32) if self._width else _NO_FEATURES
        made = self._kernel(data, self._row, self._numbers, self._table, scratch, bench.labels, features)
        labels = made & 0xFFFF
        if labels == 0:
            return _NO_LABELS, features[: made >> 32]
        if labels == 1:
            return _ONE_LABEL[made >> 16 & 1], features[: made >> 32]
        return bench.labels[:labels].tobytes(), features[: made >> 32]

    def _feed_long(self, data: bytes) -> tuple[Labels, Features]:
        pieces = [self.feed(data[start : start + _LONGEST_BYTES]) for start in range(0, len(data), _LONGEST_BYTES)]
        return b"".join(labels for labels, _ in pieces), np.concatenate([features for _, features in pieces])

    def flush(self) -> tuple[Labels, Features]:
        """The frames of a recording that still lie in the resampler; the stream is over."""
        return self.feed(self._silence * self._tables.resampling.tail)


@part(inline=True)
def _decode_pcm16(data: NDArray[np.uint8], start: int, count: int, out: NDArray[np.float32]) -> None:
    # Samples of two bytes from byte `start` on.
    pairs = data[start : start + 2 * count]
    for i in range(count):
        sample = np.int16(np.uint16(pairs[2 * i]) | np.uint16(np.uint16(pairs[2 * i + 1]) << np.uint16(8)))
        out[i] = np.float32(sample) * np.float32(1.0 / 32768.0)


@part(inline=True)
def _decode_mulaw(data: NDArray[np.uint8], start: int, count: int, out: NDArray[np.float32]) -> None:
    codes = data[start : start + count]
    for i in range(count):
        out[i] = np.float32(mulaw_sample(codes[i])) * np.float32(1.0 / 32768.0)


@part(inline=True)
def _decode_alaw(data: NDArray[np.uint8], start: int, count: int, out: NDArray[np.float32]) -> None:
    codes = data[start : start + count]
    for i in range(count):
        out[i] = np.float32(alaw_sample(codes[i])) * np.float32(1.0 / 32768.0)


@part()
def _copy(source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
    for i in range(len(source)):
        target[i] = source[i]


@part(inline=True)
def front_block(
    data: NDArray[np.uint8],
    row: NDArray[np.float32],
    numbers: NDArray[np.int64],
    table: NDArray[np.float32],
    scratch: NDArray[np.float32],
    labels: NDArray[np.uint8],
    features: NDArray[np.float32],
    network: bool,
) -> int:
    """One session's chunk; returns labels made | first label << 16 | feature frames made << 32.

    network, a constant: which detector is compiled in. The other one's code would cost every start 5 s of compilation.
    """
    counters = row[:_ROW_VAD].view(np.int64)
    row_older, span, at_network = numbers[_ROW_OLDER], numbers[_VAD_SPAN], numbers[_NETWORK]
    voice = row[_ROW_VAD:row_older]
    resampling, featuring = numbers[_RESAMPLING:_FEATURING], numbers[_FEATURING:]
    hop, older, with_features = numbers[_HOP], numbers[_OLDER], numbers[_WITH_FEATURES]
    options = table[numbers[_AT_VAD] : numbers[_AT_FEATURES]]
    shapes = table[numbers[_AT_FEATURES] :]
    work = scratch[: numbers[_SCRATCH_ANALYSIS]]
    analysis = scratch[numbers[_SCRATCH_ANALYSIS] : numbers[_SCRATCH_FEATURES]]
    spare = scratch[numbers[_SCRATCH_FEATURES] :]
    held, vad_at, feature_at = counters[_HELD], counters[_VAD_AT], counters[_FEATURE_AT]
    _copy(row[row_older : row_older + older], work[:older])
    _copy(row[row_older + older : row_older + older + held], analysis[:held])

    encoding = numbers[_ENCODING]
    carried = 0  # samples that begin with the odd byte of the chunk before
    start = 0
    left = len(data)
    if encoding == _PCM16:
        if counters[_CARRY] >= 0 and left:
            carried, start = 1, 1
        left = (left - start) // 2
    made_labels = 0
    made_features = 0
    while left + carried > 0:
        room = work[older:]
        if carried:
            work[older] = np.float32(np.int16(np.uint16(counters[_CARRY]) | np.uint16(np.uint16(data[0]) << np.uint16(8)))) * np.float32(
                1.0 / 32768.0
            )
            room = room[1:]
        count = min(left, _BLOCK - carried)
        if encoding == _PCM16:
            _decode_pcm16(data, start, count, room)
            start += 2 * count
        elif encoding == _MULAW:
            _decode_mulaw(data, start, count, room)
            start += count
        else:
            _decode_alaw(data, start, count, room)
            start += count
        left -= count
        count += carried
        if carried:
            counters[_CARRY] = -1
            carried = 0

        if resampling[TAPS] > 1:
            fresh = analysis[held:]
            made = resample_block(work, count, resampling, table, counters, fresh)
            late = min(counters[_LATE], made)
            if late:
                _copy(fresh[late:made], fresh)
                counters[_LATE] -= late
            held += made - late
        else:
            _copy(work[:count], analysis[held:])
            held += count

        while vad_at + span <= held:
            if network:
                label = network_hop(analysis[vad_at : vad_at + span], numbers[at_network:], options, voice, spare)
            else:
                label = vad_hop(analysis[vad_at : vad_at + hop], options, voice)
            if label >= 0:
                labels[made_labels] = label
                made_labels += 1
            vad_at += hop
        done = vad_at
        if with_features:
            length, shift = featuring[mfcc.LENGTH], featuring[mfcc.SHIFT]
            while feature_at + length <= held:
                feature_frame(analysis[feature_at : feature_at + length], featuring, shapes, spare, features[made_features])
                made_features += 1
                feature_at += shift
            done = min(done, feature_at)
        _copy(analysis[done:held], analysis)
        held -= done
        vad_at -= done
        feature_at -= done

    if encoding == _PCM16 and start < len(data):
        counters[_CARRY] = data[start]
    counters[_HELD], counters[_VAD_AT], counters[_FEATURE_AT] = held, vad_at, feature_at
    _copy(work[:older], row[row_older : row_older + older])
    _copy(analysis[:held], row[row_older + older : row_older + older + held])
    first = int(labels[0]) if made_labels else 0
    return made_labels | first << 16 | made_features << 32


@kernel(INT(BYTES, F32, I64_RO, F32_RO, F32, U8, F32_2D))
def _front(
    data: bytes,
    row: NDArray[np.float32],
    numbers: NDArray[np.int64],
    table: NDArray[np.float32],
    scratch: NDArray[np.float32],
    labels: NDArray[np.uint8],
    features: NDArray[np.float32],
) -> int:
    return front_block(np.frombuffer(data, np.uint8), row, numbers, table, scratch, labels, features, False)


@late_kernel(INT(BYTES, F32, I64_RO, F32_RO, F32, U8, F32_2D))
def _front_network(
    data: bytes,
    row: NDArray[np.float32],
    numbers: NDArray[np.int64],
    table: NDArray[np.float32],
    scratch: NDArray[np.float32],
    labels: NDArray[np.uint8],
    features: NDArray[np.float32],
) -> int:
    return front_block(np.frombuffer(data, np.uint8), row, numbers, table, scratch, labels, features, True)
