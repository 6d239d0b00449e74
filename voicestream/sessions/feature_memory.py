"""The last seconds of feature rows and speech labels of one stream, found by their place in time.

Row `i` covers 25 ms from 10*i ms, label `k` 30 ms from 30*k ms. A window of the stream, given in samples at the
declared rate, is mapped to rows and labels in integers. Of its end the last `LAG_MS` are left out, which is how
late a resampler may be: so a window needs nothing that has not come when its last sample has, and what it gives
depends on the samples alone, not on how messages cut them.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Features: TypeAlias = NDArray[np.float32]
Speech: TypeAlias = NDArray[np.bool_]

ROW_MS = 10
ROW_LENGTH_MS = 25
LABEL_MS = 30
LAG_MS = 5
_SLACK_ROWS = 32  # so that rows are moved to the front once in 16 messages of 20 ms and not with each


class FeatureMemory:
    """Keeps what the window under way needs; grows for a long message and shrinks after it."""

    __slots__ = ("_capacity", "_end", "_first_label", "_first_row", "_labels", "_needed", "_rate_hz", "_rows")

    def __init__(self, rate_hz: int, window_samples: int, width: int) -> None:
        self._rate_hz = rate_hz
        self._capacity = 1000 * window_samples // (ROW_MS * rate_hz) + _SLACK_ROWS
        self._rows: Features = np.empty((0, width), np.float32)  # made when the first row comes
        self._first_row = 0  # number of the row in rows[0]
        self._end = 0  # rows in use
        self._needed = 0  # rows before this one may go
        self._labels = bytearray()
        self._first_label = 0

    def add(self, labels: bytes, rows: Features) -> None:
        """Add labels, one byte each, and rows (n, k)."""
        if labels:
            self._labels += labels
        count = len(rows)
        if not count:
            return
        end = self._end + count
        if end > len(self._rows):
            self._make_room(count)
            end = self._end + count
        self._rows[self._end : end] = rows
        self._end = end

    def window(self, start_sample: int, end_sample: int) -> tuple[Features, Speech, int]:
        """Give rows (n, k), their speech marks (n,) and the number of the row after them, of a window that has come in."""
        rate_hz = self._rate_hz
        first = self._row_at(start_sample)
        end = max(first, (1000 * end_sample - (ROW_LENGTH_MS + LAG_MS) * rate_hz) // (ROW_MS * rate_hz) + 1)
        last_label = (1000 * end_sample - LAG_MS * rate_hz) // (LABEL_MS * rate_hz) - 1
        middle_ms2 = np.arange(first, end) * (2 * ROW_MS) + ROW_LENGTH_MS  # twice the time of the middle of each row
        labels = np.minimum(middle_ms2 // (2 * LABEL_MS), last_label) - self._first_label
        speech = np.frombuffer(bytes(self._labels), np.bool_)[labels]
        return self._rows[first - self._first_row : end - self._first_row], speech, end

    def forget(self, start_sample: int) -> None:
        """Let go of what lies before a window that begins at `start_sample`."""
        self._needed = self._row_at(start_sample)
        label = (self._needed * 2 * ROW_MS + ROW_LENGTH_MS) // (2 * LABEL_MS)
        gone = min(max(0, label - self._first_label), len(self._labels))
        del self._labels[:gone]
        self._first_label += gone

    @property
    def held_bytes(self) -> int:
        """Size of the rows held."""
        return self._rows.nbytes

    def _row_at(self, sample: int) -> int:
        return -(-1000 * sample // (ROW_MS * self._rate_hz))

    def _make_room(self, count: int) -> None:
        gone = min(self._needed - self._first_row, self._end)
        live = self._rows[gone : self._end]
        capacity = max(self._capacity, len(live) + count)
        rows = self._rows if capacity == len(self._rows) else np.empty((capacity, self._rows.shape[1]), np.float32)
        rows[: len(live)] = live
        self._rows = rows
        self._first_row += gone
        self._end = len(live)
