import numpy as np
import pytest

from voicestream.evaluation.likelihood import cllr, log_odds, min_cllr, optimal_log_odds, probability, reliability


def honest(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Log-likelihood ratios of two normal densities two deviations apart, and the truth."""
    rng = np.random.default_rng(seed)
    target = rng.random(count) < 0.3
    return 2.0 * (rng.normal(size=count) + np.where(target, 1.0, -1.0)), target


def naive_cllr(odds: np.ndarray, target: np.ndarray) -> float:
    cost = [np.log2(1 + np.exp(-one if same else one)) for one, same in zip(odds, target, strict=True)]
    return 0.5 * np.mean([one for one, same in zip(cost, target, strict=True) if same]) + 0.5 * np.mean(
        [one for one, same in zip(cost, target, strict=True) if not same]
    )


def naive_pav(score: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Shares of targets that never fall, found by merging neighbours until none does."""
    blocks = [[sum(score == one), sum(target[score == one])] for one in sorted(set(score))]
    sizes = [1] * len(blocks)
    place = 0
    while place < len(blocks) - 1:
        if blocks[place][1] / blocks[place][0] >= blocks[place + 1][1] / blocks[place + 1][0]:
            taken = blocks.pop(place + 1)
            blocks[place] = [blocks[place][0] + taken[0], blocks[place][1] + taken[1]]
            sizes[place] += sizes.pop(place + 1)
            place = max(place - 1, 0)
        else:
            place += 1
    shares = np.repeat([targets / trials for trials, targets in blocks], sizes)
    return shares[np.searchsorted(sorted(set(score)), score)]


def test_saying_nothing_costs_one_bit() -> None:
    assert cllr(np.zeros(10), np.arange(10) < 3) == pytest.approx(1.0)


def test_cllr_is_the_definition() -> None:
    odds, target = honest(500)
    assert cllr(odds, target) == pytest.approx(naive_cllr(odds, target))


def test_the_best_order_preserving_odds_are_those_of_merging_neighbours() -> None:
    odds, target = honest(300)
    score = np.round(odds, 1)  # with ties
    share = naive_pav(score, target)
    with np.errstate(divide="ignore"):
        expected = np.log(share / (1 - share)) - np.log(target.sum() / (~target).sum())
    assert optimal_log_odds(score, target) == pytest.approx(expected)


def test_honest_odds_cost_hardly_more_than_the_best() -> None:
    odds, target = honest(20_000)
    assert 0.0 <= cllr(odds, target) - min_cllr(odds, target) < 0.01
    for wrong in (3.0 * odds, odds + 2.0, 0.2 * odds):
        assert cllr(wrong, target) > cllr(odds, target) + 0.03
        assert min_cllr(wrong, target) == pytest.approx(min_cllr(odds, target))


def test_separated_scores_cost_nothing_at_best() -> None:
    assert min_cllr(np.array([1.0, 2.0, 3.0]), np.array([False, False, True])) == 0.0


def test_certain_probabilities_are_dear_but_finite() -> None:
    odds = log_odds(np.array([0.0, 0.5, 1.0]))
    assert np.isfinite(odds).all()
    assert probability(odds) == pytest.approx([0.0, 0.5, 1.0], abs=1e-11)


def test_honest_probabilities_lie_on_the_diagonal() -> None:
    odds, target = honest(50_000)
    found = reliability(odds, target)
    assert sum(one.trials for one in found) == len(target)
    assert all(one.found == pytest.approx(one.promised, abs=0.05) for one in found)
