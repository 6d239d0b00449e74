"""A recording as it can be seen: waveform, pitch and pauses with the words over them, as SVG that a page has inside.

Rows of some seconds each, one SVG a row, so that a long recording is read like lines of text, and breaks across sheets of paper.
Colours are those of the page's style sheet; every colour has a second sign: the kind of line under a word.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voicestream.cli.assessment.finding import Finding, Word
from voicestream.cli.assessment.printout import spelled
from voicestream.cli.recording import Recording

ROW_S: Final = 8.0
FRAME_S: Final = 0.01  # of the pitch
_BREAK_S: Final = 1.5  # how far a row may be cut from where it would be, so that no word is
_FAR: Final = 0.3  # seconds of a longer pause that a second of this distance is worth
_WIDTH, _LEFT, _RIGHT = 1000.0, 46.0, 8.0
_LANE, _LANES = 17.0, 3  # height and greatest count of the lines of words
_UNDER = 4.0  # where words are underlined, above the waveform
_WAVE = 96.0
_AXIS = 20.0
_LETTER = 7.2  # width of a letter of a word, about
_COLUMN = 2.0  # width of a column of the waveform
_LEAST_VOICED = 3  # frames: shorter runs are errors of the pitch detector rather than voice

HATCHING: Final = (
    '<svg class="hidden" width="0" height="0" aria-hidden="true"><defs><pattern id="pause" width="6" height="6" '
    'patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V6"/></pattern></defs></svg>'
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A stretch of the recording; `scale` is units per second. y is measured from the top of the waveform."""

    start_s: float
    end_s: float
    scale: float

    def x(self, time_s: float) -> float:
        return _LEFT + (min(max(time_s, self.start_s), self.end_s) - self.start_s) * self.scale

    @property
    def right(self) -> float:
        return self.x(self.end_s)

    def holds(self, start_s: float, end_s: float) -> bool:
        return start_s < self.end_s and end_s > self.start_s


def draw(finding: Finding, recording: Recording, pitch_hz: NDArray[np.float32]) -> str:
    """The whole recording; pitch_hz (frames,) one number per FRAME_S, NaN where there is no voice, may be empty."""
    if not recording.duration_s:
        return ""
    edges = _edges(finding, recording.duration_s)
    scale = (_WIDTH - _LEFT - _RIGHT) / max(end_s - start_s for start_s, end_s in itertools.pairwise(edges))
    rows = [_Row(start_s, end_s, scale) for start_s, end_s in itertools.pairwise(edges)]
    peak = float(np.abs(recording.samples.astype(np.float32)).max(initial=1.0))
    octaves = _PitchScale.of(pitch_hz)
    return HATCHING + "".join(_row(row, finding, recording, peak, pitch_hz, octaves) for row in rows)


def _edges(finding: Finding, total_s: float) -> list[float]:
    """Where rows begin and end, in seconds: each about ROW_S after the one before, and rather in a pause than in a sentence."""
    count = max(math.ceil(total_s / ROW_S - 0.25), 1)  # rather a little more in each row than a row with the last word alone
    spans = sorted(word.span_s for word in finding.words if word.span_s is not None)
    gaps = [(end_s, start_s) for (_, end_s), (start_s, _) in itertools.pairwise(spans) if end_s <= start_s]
    inner = []
    for number in range(1, count):
        ideal_s = total_s * number / count
        near = {(start_s + end_s) / 2: end_s - start_s for start_s, end_s in gaps if abs((start_s + end_s) / 2 - ideal_s) < _BREAK_S}
        inner.append(max(near, key=lambda place_s: near[place_s] - _FAR * abs(place_s - ideal_s), default=ideal_s))
    return [0.0, *inner, total_s]


def _row(row: _Row, finding: Finding, recording: Recording, peak: float, pitch_hz: NDArray[np.float32], scale: _PitchScale | None) -> str:
    words = [(word, word.span_s) for word in finding.words if word.span_s is not None and row.holds(*word.span_s)]
    pauses = [pause for pause in finding.pauses if row.holds(*pause)]
    lanes, named = _words(row, words)
    parts = [
        *_pauses(row, pauses),
        f'<path class="wave" d="{_wave(row, recording, peak)}"/>',
        *(_pitch(row, pitch_hz, scale) if scale is not None else ()),
        *named,
        *_axis(row),
    ]
    label = f"{row.start_s:.1f} to {row.end_s:.1f} seconds: {len(words)} words, {len(pauses)} pauses"
    top = lanes * _LANE + _UNDER + 6
    box = f"0 {-top:g} {_WIDTH:g} {top + _WAVE + _AXIS:g}"
    return f'<svg class="row" viewBox="{box}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _pauses(row: _Row, pauses: Iterable[tuple[float, float]]) -> Iterator[str]:
    for start_s, end_s in pauses:
        left, right = row.x(start_s), row.x(end_s)
        yield f'<rect class="pause" x="{left:.1f}" y="0" width="{right - left:.1f}" height="{_WAVE:g}"/>'
        if right - left > 24:
            yield f'<text class="length" x="{(left + right) / 2:.1f}" y="12">{end_s - start_s:.1f} s</text>'


