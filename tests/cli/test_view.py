"""What a person reads of the answers."""

import json
from collections.abc import Callable

import pytest

from voicestream.cli.view import EndpointView, SummaryView, VerifyView, View, bar
from voicestream.errors import PeerError


def test_an_endpoint_is_told_once_when_it_comes() -> None:
    view = EndpointView()
    told = [view.hear(answer, at_s) for at_s, answer in enumerate(["false", "true", "true", "false", "true"])]
    assert [line is not None for line in told] == [False, True, False, False, True]
    assert view.verdict() == "2 endpoints, 1.00 s, 4.00 s"
    assert view.ends_s == [1.0, 4.0]


def test_a_summary_shows_the_last_frames() -> None:
    view = SummaryView()
    view.hear(
        json.dumps(
            {
                "speech_length": 0.06,
                "current_speech_summary": {"background_length": 0.03, "total_length": 0.1, "vad_result": {"frames": [False, True, True]}},
                "speech_events": [{"is_voice": False}, {"is_voice": True}],
            }
        ),
        0.1,
    )
    assert "·██ speech 0.06 s of 0.10 s" in view.line()
    assert view.verdict() == "speech 0.06 s in 1 stretches, background 0.03 s, total 0.10 s"
    assert view.speech_share == pytest.approx(0.6)


def window(probability: float, end_ms: int) -> dict[str, object]:
    interval = {"start_time": end_ms - 3000, "end_time": end_ms}
    return {"audio_interval": interval, "verify_result": {"probability": probability, "score": 0.5}}


def test_the_last_window_decides() -> None:
    view = VerifyView()
    assert view.hear("[]", 1.0) is None
    assert not view.accepted
    lines = view.hear(json.dumps([window(0.2, 3000), window(0.97, 4000)]), 4.0)
    assert lines is not None
    assert lines.count("\n") == 1
    assert view.accepted
    assert view.verdict() == "the same voice: probability 0.9700, score +0.500"
    view.hear(json.dumps([window(0.49, 5000)]), 5.0)
    assert not view.accepted


def test_without_a_window_there_is_no_claim() -> None:
    assert VerifyView().verdict() == "too little audio for one window: no answer"


@pytest.mark.parametrize("kind", [EndpointView, SummaryView, VerifyView])
@pytest.mark.parametrize("answer", ["500", "", "{}", '"x"', "[1]"])
def test_an_answer_of_another_kind_is_an_error(kind: Callable[[], View], answer: str) -> None:
    with pytest.raises(PeerError, match="VS1022"):
        kind().hear(answer, 0.0)


def test_a_bar_stays_in_its_width() -> None:
    assert [bar(share, 4) for share in (-1.0, 0.0, 0.5, 1.0, 7.0)] == ["░░░░", "░░░░", "██░░", "████", "████"]
