"""Cosine scores against their definition."""

import numpy as np
import pytest

from tests import naive
from voicestream.dsp.cosine import cosine, cosines, unit

RNG = np.random.default_rng(6)


def vectors(rows: int, dimension: int = 60) -> np.ndarray:
    return RNG.standard_normal((rows, dimension)).astype(np.float32)


def test_one_to_one_and_one_to_many_equal_the_definition() -> None:
    probe, *gallery = vectors(20)
    expected = [naive.cosine(probe, row) for row in gallery]
    np.testing.assert_allclose([cosine(unit(probe), unit(row)) for row in gallery], expected, atol=1e-6)
    np.testing.assert_allclose(cosines(unit(probe), unit(np.array(gallery))), expected, atol=1e-6)


def test_a_vector_with_itself_is_one_and_never_more() -> None:
    gallery = unit(vectors(500))
    scores = np.array([cosine(row, row) for row in gallery])
    assert scores.max() <= 1.0
    assert scores.min() >= 0.99999
    assert cosines(gallery[0], gallery).max() <= 1.0
    assert cosine(gallery[0], -gallery[0]) >= -1.0


def test_nothing_has_no_direction() -> None:
    assert not unit(np.zeros(5, np.float32)).any()
    assert cosines(unit(vectors(1)[0]), np.empty((0, 60), np.float32)).shape == (0,)


def test_lengths_do_not_matter_one_to_one_and_nothing_scores_nothing() -> None:
    a, b = vectors(2)
    assert cosine(100 * a, b) == pytest.approx(cosine(a, b), abs=1e-6)
    assert cosine(a, 0 * b) == 0.0


def test_a_gallery_of_another_dimension_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="gallery"):
        cosines(vectors(1, 60)[0], vectors(3, 61))
