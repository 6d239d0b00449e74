import pytest

from voicestream.errors import PeerError
from voicestream.evaluation import pairing
from voicestream.evaluation.pairing import check_enough, pairings


def test_no_recording_meets_a_voice_it_is_part_of() -> None:
    for trial in pairings([3, 1, 2]):
        assert not (trial.target and trial.left_out != trial.tested)


def test_every_recording_meets_every_speaker_who_can_be_enrolled_once() -> None:
    found = [(trial.enrol, trial.test, trial.tested) for trial in pairings([3, 1, 2])]
    assert len(found) == len(set(found)) == 6 * 2
    assert sum(trial.target for trial in pairings([3, 1, 2])) == 3 + 2


def test_both_kinds_are_enrolled_with_as_many_recordings() -> None:
    assert {trial.left_out for trial in pairings([2, 5]) if not trial.target and trial.enrol == 0} == {0, 1}


def test_of_too_many_non_targets_an_even_share_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing, "MOST_TRIALS", 1000)
    found = pairings([5] * 30)
    assert sum(trial.target for trial in found) == 150
    strangers = [trial for trial in found if not trial.target]
    assert 700 < len(strangers) < 1000
    for side in ("enrol", "test"):
        met = [sum(getattr(trial, side) == speaker for trial in strangers) for speaker in range(30)]
        assert max(met) - min(met) <= 5


@pytest.mark.parametrize("counts, fmr", [([10] * 20, 0.01), ([3] * 10, 0.15), ([2] * 40, 0.01)])
def test_what_is_enough_is_not_refused(counts: list[int], fmr: float) -> None:
    check_enough(counts, fmr)


@pytest.mark.parametrize("counts", [[5] * 12, [2] * 30, [4] * 15 + [1] * 5])
@pytest.mark.parametrize("fmr", [0.01, 0.001])
def test_the_speakers_and_the_recordings_asked_for_are_enough_and_one_fewer_is_not(counts: list[int], fmr: float) -> None:
    with pytest.raises(PeerError) as caught:
        check_enough(counts, fmr)
    assert caught.value.fault.code == "VS1043"
    words = caught.value.detail.split(": ")[1].split()
    speakers, recordings = int(words[0]), int(words[words.index("or") + 1])
    each = int(words[words.index("with") + 1])
    check_enough([*counts, *[each] * speakers], fmr)
    check_enough([counts[0] + recordings, *counts[1:]], fmr)
    for fewer in ([*counts, *[each] * (speakers - 1)], [counts[0] + recordings - 1, *counts[1:]]):
        with pytest.raises(PeerError):
            check_enough(fewer, fmr)


def test_the_fmr_offered_is_one_that_is_carried() -> None:
    counts = [5] * 12
    with pytest.raises(PeerError) as caught:
        check_enough(counts, 0.01)
    check_enough(counts, float(caught.value.detail.split()[-1]))


@pytest.mark.parametrize("counts, told", [([100] * 9, "9 speakers"), ([2] * 11, "22 target trials, 30 needed: 8 more"), ([], "10 more")])
def test_too_few_speakers_or_targets_are_counted(counts: list[int], told: str) -> None:
    with pytest.raises(PeerError, match=told):
        check_enough(counts, 0.5)
