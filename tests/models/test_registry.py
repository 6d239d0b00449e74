import subprocess
import sys

import pytest

from voicestream.errors import UNKNOWN_MODEL, PeerError
from voicestream.models.registry import cards, default_speaker_model, speaker_model, speaker_models


def test_the_default_is_listed_first_and_loaded_once() -> None:
    assert speaker_model(speaker_models()[0]) is default_speaker_model()


def test_an_unknown_name_is_the_peers_mistake() -> None:
    with pytest.raises(PeerError) as caught:
        speaker_model("../../etc/passwd")
    assert caught.value.fault is UNKNOWN_MODEL


def test_every_card_says_what_it_must() -> None:
    assert {card.kind for card in cards()} == {"speaker", "vad", "authenticity"}
    for card in cards():
        assert len(card.hash) == 32
        assert all((card.name, card.version, card.licence, card.calibration, card.trained_on, card.limits))


def test_a_speaker_model_says_how_often_it_errs() -> None:
    measured = default_speaker_model().card.measured
    assert {row.metric for row in measured} == {"EER %", "Cllr"}
    assert all(0 < row.value < 30 for row in measured)


def test_loading_imports_no_training_tools() -> None:  # scipy.linalg is numba's own doing
    code = "import sys, voicestream.models.registry as r; r.default_speaker_model()"
    code += "; print({'scipy.signal', 'scipy.optimize', 'torch', 'cryptography'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
