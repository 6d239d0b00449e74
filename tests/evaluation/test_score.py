import pytest

from voicestream.errors import PeerError
from voicestream.evaluation.score import in_order, read_scores


@pytest.mark.parametrize("text", ["x,1.5\ny,-2\n", "trial,score\nx,1.5\ny,-2\n", "x 1.5\ny -2", "id,score\nx,1.5\ny,-2"])
def test_scores_by_trial(text: str) -> None:
    (found,) = read_scores(text)
    assert (found.name, found.score, found.odds) == ("", {"x": 1.5, "y": -2.0}, None)


@pytest.mark.parametrize("text", ["a.wav b.wav 0.5\n", "enrol,test,score\na.wav,b.wav,0.5\n"])
def test_scores_by_both_sides(text: str) -> None:
    assert read_scores(text)[0].score == {("a.wav", "b.wav"): 0.5}


def test_a_set_of_scores_for_each_duration() -> None:
    for head in ("trial,duration_s,score\n", ""):
        found = read_scores(head + "0,1.0,5\n0,3,6\n1,1.0,7\n")
        assert [(one.name, one.score) for one in found] == [("1 s", {"0": 5.0, "1": 7.0}), ("3 s", {"0": 6.0})]


def test_ratios_and_probabilities_are_log_odds_as_well() -> None:
    found = read_scores("trial,score,llr\nx,9,-1\n")[0]
    assert (found.score, found.odds) == ({"x": 9.0}, {"x": -1.0})
    found = read_scores("trial,probability\nx,0.5\n")[0]
    assert found.odds == {"x": pytest.approx(0.0)}


def test_what_is_no_number_is_no_score() -> None:
    assert read_scores("x,nan\ny,inf\nz,1")[0].score == {"z": 1.0}


@pytest.mark.parametrize(
    "text, told",
    [
        ("", "empty"),
        ("x,1\nx,2", "line 2: a second score"),
        ("x,1\ny,z", "line 2"),
        ("x,1\ny", "line 2: 1 columns"),
        ("just,five,columns,of,words", "line 1"),
        ("trial,points\nx,1", "header"),
        ("trial,probability\nx,1.2", "line 2: a probability outside"),
    ],
)
def test_what_is_no_score_file_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(PeerError, match=told) as caught:
        read_scores(text)
    assert caught.value.fault.code == "VS1041"


def test_lines_of_label_and_score_follow_the_list() -> None:
    assert in_order("1 2.5\n0,-1\ntarget 3\n", [True, False, True]) == [2.5, -1.0, 3.0]


@pytest.mark.parametrize("text", ["1 2\n0 1", "1 2\n1 1\n0 3", "x 2\n0 1\n1 3", "1 a\n0 1\n1 3"])
def test_lines_that_do_not_follow_the_list_are_another_form(text: str) -> None:
    assert in_order(text, [True, False, True]) is None
