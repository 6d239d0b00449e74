"""From a sound to a verdict, and how often the card says it is right."""

import numpy as np
import pytest

from tests.models.speech.test_confusion import NAMES, SHAPE, arrays, sound
from voicestream.errors import MisuseError
from voicestream.models.speech import pronunciation as model
from voicestream.models.speech.pronunciation import Pronunciation, card, pronunciation


def judge(rival: str = "SH", lead: float = 0.0, border: float = 1.0) -> Pronunciation:
    """Of a network to which `rival` is by `lead` likelier than anything."""
    bias = np.zeros(len(NAMES), np.float32)
    bias[NAMES.index(rival)] = lead
    score = {"measure": [0, 0], "scale": [1, 1], "slope": [0.5, -0.8], "offset": [2]}
    more = {"out.bias": bias, "border": np.full(len(NAMES), border)} | {name: np.array(values) for name, values in score.items()}
    return Pronunciation(arrays(**{name: array.astype(np.float32) for name, array in more.items()}), NAMES)


def test_a_rival_within_the_border_is_none() -> None:
    assert judge(lead=0.9).verdict(sound()).said is None


def test_a_rival_over_the_border_is_named() -> None:
    assert judge(lead=1.1).verdict(sound()).said == "SH"


def test_a_sound_left_out_is_named_by_nothing() -> None:
    assert judge(rival="", lead=3).verdict(sound()).said == ""


def test_a_worse_fit_scores_less() -> None:
    scores = [judge().verdict(sound()._replace(fit=fit)).score for fit in (-1, -5, -10, -20)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1] + 20


def test_a_rival_costs_by_how_far_it_is_over_the_border() -> None:
    scores = [judge(lead=lead).verdict(sound()).score for lead in (0.0, 1.0, 2.0, 4.0)]
    assert scores[0] == scores[1] > scores[2] > scores[3]


@pytest.mark.parametrize("phone", NAMES[:-1])
def test_the_shipped_model_scores_absurd_sounds_between_0_and_100(phone: str) -> None:
    shipped = pronunciation(NAMES)
    for number in (-1e30, 1e30):
        absurd = sound(phone)._replace(shape=np.full(SHAPE, number, np.float32), leads=np.full(len(NAMES), number, np.float32))
        for fit in (-1e6, 0.0):
            assert 0 <= shipped.verdict(absurd._replace(fit=fit)).score <= 100


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "card", lambda: type("Other", (), {"sha256": "0" * 64})())
    with pytest.raises(MisuseError):
        pronunciation(NAMES)


def test_its_card_says_how_well_it_agrees_with_people_and_finds_mistakes() -> None:
    rows = {(row.condition.split()[1], row.metric): row.value for row in card().measured}
    assert rows["of", "AUC"] >= 0.78
    assert rows["exchanged", "flagged %"] >= 85
    assert rows["exchanged", "named right %"] >= 60
    assert rows["right", "flagged %"] <= 10
