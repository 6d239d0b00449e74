import numpy as np
import pytest

from voicestream.evaluation.interval import linked
from voicestream.evaluation.speaker import Rule, Series, SpeakerReport, speaker_reports

SPEAKERS, TAKES = 12, 4


def reports(gap: float, missing: int = 0, groups: bool = False) -> list[SpeakerReport]:
    """Everybody against everybody; `gap` deviations between the kinds."""
    pairs = [
        ((f"m{one}",), f"t{other}-{take}", one == other) for one in range(SPEAKERS) for other in range(SPEAKERS) for take in range(TAKES)
    ]
    target = np.array([pair[2] for pair in pairs])
    score = np.random.default_rng(1).normal(size=len(pairs)) + gap * target
    score[:missing] = np.nan
    series = Series("x", score, gap * (score - gap / 2), (Rule("positive", score >= gap / 2, gap / 2),))
    same = np.array([int(one[0][0][1:]) % 2 == int(one[1][1:].split("-")[0]) % 2 for one in pairs]) if groups else None
    return speaker_reports(series, target, same, *linked(pairs))


def test_the_equal_error_rate_lies_in_its_interval() -> None:
    (report,) = reports(2.0)
    assert report.eer_interval is not None
    assert report.eer_interval.low < report.eer < report.eer_interval.high
    assert (report.targets, report.nontargets, report.unscored) == (SPEAKERS * TAKES, SPEAKERS * (SPEAKERS - 1) * TAKES, 0)


def test_no_error_is_no_certainty() -> None:
    (report,) = reports(20.0)
    assert report.eer == 0.0
    assert report.eer_interval is not None
    assert report.eer_interval.high == pytest.approx(0.074, abs=0.002)  # 0 of 48


def test_trials_without_a_score_are_counted_and_left_out() -> None:
    (report,) = reports(2.0, missing=30)
    assert report.unscored == 30
    assert report.targets + report.nontargets == SPEAKERS * SPEAKERS * TAKES - 30
    assert report.decisions[0].fmr.trials == report.nontargets


def test_the_same_group_keeps_all_targets() -> None:
    whole, same = reports(2.0, groups=True)
    assert (same.targets, same.trials) == (whole.targets, "same group")
    assert same.nontargets < whole.nontargets


def test_one_kind_alone_is_no_report() -> None:
    assert reports(2.0, missing=SPEAKERS * SPEAKERS * TAKES - 1) == []


def test_true_odds_cost_little_more_than_their_order_allows() -> None:
    (report,) = reports(2.0)
    assert report.cllr is not None
    assert 0.0 <= report.cllr - report.min_cllr < 0.15
