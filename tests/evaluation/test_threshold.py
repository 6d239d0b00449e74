import numpy as np
import pytest

from voicestream.evaluation.threshold import rate_intervals, threshold_at, threshold_interval


def trials(speakers: int, each: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scores of all recordings against all speakers, the truth, and both speakers; strangers' mean depends on the pair."""
    rng = np.random.default_rng(seed)
    enrol, test = np.repeat(np.arange(speakers), speakers * each), np.tile(np.repeat(np.arange(speakers), each), speakers)
    target = enrol == test
    pair = 0.5 * rng.normal(size=(speakers, speakers))
    return rng.normal(size=len(enrol)) + pair[enrol, test] + 4.0 * target, target, enrol, test


@pytest.mark.parametrize("fmr", [0.001, 0.01, 0.2])
def test_the_threshold_is_the_lowest_that_lets_no_more_in(fmr: float) -> None:
    score, target, *_ = trials(20, 5)
    found = threshold_at(score, target, fmr)
    strangers = np.sort(score[~target])
    assert np.mean(strangers >= found) <= fmr
    lower = strangers[strangers < found][-1]
    assert np.mean(strangers >= lower) > fmr


def test_equal_scores_pass_or_stay_out_together() -> None:
    score = np.array([0.0, 1.0, 1.0, 1.0, 2.0, 5.0])
    target = np.array([False] * 5 + [True])
    assert np.sum(score[~target] >= threshold_at(score, target, 0.4)) == 1
    assert np.sum(score[~target] >= threshold_at(score, target, 0.0)) == 0


def test_the_threshold_of_other_people_lies_in_the_interval() -> None:
    inside = 0
    truth = threshold_at(*trials(150, 2, seed=99)[:2], 0.02)
    for seed in range(12):
        score, target, enrol, test = trials(20, 3, seed)
        found = threshold_interval(score, target, 0.02, enrol, test)
        inside += found.low <= truth <= found.high
    assert inside >= 9


def test_rates_lie_in_their_intervals() -> None:
    score, target, enrol, test = trials(20, 3)
    yes = score >= 1.5
    fmr, fnmr = rate_intervals(yes, target, enrol, test)
    assert fmr.low < yes[~target].mean() < fmr.high
    assert fnmr.low <= (~yes[target]).mean() <= fnmr.high


def test_no_error_among_few_trials_is_no_certainty() -> None:
    score, target, enrol, test = trials(12, 3)
    _, fnmr = rate_intervals(score >= -100.0, target, enrol, test)
    assert fnmr.low == 0.0
    assert fnmr.high == pytest.approx(0.096, abs=0.002)  # 0 of 36
