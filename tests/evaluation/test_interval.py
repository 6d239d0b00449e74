import numpy as np
import pytest

from voicestream.evaluation.error_rate import Rate
from voicestream.evaluation.interval import SpeakerBootstrap, linked, percentile, wilson


def test_wilson_is_the_published_interval() -> None:
    # R. Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
    for rate, low, high in ((Rate(81, 263), 0.2553, 0.3662), (Rate(15, 148), 0.0624, 0.1605), (Rate(0, 20), 0.0, 0.1611)):
        found = wilson(rate)
        assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_wilson_covers_the_true_rate_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    found = [wilson(Rate(int(errors), 300)) for errors in rng.binomial(300, 0.03, 2000)]
    assert np.mean([one.low <= 0.03 <= one.high for one in found]) == pytest.approx(0.95, abs=0.02)


def test_what_target_trials_link_is_one_speaker() -> None:
    enrol, test = linked([(("a", "b"), "x", True), (("b",), "y", False), (("c",), "y", True), (("c",), "x", False)])
    assert enrol[0] == enrol[1] == test[0] == test[3]
    assert enrol[2] == enrol[3] == test[1] == test[2]
    assert enrol[0] != enrol[2]


def test_a_model_and_a_test_of_one_name_are_two_things() -> None:
    enrol, test = linked([(("a",), "a", False)])
    assert enrol[0] != test[0]


def test_a_draw_counts_trials_by_both_their_speakers() -> None:
    enrol, test = np.array([0, 0, 1, 2]), np.array([0, 1, 0, 2])
    for weight in SpeakerBootstrap(enrol, test).weights():
        assert weight[1] == weight[2] == weight[0] * (weight[1] / weight[0] if weight[0] else 0)
        assert weight[0] + weight[3] <= 3


def test_speakers_who_fail_as_a_whole_widen_the_interval() -> None:
    """Twenty trials each of thirty speakers: errors that come in speakers are known less well than scattered ones."""
    speaker = np.repeat(np.arange(30), 20)
    together, scattered = speaker < 6, np.arange(600) % 5 == 0
    widths = []
    for errors in (together, scattered):
        found = percentile([float(weight[errors].sum() / weight.sum()) for weight in SpeakerBootstrap(speaker, speaker).weights()])
        widths.append(found.high - found.low)
    assert widths[0] > 5 * widths[1]


def test_the_draws_are_the_same_each_time() -> None:
    bootstrap = SpeakerBootstrap(np.arange(9), np.arange(9))
    assert all(np.array_equal(*pair) for pair in zip(bootstrap.weights(), bootstrap.weights(), strict=True))
