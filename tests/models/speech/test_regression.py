"""The line that ratings are learned by: between an opinion and least squares, and no wiser for a speaker heard often."""

import numpy as np
import pytest

from scripts.assessment.measuring import pearson, speaker_interval, utterance_interval
from scripts.assessment.regression import Prior, posterior

PRIOR = Prior(offset=7.0, offset_deviation=0.5, slope=1.0, slope_deviation=0.2, speaker=1.0, utterance=0.7)
MIX = np.linspace(-2.0, 2.0, 400)
RATINGS = 5.0 + 2.0 * MIX


def test_no_ratings_leave_the_opinion() -> None:
    line = posterior(np.empty(0), np.empty(0), [], PRIOR)
    assert line.mean.tolist() == [7.0, 1.0]
    assert np.sqrt(np.diag(line.covariance)) == pytest.approx([0.5, 0.2])


def test_many_speakers_overrule_it() -> None:
    line = posterior(MIX, RATINGS, [str(n) for n in range(400)], PRIOR)
    assert line.mean == pytest.approx([5.0, 2.0], abs=0.1)


def test_many_utterances_of_one_speaker_do_not() -> None:
    line = posterior(MIX, np.full(400, 5.0) + MIX, ["one"] * 400, PRIOR)
    assert line.mean[0] > 6.5
    assert line.covariance[0, 0] > 0.19


def test_agreement_within_groups_is_less_sure_over_speakers() -> None:
    rng = np.random.default_rng(5)
    speakers = [name for name in "abcd" for _ in range(8)]
    given = np.repeat([8.0, 8.2, 7.8, 4.0], 8) + rng.normal(0.0, 0.5, 32)
    foreseen = np.repeat([7.0, 7.0, 7.0, 5.0], 8) + rng.normal(0.0, 0.5, 32)
    narrow, wide = utterance_interval(foreseen, given), speaker_interval(foreseen, given, speakers)
    assert narrow.low < pearson(foreseen, given) < narrow.high
    assert wide.low < narrow.low


def test_what_does_not_vary_agrees_with_nothing() -> None:
    assert np.isnan(pearson(np.ones(3), np.arange(3.0)))
