"""Power spectrum of a real frame of 256 or 512 samples: the FFT that the features stand on.

Four steps (D. H. Bailey, 1990): the 128 or 256 complex points lie in rows of 16; transform the columns,
turn by twiddle factors, transpose, transform the columns again. So every butterfly runs over 8 or 16
neighbouring columns and compiles to vector code, which a textbook radix-4 FFT does not (alias checks
exceed LLVM's limit). Real and imaginary parts share one array at fixed distances for the same reason.
"""

from math import cos, pi, sin, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voicestream.dsp._jit import F32, F32_RO, VOID, kernel, part

SIZES = (256, 512)
WORK = 4 * 256  # floats of scratch for the largest size

_COS_8 = np.float32(cos(pi / 8))
_SIN_8 = np.float32(sin(pi / 8))
_COS_4 = np.float32(sqrt(0.5))
# W16**(row * q) for q = 1, 2, 3, real then imaginary
_TURN_16 = tuple(tuple(np.float32(f(-2 * pi * row * q / 16)) for q in (1, 2, 3) for f in (cos, sin)) for row in range(4))


def fft_table(size: int) -> NDArray[np.float32]:
    """Twiddle factors for `size` samples: of the transpose (re, im), then of the real split (re, im)."""
    if size not in SIZES:
        raise ValueError(f"no FFT of {size} samples")
    points, rows = size // 2, size // 32
    order = np.array(_row_order(rows))
    turn = np.exp(-2j * pi * order[:, None] * np.arange(16) / points).reshape(-1)
    split = np.exp(-2j * pi * np.arange(points // 2) / size)
    return np.concatenate((turn.real, turn.imag, split.real, split.imag)).astype(np.float32)


def _row_order(rows: int) -> list[int]:
    """Frequency that the transform of `rows` rows leaves in each row."""
    return [row // (rows // 4) + 4 * (row % (rows // 4)) for row in range(rows)]


def power_spectrum(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """Frame (256 or 512,) float32 -> (size / 2 + 1,) float32: squared magnitudes of its Fourier transform."""
    out = np.empty(len(frame) // 2 + 1, np.float32)
    _power(np.ascontiguousarray(frame, np.float32), fft_table(len(frame)), np.empty(WORK, np.float32), out)
    return out


def _columns_16(lanes: int) -> Any:
    """A transform over 16 rows of `lanes` points, in place; row 4q + p ends up with frequency q + 4p."""
    im = 16 * lanes

    @part(fastmath={"contract"})
    def columns(s: NDArray[np.float32]) -> None:
        for row in range(4):
            c1, s1, c2, s2, c3, s3 = _TURN_16[row]
            for lane in range(lanes):
                j = row * lanes + lane
                ar, ai = s[j], s[j + im]
                br, bi = s[j + 4 * lanes], s[j + 4 * lanes + im]
                cr, ci = s[j + 8 * lanes], s[j + 8 * lanes + im]
                dr, di = s[j + 12 * lanes], s[j + 12 * lanes + im]
                er, ei, fr, fi = ar + cr, ai + ci, ar - cr, ai - ci
                gr, gi, hr, hi = br + dr, bi + di, bi - di, dr - br
                s[j], s[j + im] = er + gr, ei + gi
                xr, xi = fr + hr, fi + hi
                s[j + 4 * lanes], s[j + 4 * lanes + im] = xr * c1 - xi * s1, xr * s1 + xi * c1
                xr, xi = er - gr, ei - gi
                s[j + 8 * lanes], s[j + 8 * lanes + im] = xr * c2 - xi * s2, xr * s2 + xi * c2
                xr, xi = fr - hr, fi - hi
                s[j + 12 * lanes], s[j + 12 * lanes + im] = xr * c3 - xi * s3, xr * s3 + xi * c3
        for group in range(4):
            for lane in range(lanes):
                j = group * 4 * lanes + lane
                ar, ai = s[j], s[j + im]
                br, bi = s[j + lanes], s[j + lanes + im]
                cr, ci = s[j + 2 * lanes], s[j + 2 * lanes + im]
                dr, di = s[j + 3 * lanes], s[j + 3 * lanes + im]
                er, ei, fr, fi = ar + cr, ai + ci, ar - cr, ai - ci
                gr, gi, hr, hi = br + dr, bi + di, bi - di, dr - br
                s[j], s[j + im] = er + gr, ei + gi
                s[j + lanes], s[j + lanes + im] = fr + hr, fi + hi
                s[j + 2 * lanes], s[j + 2 * lanes + im] = er - gr, ei - gi
                s[j + 3 * lanes], s[j + 3 * lanes + im] = fr - hr, fi - hi

    return columns


_columns_16x16 = _columns_16(16)
_columns_16x8 = _columns_16(8)


@part(fastmath={"contract"})
def _columns_8x16(s: NDArray[np.float32]) -> None:
    # 8 rows of 16 points, in place; row 2q + p ends up with frequency q + 4p.
    for row in range(2):
        c1 = _COS_4 if row else np.float32(1.0)
        s1 = -_COS_4 if row else np.float32(0.0)
        c2 = np.float32(0.0) if row else np.float32(1.0)
        s2 = np.float32(-1.0) if row else np.float32(0.0)
        for lane in range(16):
            j = row * 16 + lane
            ar, ai = s[j], s[j + 128]
            br, bi = s[j + 32], s[j + 160]
            cr, ci = s[j + 64], s[j + 192]
            dr, di = s[j + 96], s[j + 224]
            er, ei, fr, fi = ar + cr, ai + ci, ar - cr, ai - ci
            gr, gi, hr, hi = br + dr, bi + di, bi - di, dr - br
            s[j], s[j + 128] = er + gr, ei + gi
            xr, xi = fr + hr, fi + hi
            s[j + 32], s[j + 160] = xr * c1 - xi * s1, xr * s1 + xi * c1
            xr, xi = er - gr, ei - gi
            s[j + 64], s[j + 192] = xr * c2 - xi * s2, xr * s2 + xi * c2
            xr, xi = fr - hr, fi - hi  # W8**3 = W8**2 * W8
            yr, yi = xr * c1 - xi * s1, xr * s1 + xi * c1
            s[j + 96], s[j + 224] = yr * c2 - yi * s2, yr * s2 + yi * c2
    for group in range(4):
        for lane in range(16):
            j = group * 32 + lane
            ar, ai, br, bi = s[j], s[j + 128], s[j + 16], s[j + 144]
            s[j], s[j + 128] = ar + br, ai + bi
            s[j + 16], s[j + 144] = ar - br, ai - bi


@part(fastmath={"contract"})
def power_of_real(frame: NDArray[np.float32], table: NDArray[np.float32], work: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """`frame` (size,) -> squared magnitudes in `out` (size / 2 + 1,); `work` (WORK,) is scratch."""
    points = len(frame) // 2
    rows = points // 16
    s = work[: 2 * points]
    t = work[2 * points : 4 * points]
    s_re, s_im = s[:points], s[points:]
    for i in range(points):
        s_re[i] = frame[2 * i]
        s_im[i] = frame[2 * i + 1]
    if rows == 16:
        _columns_16x16(s)
    else:
        _columns_8x16(s)
    turn_re, turn_im = table[:points], table[points : 2 * points]
    per = rows // 4
    for row in range(rows):
        frequency = row // per + 4 * (row % per)
        t_re, t_im = t[frequency:points], t[points + frequency :]
        a_re, a_im = s_re[16 * row : 16 * row + 16], s_im[16 * row : 16 * row + 16]
        w_re, w_im = turn_re[16 * row : 16 * row + 16], turn_im[16 * row : 16 * row + 16]
        for column in range(16):
            t_re[column * rows] = a_re[column] * w_re[column] - a_im[column] * w_im[column]
            t_im[column * rows] = a_re[column] * w_im[column] + a_im[column] * w_re[column]
    if rows == 16:
        _columns_16x16(t)
    else:
        _columns_16x8(t)
    for row in range(16):  # rows into the order of their frequencies
        to = (row // 4 + 4 * (row % 4)) * rows
        a_re, a_im = t[row * rows : row * rows + rows], t[points + row * rows : points + row * rows + rows]
        b_re, b_im = s_re[to : to + rows], s_im[to : to + rows]
        for i in range(rows):
            b_re[i] = a_re[i]
            b_im[i] = a_im[i]
    # Two real transforms were packed as one complex: take even and odd samples apart, join them.
    half = points // 2
    split_re, split_im = table[2 * points : 2 * points + half], table[2 * points + half : 2 * points + 2 * half]
    m_re, m_im = s_re[half:], s_im[half:]
    low, high = out[:half], out[half:]
    for k in range(1, half):
        zr, zi, mr, mi = s_re[k], s_im[k], m_re[half - k], m_im[half - k]
        er, ei, odd_r, odd_i = zr + mr, zi - mi, zi + mi, mr - zr
        tr, ti = split_re[k] * odd_r - split_im[k] * odd_i, split_re[k] * odd_i + split_im[k] * odd_r
        low[k] = np.float32(0.25) * ((er + tr) * (er + tr) + (ei + ti) * (ei + ti))
        high[half - k] = np.float32(0.25) * ((er - tr) * (er - tr) + (ei - ti) * (ei - ti))
    out[0] = (s_re[0] + s_im[0]) * (s_re[0] + s_im[0])
    out[points] = (s_re[0] - s_im[0]) * (s_re[0] - s_im[0])
    out[half] = s_re[half] * s_re[half] + s_im[half] * s_im[half]


@kernel(VOID(F32_RO, F32_RO, F32, F32))
def _power(frame: NDArray[np.float32], table: NDArray[np.float32], work: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    power_of_real(frame, table, work, out)