def _wave(row: _Row, recording: Recording, peak: float) -> str:
    """The outline of the loudest and the lowest sample of each column."""
    first, last = (round(time_s * recording.rate_hz) for time_s in (row.start_s, row.end_s))
    samples = recording.samples[first:last].astype(np.float32) / peak
    left, right = _LEFT, row.right
    columns = max(min(round((right - left) / _COLUMN), len(samples)), 1)
    edges = np.linspace(0, max(len(samples) - 1, 0), columns, endpoint=False).astype(np.intp)
    high, low = np.maximum.reduceat(samples, edges), np.minimum.reduceat(samples, edges)
    middle, half = _WAVE / 2, _WAVE / 2 - 2
    places = np.linspace(left, right, columns)
    top = [f"{x:.1f} {middle - half * y:.1f}" for x, y in zip(places, high, strict=True)]
    bottom = [f"{x:.1f} {middle - half * y:.1f}" for x, y in zip(places[::-1], low[::-1], strict=True)]
    return f"M{'L'.join(top + bottom)}Z"


@dataclass(frozen=True, slots=True)
class _PitchScale:
    """A scale of octaves, as pitch is heard, around what this voice has."""

    low_hz: float
    high_hz: float

    @classmethod
    def of(cls, pitch_hz: NDArray[np.float32]) -> _PitchScale | None:
        voiced = pitch_hz[np.isfinite(pitch_hz) & (pitch_hz > 0)]
        if len(voiced) < _LEAST_VOICED:
            return None
        low, high = (float(value) for value in np.percentile(voiced, [2, 98]))
        return cls(low / 1.25, high * 1.25)

    def y(self, hz: float) -> float:
        share = math.log(hz / self.low_hz) / math.log(self.high_hz / self.low_hz)
        return _WAVE - 3 - share * (_WAVE - 6)

    @property
    def marks_hz(self) -> list[int]:
        """Round numbers within it, few enough to read."""
        within = [hz for hz in (50, 75, 100, 150, 200, 300, 400, 600) if self.low_hz * 1.05 < hz < self.high_hz * 0.95]
        return within[:: max(len(within) // 3, 1)]


def _pitch(row: _Row, pitch_hz: NDArray[np.float32], scale: _PitchScale) -> Iterator[str]:
    for mark_hz in scale.marks_hz:
        y = scale.y(mark_hz)
        yield f'<path class="grid" d="M{_LEFT:g} {y:.1f}H{row.right:.1f}"/>'
        yield f'<text class="hz" x="{_LEFT - 4:g}" y="{y + 4:.1f}">{mark_hz} Hz</text>'
    first, last = (round(time_s / FRAME_S) for time_s in (row.start_s, row.end_s))
    within = (pitch_hz >= scale.low_hz) & (pitch_hz <= scale.high_hz)  # NaN is not; what leaps out of a voice's range is an error
    for run in _runs(within[first:last]):
        points = (f"{row.x((first + frame) * FRAME_S):.1f} {scale.y(pitch_hz[first + frame]):.1f}" for frame in run)
        yield f'<path class="pitch" d="M{"L".join(points)}"/>'


def _runs(voiced: NDArray[np.bool_]) -> Iterator[range]:
    """Stretches of frames that have a pitch."""
    padded = np.concatenate(([False], voiced, [False]))
    borders = np.flatnonzero(padded[1:] != padded[:-1]).tolist()
    for first, end in zip(borders[::2], borders[1::2], strict=True):
        if end - first >= _LEAST_VOICED:
            yield range(first, end)


def _words(row: _Row, words: Iterable[tuple[Word, tuple[float, float]]]) -> tuple[int, list[str]]:
    """Each word over its time, in the lowest line that has room for it; with the count of lines."""
    taken = [0.0] * _LANES
    drawn, lanes = [], 1
    for word, (start_s, end_s) in words:
        left, right = row.x(start_s), row.x(end_s)
        under = f'<path class="under {word.band}" d="M{left + 1:.1f} {-_UNDER:g}H{max(right - 1, left + 2):.1f}"/>'
        if start_s < row.start_s:  # its name stands in the row where it begins
            drawn.append(under)
            continue
        room = len(word.text) * _LETTER
        place = min(max((left + right) / 2, room / 2), _WIDTH - room / 2)
        lane = next((number for number in range(_LANES) if taken[number] <= place - room / 2), taken.index(min(taken)))
        taken[lane] = place + room / 2 + 4
        lanes = max(lanes, lane + 1)
        y = -_UNDER - 6 - lane * _LANE
        stem = f'<path class="stem" d="M{place:.1f} {y + 3:.1f}V{-_UNDER:g}"/>' if lane else ""
        drawn.append(
            f'<g class="spoken {word.band}" data-start="{start_s:.3f}" data-end="{end_s:.3f}"><title>{_title(word)}</title>'
            f'{stem}<text x="{place:.1f}" y="{y:.1f}">{escape(word.text)}</text>{under}</g>'
        )
    return lanes, drawn


def _title(word: Word) -> str:
    score = "" if word.score is None else f", {word.score:.0f} of 100"
    sounds = " ".join(spelled(sound) for sound in word.sounds)
    return escape(f"{word.text}{score}" + (f": {sounds}" if sounds else ""))


def _axis(row: _Row) -> Iterator[str]:
    yield f'<path class="axis" d="M{_LEFT:g} {_WAVE:g}H{row.right:.1f}"/>'
    for second in range(math.ceil(row.start_s), math.floor(row.end_s) + 1):
        x = row.x(second)
        yield f'<path class="axis" d="M{x:.1f} {_WAVE:g}v4"/><text class="time" x="{x:.1f}" y="{_WAVE + 17:g}">{second} s</text>'
