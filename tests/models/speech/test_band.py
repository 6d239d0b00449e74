"""Bands of scores and of their doubt."""

import pytest

from voicestream.models.speech.band import BANDS, band, band_range


@pytest.mark.parametrize("score, told", [(0, "A1"), (29.9, "A1"), (30, "A2"), (50, "B1"), (70, "B2"), (85, "C1"), (95, "C2"), (100, "C2")])
def test_borders(score: float, told: str) -> None:
    assert band(score) == told


def test_doubt_widens_the_range_on_both_sides() -> None:
    assert band_range(75.0, 0.0) == ("B2", "B2", "B2")
    assert band_range(75.0, 12.0) == ("B2", "B1", "C1")


def test_bands_never_fall_with_the_score() -> None:
    places = [BANDS.index(band(score)) for score in range(101)]
    assert places == sorted(places)
    assert set(places) == set(range(6))
