import pytest

from voicestream.errors import PeerError
from voicestream.evaluation.trial import Trial, read_trials


@pytest.mark.parametrize(
    "text",
    [
        "1 a/1.wav b/2.wav\n0 a/1.wav c/3.wav\n",
        "\ufefftarget a/1.wav b/2.wav\r\n\r\nnontarget a/1.wav c/3.wav",
        "a/1.wav b/2.wav target\na/1.wav c/3.wav nontarget\n",
        "label,enrol,test\n1,a/1.wav,b/2.wav\n0,a/1.wav,c/3.wav\n",
        "trial,model,test,target,channel\n0,a/1.wav,b/2.wav,1,x\n1,a/1.wav,c/3.wav,0,y\n",
    ],
)
def test_one_list_in_many_forms(text: str) -> None:
    found = read_trials(text)
    assert [(one.target, one.enrol, one.test) for one in found] == [(True, ("a/1.wav",), "b/2.wav"), (False, ("a/1.wav",), "c/3.wav")]


def test_a_model_may_have_several_recordings() -> None:
    assert read_trials("label,enrol,test\n1,a.wav; b.wav,c.wav\n0,a.wav,d.wav")[0].enrol == ("a.wav", "b.wav")


def test_groups_and_names_of_a_csv_are_kept() -> None:
    text = "trial,model,test,target,same_group\nx,a,b,1,1\ny,a,c,0,0\n"
    assert read_trials(text) == [Trial("x", True, ("a",), "b", True), Trial("y", False, ("a",), "c", False)]


def test_scores_of_another_system_are_trials_without_recordings() -> None:
    assert [(one.target, one.score, one.test) for one in read_trials("1 2.5\n0 -1e-3")] == [(True, 2.5, ""), (False, -0.001, "")]


@pytest.mark.parametrize(
    "text, told",
    [
        ("", "empty"),
        ("  \n\n", "empty"),
        ("1 a b\n2 a b", "line 2"),
        ("1 a b\n0 a", "line 2"),
        ("1 a b\n1 a c", "one kind is missing"),
        ("hello world and all", "line 1"),
        ("one,two\n1,2", "header"),
        ("label,enrol,test\n1,a\n", "line 2: 2 columns, 3 wanted"),
        ("label,enrol,test\n1,;,b\n", "no enrolment"),
        ("trial,label,enrol,test\nx,1,a,b\nx,0,a,c\n", "one name"),
        ("1 abc\n0 1", "line 1"),
    ],
)
def test_what_is_no_list_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(PeerError, match=told) as caught:
        read_trials(text)
    assert caught.value.fault.code == "VS1040"
