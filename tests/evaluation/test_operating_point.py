import numpy as np
import pytest

from voicestream.errors import PeerError
from voicestream.evaluation.operating_point import OwnTrials, operating_point


def own_trials(speakers: int, gap: float, by_length: float = 0.0) -> OwnTrials:
    """Scores of all against all; with `by_length` the gap grows with the logarithm of the net speech."""
    rng = np.random.default_rng(1)
    enrol, test = (side.ravel() for side in np.meshgrid(np.arange(speakers), np.repeat(np.arange(speakers), 6)))
    target = enrol == test
    net_speech_s = rng.uniform(1.0, 10.0, len(target))
    lift = gap + by_length * np.log(net_speech_s)
    return OwnTrials(rng.normal(size=len(target)) + lift * target, net_speech_s, target, enrol, test)


def test_the_threshold_and_the_odds_are_those_of_the_densities() -> None:
    point = operating_point(own_trials(40, 3.0), 0.02)
    assert point.fmr.value <= 0.02
    assert point.threshold == pytest.approx(2.05, abs=0.1)
    assert point.threshold_interval.low < 2.05 < point.threshold_interval.high
    assert point.coefficients[:2] == (pytest.approx(-4.5, abs=0.7), pytest.approx(3.0, abs=0.4))
    assert point.coefficients[2:] == (0.0, 0.0)
    assert 0.0 <= point.cllr - point.min_cllr < 0.1


def test_the_net_speech_is_taken_in_where_it_tells_something() -> None:
    point = operating_point(own_trials(40, 0.2, by_length=1.8), 0.02)
    assert point.coefficients[3] > 0.5
    assert point.net_speech_s == (pytest.approx(1.0, abs=0.1), pytest.approx(10.0, abs=0.1))


def test_scores_that_point_the_wrong_way_are_refused() -> None:
    with pytest.raises(PeerError, match="VS1045"):
        operating_point(own_trials(15, -1.0), 0.1)
