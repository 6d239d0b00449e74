import numpy as np
import pytest

from voicestream.evaluation.error_rate import ErrorRates, Rate, rates_at


def trials(seed: int, gap: float = 1.5, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    target = rng.random(400) < 0.2
    score = rng.normal(size=400) + gap * target
    return (np.round(score, 1) if ties else score), target


def naive_rates(score: np.ndarray, target: np.ndarray, threshold: float) -> tuple[float, float]:
    """FMR and FNMR by counting; where two thresholds are equally near the crossing, rounding decides: it is done alike."""
    fmr = 1 - sum(s < threshold for s, t in zip(score, target, strict=True) if not t) / sum(~target)
    fnmr = sum(s < threshold for s, t in zip(score, target, strict=True) if t) / sum(target)
    return fmr, fnmr


@pytest.mark.parametrize("ties", [False, True])
def test_rates_at_every_threshold_are_those_counted(ties: bool) -> None:
    score, target = trials(1, ties=ties)
    rates = ErrorRates(score, target)
    for place, threshold in enumerate([*rates.threshold, np.inf]):
        assert (rates.fmr[place], rates.fnmr[place]) == pytest.approx(naive_rates(score, target, threshold))


@pytest.mark.parametrize("ties", [False, True])
def test_eer_and_cost_are_the_least_over_thresholds(ties: bool) -> None:
    score, target = trials(2, ties=ties)
    found = [naive_rates(score, target, threshold) for threshold in [*sorted(set(score)), np.inf]]
    rates = ErrorRates(score, target)
    assert rates.eer == pytest.approx(sum(min(found, key=lambda pair: abs(pair[0] - pair[1]))) / 2)
    for prior in (0.01, 0.05, 0.5):
        cost = min(prior * fnmr + (1 - prior) * fmr for fmr, fnmr in found)
        assert rates.min_dcf(prior) == pytest.approx(cost / min(prior, 1 - prior))


def test_a_perfect_and_a_useless_detector() -> None:
    target = np.arange(20) < 5
    assert ErrorRates(target.astype(float), target).eer == 0.0
    useless = ErrorRates(np.zeros(20), target)
    assert (useless.eer, useless.min_dcf(0.01)) == (0.5, 1.0)


def test_only_the_order_of_the_scores_matters() -> None:
    score, target = trials(3)
    one, other = ErrorRates(score, target), ErrorRates(np.exp(score), target)
    assert (one.eer, one.min_dcf(0.05)) == (other.eer, other.min_dcf(0.05))


def test_weights_count_trials_several_times() -> None:
    score, target = trials(4)
    times = np.random.default_rng(4).integers(0, 4, len(score))
    repeated = ErrorRates(np.repeat(score, times), np.repeat(target, times))
    assert ErrorRates(score, target).weighted_eer(times.astype(float)) == pytest.approx(repeated.eer)


def test_the_curve_is_thinned_where_nobody_sees_it_and_keeps_its_corners() -> None:
    rng = np.random.default_rng(5)
    target = rng.random(200_000) < 0.5
    rates = ErrorRates(rng.normal(size=len(target)) + 2.0 * target, target)
    fmr, fnmr = rates.det()
    assert len(fmr) < 10_000
    assert (fmr[0], fnmr[0], fmr[-1], fnmr[-1]) == (1.0, 0.0, 0.0, 1.0)
    drawn = np.interp(rates.eer, fmr[::-1], fnmr[::-1])
    assert drawn == pytest.approx(rates.eer, abs=1e-3)


def test_decisions_are_counted_with_yes_at_the_threshold() -> None:
    assert rates_at(np.array([1.0, 1.0, 0.0, 2.0]), np.array([True, False, False, True]), 1.0) == (Rate(1, 2), Rate(0, 2))
