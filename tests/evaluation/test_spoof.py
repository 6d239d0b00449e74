import pytest

from voicestream.errors import PeerError
from voicestream.evaluation.spoof import read_presentations, spoof_report

CLIPS = read_presentations("id,file,label,attack\na,a.wav,bonafide,-\nb,b.wav,bonafide,-\nc,c.wav,spoof,tts\nd,d.wav,spoof,replay\n")
SCORES = {"a": 0.9, "b": 0.4, "c": 0.1, "d": 0.8}


def test_each_kind_of_attack_is_counted_by_itself() -> None:
    report = spoof_report("x", CLIPS, SCORES, 0.5)
    assert report is not None
    assert {kind.attack: kind.apcer.value for kind in report.kinds} == {"replay": 1.0, "tts": 0.0}
    assert (report.bpcer.errors, report.bpcer.trials, report.chosen_here, report.unscored) == (1, 2, False, 0)
    assert {kind.attack: kind.eer for kind in report.kinds} == {"replay": 0.75, "tts": 0.0}


def test_a_threshold_chosen_here_is_said_to_be() -> None:
    report = spoof_report("x", CLIPS, SCORES, None)
    assert report is not None
    assert report.chosen_here


def test_clips_without_a_score_are_counted_and_none_at_all_is_no_report() -> None:
    report = spoof_report("x", CLIPS, {"a": 1.0, "c": 0.0}, 0.5)
    assert report is not None
    assert (report.genuine, report.attacks, report.unscored) == (1, 1, 2)
    assert spoof_report("x", CLIPS, {"a": 1.0}, 0.5) is None


@pytest.mark.parametrize("text", ["", "id,label\na,bonafide", "id,label\na,perhaps\n", "name\na"])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(PeerError, match="VS1040"):
        read_presentations(text)
