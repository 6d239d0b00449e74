"""From evidence to a verdict, and how often the card says it is right."""

import numpy as np
import pytest

from voicestream.errors import MisuseError
from voicestream.models.speech import package
from voicestream.models.speech import pronunciation as model
from voicestream.models.speech.likelihood import acoustic_model
from voicestream.models.speech.pronunciation import Evidence, card, pronunciation
from voicestream.models.speech.substitution import alternatives

if not package.is_installed():
    pytest.skip("pocketsphinx is not installed", allow_module_level=True)

NAMES = alternatives(acoustic_model().definition)


def evidence(phone: str, fit: float = -2.0, **lead: float) -> Evidence:
    found = np.full(len(NAMES), -60, np.float32)
    found[NAMES.index(phone)] = 0
    for other, nats in lead.items():
        found[NAMES.index(other.strip("_"))] = nats
    return Evidence(phone, found, fit, 8)


def test_a_sound_that_nothing_explains_better_is_itself() -> None:
    assert pronunciation(NAMES).verdict(evidence("V")).said is None


def test_what_explains_it_much_better_is_named() -> None:
    assert pronunciation(NAMES).verdict(evidence("V", W=150)).said == "W"


def test_a_sound_left_out_is_named_by_nothing() -> None:
    assert pronunciation(NAMES).verdict(evidence("T", _=200)).said == ""


def test_kin_is_named_before_a_stranger_that_fits_little_better() -> None:
    assert pronunciation(NAMES).verdict(evidence("V", W=140, AY=145)).said == "W"


@pytest.mark.parametrize(("phone", "other"), [("AA", "AO"), ("AO", "AA"), ("AH", "IH")])
def test_sounds_that_nobody_keeps_apart_are_the_same(phone: str, other: str) -> None:
    assert pronunciation(NAMES).verdict(evidence(phone, **{other: 150})).said is None


def test_a_worse_fit_scores_less() -> None:
    judge = pronunciation(NAMES)
    scores = [judge.verdict(evidence("S", fit=fit)).score for fit in (-1, -5, -10, -20)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1] + 20


def test_a_larger_lead_of_another_scores_less() -> None:
    judge = pronunciation(NAMES)
    assert judge.verdict(evidence("S", SH=100)).score < judge.verdict(evidence("S")).score


@pytest.mark.parametrize("phone", NAMES[:-1])
def test_scores_stay_between_0_and_100_for_absurd_evidence(phone: str) -> None:
    judge = pronunciation(NAMES)
    for nats in (-1e6, 1e6):
        for fit in (-1e6, 0.0):
            assert 0 <= judge.verdict(Evidence(phone, np.full(len(NAMES), nats, np.float32), fit, 3)).score <= 100


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "card", lambda: type("Other", (), {"sha256": "0" * 64, "threshold": 0.0})())
    with pytest.raises(MisuseError):
        pronunciation(NAMES)


def test_its_card_says_how_well_it_agrees_with_people() -> None:
    (auc,) = [row.value for row in card().measured if row.metric == "AUC"]
    assert auc >= 0.78
