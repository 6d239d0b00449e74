import numpy as np
import pytest

from voicestream.evaluation.logistic import fit_logistic, held_out_log_odds


def test_the_true_odds_are_found() -> None:
    """Two normal densities of equal width: the log odds are a known line, whatever the share of targets."""
    rng = np.random.default_rng(1)
    target = rng.random(40_000) < 0.1
    score = rng.normal(size=len(target)) + np.where(target, 1.0, -0.5)
    found = fit_logistic(np.stack((np.ones_like(score), score), axis=1), target)
    assert found == pytest.approx([-0.375, 1.5], abs=0.05)


def test_kinds_that_do_not_overlap_give_finite_odds() -> None:
    score = np.concatenate((np.linspace(-1, -0.5, 50), np.linspace(0.5, 1, 50)))
    found = fit_logistic(np.stack((np.ones_like(score), score), axis=1), score > 0)
    assert np.isfinite(found).all()
    assert found[1] > 0


def test_useless_scores_give_even_odds() -> None:
    target = np.arange(100) % 4 == 0
    assert fit_logistic(np.ones((100, 1)), target) == pytest.approx([0.0], abs=0.1)


def test_held_out_odds_have_not_seen_their_speakers() -> None:
    """Whatever all other trials of a speaker say, the odds of one of his stay; those of other people's do not."""
    enrol, test = (side.ravel() for side in np.meshgrid(np.arange(15), np.arange(15)))
    target = enrol == test
    score = np.where(target, 1.0, -1.0) + np.random.default_rng(2).normal(0, 0.5, len(target))
    regressors = np.stack((np.ones_like(score), score), axis=1)
    before = held_out_log_odds(regressors, target, enrol, test)
    known = np.isfinite(before)
    assert target[known].sum() == 15
    assert 15 < known.sum() < len(target)
    his = (enrol == 3) | (test == 3)
    one = his & target
    regressors[his & ~one, 1] += 5.0
    after = held_out_log_odds(regressors, target, enrol, test)
    assert after[one] == before[one]
    assert (after[known & ~his] != before[known & ~his]).any()
