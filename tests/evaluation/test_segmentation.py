import numpy as np
import pytest

from voicestream.errors import PeerError
from voicestream.evaluation.segmentation import (
    area_under_curve,
    away_from_changes,
    fitted,
    read_frame_scores,
    read_labels,
    read_segmented,
    segmentation_report,
)


def test_the_area_is_the_chance_that_speech_scores_higher() -> None:
    rng = np.random.default_rng(1)
    score, speech = rng.integers(0, 8, 60).astype(float), rng.random(60) < 0.4
    pairs = [(one > other) + 0.5 * (one == other) for one in score[speech] for other in score[~speech]]
    assert area_under_curve(score, speech) == pytest.approx(np.mean(pairs))


def test_one_kind_of_frame_has_no_area() -> None:
    assert np.isnan(area_under_curve(np.zeros(3), np.ones(3, np.bool_)))


def test_misses_and_false_alarms_are_counted() -> None:
    report = segmentation_report("x", np.array([0.9, 0.5, 0.9, 0.1]), np.array([True, True, False, False]), 0.5)
    assert (report.miss.errors, report.miss.trials, report.false_alarm.errors, report.false_alarm.trials) == (1, 2, 1, 2)
    assert (report.f1, report.accuracy) == (0.5, 0.5)


def test_the_collar_is_50_ms_on_either_side() -> None:
    kept = away_from_changes(np.arange(30) >= 15)
    assert list(np.flatnonzero(~kept)) == list(range(10, 20))


def test_a_result_a_little_short_repeats_its_last_number() -> None:
    assert list(fitted(np.array([1.0, 2.0]), 4)) == [1.0, 2.0, 2.0, 2.0]
    assert list(fitted(np.array([1.0, 2.0]), 1)) == [1.0]
    with pytest.raises(PeerError, match="VS1041"):
        fitted(np.zeros(89), 100)


@pytest.mark.parametrize("text", ["", "1 x", "nan"])
def test_a_result_that_is_no_numbers_is_refused(text: str) -> None:
    with pytest.raises(PeerError, match="VS1041"):
        read_frame_scores(text)


@pytest.mark.parametrize("text", ["", "0120", "abc"])
def test_labels_that_are_no_digits_are_refused(text: str) -> None:
    with pytest.raises(PeerError, match="VS1040"):
        read_labels(text)


def test_a_file_names_its_recording_by_condition() -> None:
    found = read_segmented("id,noise,file16k,file8k\na,tap,,8k/a.wav\nb,,16k/b.flac,8k/b.wav\n")
    assert found[0].audio == {"telephone": "8k/a.wav"}
    assert found[1].audio == {"as-is": "16k/b.flac", "telephone": "8k/b.wav"}
    with pytest.raises(PeerError, match="VS1040"):
        read_segmented("")
