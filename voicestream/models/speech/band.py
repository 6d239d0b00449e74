"""CEFR bands for scores 0..100: a reading aid whose borders are agreed on, not measured.

The experts' scale says 9-10 "excellent", 7-8 "a few mistakes", 5-6 "understandable with many mistakes", 3-4 "poor".
The phonological-control scale of the CEFR (Companion Volume, 2020) tells the same steps: C "articulates virtually all
sounds", B2 "generally appropriate intonation, few errors", B1 "intelligible, with regular mistakes", A2 "with effort".
No speaker here has a CEFR certificate, so a band goes with the interval of bands that the score's doubt allows; IELTS
and the other tests count things that nobody rated here and get no number.
"""

from bisect import bisect_right
from typing import Final, Literal, NamedTuple, TypeAlias

Band: TypeAlias = Literal["A1", "A2", "B1", "B2", "C1", "C2"]

BANDS: Final[tuple[Band, ...]] = ("A1", "A2", "B1", "B2", "C1", "C2")
_FROM: Final = (30.0, 50.0, 70.0, 85.0, 95.0)  # the score at which each band but the first begins
_TWO_SIDED_80: Final = 1.2816  # deviations on either side of 80 %


class BandRange(NamedTuple):
    """The band of a score, and the lowest and highest that its deviation leaves possible in 8 of 10 cases."""

    band: Band
    lowest: Band
    highest: Band


def band(score: float) -> Band:
    """The band of a score 0..100."""
    return BANDS[bisect_right(_FROM, score)]


def band_range(score: float, deviation: float) -> BandRange:
    """The band of a score 0..100 whose standard deviation is `deviation`, with the bands around it."""
    reach = _TWO_SIDED_80 * deviation
    return BandRange(band(score), band(score - reach), band(score + reach))
