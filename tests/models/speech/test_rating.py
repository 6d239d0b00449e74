"""Ratings: the arithmetic on made-up weights, and what the weights that come along must do."""

import numpy as np
import pytest

from voicestream.errors import MisuseError
from voicestream.models.speech.impression import Impression
from voicestream.models.speech.rating import CONDITIONS, SCALES, Condition, Rater, Rating, Scale, card, load, rate
from voicestream.models.weights import sha256_of, write_weights

USUAL = Impression(quality=80.0, rate=2.0, pausing=-2.5, rhythm=0.6, confidence=-0.4)


def arrays(line: tuple[float, float] = (7.0, 1.0), covariance: float = 0.0) -> dict[str, np.ndarray]:
    parts = {
        "mix": np.array([0.5, 0.25, -0.25, 0.0, 0.0]),
        "line": np.array(line),
        "covariance": np.diag([covariance, covariance]),
        "noise": np.array([1.44]),
    }
    every = {f"{condition}.{scale}.{part}": array for condition in CONDITIONS for scale in SCALES for part, array in parts.items()}
    return {"usual": np.array([list(USUAL), [5.0, 0.3, 0.6, 0.1, 0.3]])} | every


def rated(found: Impression, **of: float) -> Rating:
    return rate(arrays(**of), np.array(found), "read", "fluency")  # type: ignore[arg-type]


def test_the_usual_is_rated_the_offset() -> None:
    assert rated(USUAL).value == pytest.approx(7.0)


def test_deviations_are_mixed_and_scaled() -> None:
    assert rated(USUAL._replace(quality=85.0, pausing=-1.9), line=(7.0, 2.0)).value == pytest.approx(7.0 + 2.0 * (0.5 - 0.25))


def test_a_measure_says_no_more_beyond_three_deviations() -> None:
    assert rated(USUAL._replace(rate=0.0)).value == rated(USUAL._replace(rate=-9.0)).value == pytest.approx(7.0 - 0.75)


@pytest.mark.parametrize("line, value", [((12.0, 1.0), 10.0), ((-2.0, 1.0), 0.0)])
def test_ratings_stay_on_the_scale(line: tuple[float, float], value: float) -> None:
    assert rated(USUAL, line=line).value == value


def test_doubt_is_that_of_people_and_of_the_line() -> None:
    assert rated(USUAL).deviation == pytest.approx(1.2)
    assert rated(USUAL._replace(quality=90.0), covariance=0.25).deviation == pytest.approx((1.44 + 0.25 + 0.25) ** 0.5)


def test_other_weights_than_the_cards_are_refused() -> None:
    data = write_weights({name: array.astype(np.float32) for name, array in arrays().items()})
    assert sha256_of(data) != card().sha256
    with pytest.raises(MisuseError):
        Rater(data, card())


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_faster_and_with_fewer_pauses_is_never_worse(condition: Condition, scale: Scale) -> None:
    rater = load()
    usual = rater.usual
    halting = usual._replace(rate=usual.rate - 0.5, pausing=usual.pausing + 1.0)
    better, worse = (rater.rate(found, condition)[scale] for found in (usual, halting))
    assert better.value > worse.value + 0.3


def test_sounds_tell_pronunciation_and_not_fluency() -> None:
    rater = load()
    usual = rater.usual
    poor = rater.rate(usual._replace(quality=usual.quality - 10.0), "read")
    good = rater.rate(usual, "read")
    assert good["pronunciation"].value > poor["pronunciation"].value + 0.3
    assert good["fluency"] == poor["fluency"]


def test_the_card_says_what_was_measured_and_where_it_fails() -> None:
    found = {(row.condition, row.metric): row.value for row in card().measured}
    for condition, scale, least in (("read", "pronunciation", 0.7), ("read", "fluency", 0.7), ("read", "intonation", 0.6),
                                    ("free", "pronunciation", 0.6), ("free", "fluency", 0.65)):  # fmt: skip
        assert found[f"{condition}: {scale}", "r"] >= least
    assert "Four speakers" in card().limits
