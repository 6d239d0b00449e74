import subprocess
import sys
from pathlib import Path

import pytest

from voicestream.errors import MODEL_DAMAGED, UNKNOWN_MODEL, PeerError
from voicestream.models.card import joint_sha256
from voicestream.models.installation import ORIGINS, place
from voicestream.models.registry import FUSIONS, cards, default_speaker_model, is_available, speaker_model, speaker_models
from voicestream.models.speaker.neural import packaged, packaged_card
from voicestream.models.weights import read_weights, sha256_of


def test_the_default_is_listed_first_and_loaded_once() -> None:
    assert speaker_model(speaker_models()[0]) is default_speaker_model()


def test_an_unknown_name_is_the_peers_mistake() -> None:
    with pytest.raises(PeerError) as caught:
        speaker_model("../../etc/passwd")
    assert caught.value.fault is UNKNOWN_MODEL


def test_every_card_says_what_it_must() -> None:
    assert {card.kind for card in cards()} == {"speaker", "vad", "authenticity", "transcript", "pronunciation"}
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


@pytest.mark.parametrize("name", ORIGINS)
def test_a_network_and_its_projection_are_those_of_the_card(name: str) -> None:
    backend, card = packaged(name)
    assert card.sha256 == joint_sha256(ORIGINS[name].sha256, sha256_of(backend))


@pytest.mark.parametrize("name", FUSIONS)
def test_a_fusion_is_made_of_the_parts_that_ship(name: str) -> None:
    weights, card = packaged(name)
    parts = [packaged_card(part) for part in FUSIONS[name]]
    assert card.sha256 == joint_sha256(*(part.sha256 for part in parts), sha256_of(weights))
    assert card.dimension == sum(part.dimension for part in parts)
    assert card.name == name == "+".join(FUSIONS[name])
    assert read_weights(weights)["weight"].sum() == pytest.approx(1.0, abs=1e-6)


def test_fusion_is_the_largest_that_is_installed(tmp_path: Path) -> None:
    for name, chosen in (("ge2e", "mfcc+ge2e"), ("ecapa", "mfcc+ge2e+ecapa")):
        place(tmp_path, name).parent.mkdir(exist_ok=True)
        place(tmp_path, name).write_bytes(b"")
        assert next(one for one in FUSIONS if is_available(one, tmp_path)) == chosen
    with pytest.raises(PeerError) as caught:
        speaker_model("fusion", tmp_path)
    assert caught.value.fault is MODEL_DAMAGED
