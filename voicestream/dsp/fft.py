"""Power spectrum of a real frame of up to 512 samples: the FFT that the features stand on.

Four steps (D. H. Bailey, 1990): the 256 complex points lie in 16 rows of 16; transform the columns, turn by
twiddle factors, transpose, transform the columns again. So every butterfly runs over 16 neighbouring columns
and compiles to vector code, which a textbook radix-4 FFT does not (alias checks exceed LLVM's limit). Real and
imaginary parts share one array at a fixed distance for the same reason. A frame of 256 samples takes every
second bin of the transform of 512: as fast as one of its own, at half the code to compile.
"""

from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp._jit import part

SIZE = 512
BINS = SIZE // 2 + 1
WORK = 2 * SIZE  # floats of scratch

_POINTS = SIZE // 2  # complex
_HALF = _POINTS // 2
_SIDE = 16
# W16**(row * q) for q = 1, 2, 3, real then imaginary
_TURN = tuple(tuple(np.float32(f(-2 * pi * row * q / 16)) for q in (1, 2, 3) for f in (cos, sin)) for row in range(4))


def fft_table() -> NDArray[np.float32]:
    """Twiddle factors: of the transpose (256 re, 256 im), then of the split into two real transforms (128 re, 128 im)."""
    row = np.arange(_SIDE)
    frequency = row // 4 + 4 * (row % 4)
    turn = np.exp(-2j * pi * frequency[:, None] * np.arange(_SIDE) / _POINTS).reshape(-1)
    split = np.exp(-2j * pi * np.arange(_HALF) / SIZE)
    return np.concatenate((turn.real, turn.imag, split.real, split.imag)).astype(np.float32)


def power_spectrum(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """Frame (512,) float32 -> (257,) float32: squared magnitudes of its Fourier transform. For tests: compiles when called."""
    out = np.empty(BINS, np.float32)
    power_of_real(np.ascontiguousarray(frame, np.float32), fft_table(), np.empty(WORK, np.float32), out)
    return out


@part(fastmath={"contract"})
def _columns(s: NDArray[np.float32]) -> None:
    # 16 transforms of 16 points, side by side and in place; row 4q + p ends up with frequency q + 4p.
    for row in range(4):
        c1, s1, c2, s2, c3, s3 = _TURN[row]
        for lane in range(16):
            j = row * 16 + lane
            ar, ai = s[j], s[j + 256]
            br, bi = s[j + 64], s[j + 320]
            cr, ci = s[j + 128], s[j + 384]
            dr, di = s[j + 192], s[j + 448]
            er, ei, fr, fi = ar + cr, ai + ci, ar - cr, ai - ci
            gr, gi, hr, hi = br + dr, bi + di, bi - di, dr - br
            s[j], s[j + 256] = er + gr, ei + gi
            xr, xi = fr + hr, fi + hi
            s[j + 64], s[j + 320] = xr * c1 - xi * s1, xr * s1 + xi * c1
            xr, xi = er - gr, ei - gi
            s[j + 128], s[j + 384] = xr * c2 - xi * s2, xr * s2 + xi * c2
            xr, xi = fr - hr, fi - hi
            s[j + 192], s[j + 448] = xr * c3 - xi * s3, xr * s3 + xi * c3
    for group in range(4):
        for lane in range(16):
            j = group * 64 + lane
            ar, ai = s[j], s[j + 256]
            br, bi = s[j + 16], s[j + 272]
            cr, ci = s[j + 32], s[j + 288]
            dr, di = s[j + 48], s[j + 304]
            er, ei, fr, fi = ar + cr, ai + ci, ar - cr, ai - ci
            gr, gi, hr, hi = br + dr, bi + di, bi - di, dr - br
            s[j], s[j + 256] = er + gr, ei + gi
            s[j + 16], s[j + 272] = fr + hr, fi + hi
            s[j + 32], s[j + 288] = er - gr, ei - gi
            s[j + 48], s[j + 304] = fr - hr, fi - hi


@part(fastmath={"contract"})
def power_of_real(frame: NDArray[np.float32], table: NDArray[np.float32], work: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """`frame` (SIZE,) -> squared magnitudes in `out` (BINS,); `work` (WORK,) is scratch."""
    # work holds s (256 re, 256 im) and t behind it; indices are constants plus loop counters, as in _columns.
    for i in range(256):
        work[i] = frame[2 * i]
        work[i + 256] = frame[2 * i + 1]
    _columns(work)
    for row in range(16):
        for column in range(16):
            i = 16 * row + column
            work[512 + 16 * column + row // 4 + 4 * (row % 4)] = work[i] * table[i] - work[i + 256] * table[i + 256]
            work[768 + 16 * column + row // 4 + 4 * (row % 4)] = work[i] * table[i + 256] + work[i + 256] * table[i]
    _columns(work[512:1024])
    for row in range(16):  # rows into the order of their frequencies
        for lane in range(16):
            work[16 * (row // 4 + 4 * (row % 4)) + lane] = work[512 + 16 * row + lane]
            work[256 + 16 * (row // 4 + 4 * (row % 4)) + lane] = work[768 + 16 * row + lane]
    # Two real transforms were packed as one complex: take even and odd samples apart, join them.
    for k in range(1, 128):
        zr, zi, mr, mi = work[k], work[k + 256], work[256 - k], work[512 - k]
        er, ei, odd_r, odd_i = zr + mr, zi - mi, zi + mi, mr - zr
        tr, ti = table[k + 512] * odd_r - table[k + 640] * odd_i, table[k + 512] * odd_i + table[k + 640] * odd_r
        out[k] = np.float32(0.25) * ((er + tr) * (er + tr) + (ei + ti) * (ei + ti))
        out[256 - k] = np.float32(0.25) * ((er - tr) * (er - tr) + (ei - ti) * (ei - ti))
    out[0] = (work[0] + work[256]) * (work[0] + work[256])
    out[256] = (work[0] - work[256]) * (work[0] - work[256])
    out[128] = work[128] * work[128] + work[384] * work[384]
