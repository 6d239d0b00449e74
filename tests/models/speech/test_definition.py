"""Contexts are found as pocketsphinx finds them."""

import pytest

from voicestream.errors import MisuseError
from voicestream.models.speech.definition import SILENCE, ModelDefinition
from voicestream.models.speech.likelihood import acoustic_model


@pytest.fixture(scope="module")
def definition() -> ModelDefinition:
    return acoustic_model().definition


def test_phones_are_those_of_the_dictionary_and_three_fillers(definition: ModelDefinition) -> None:
    assert len(definition.phones) == 42
    assert definition.fillers == {"SIL", "+NSN+", "+SPN+"}


def test_base_phones_have_the_first_senones(definition: ModelDefinition) -> None:
    found = [definition.base(phone).senones for phone in definition.phones]
    assert [senone for senones in found for senone in senones] == list(range(126))


def test_neighbours_change_how_a_phone_sounds(definition: ModelDefinition) -> None:
    assert definition.model("AE", "K", "T", "internal").senones != definition.model("AE", "M", "N", "internal").senones


def test_senones_of_a_phone_belong_to_it(definition: ModelDefinition) -> None:
    owner = definition.phone_of_senone()
    model = definition.model("AE", "K", "T", "internal")
    assert {int(owner[senone]) for senone in model.senones} == {definition.number["AE"]}
    assert owner.min() >= 0


def test_a_context_never_seen_falls_back_to_another(definition: ModelDefinition) -> None:
    model = definition.model("ZH", "ZH", "ZH", "single")
    owner = definition.phone_of_senone()
    assert {int(owner[senone]) for senone in model.senones} == {definition.number["ZH"]}


def test_fillers_count_as_silence_for_their_neighbours(definition: ModelDefinition) -> None:
    assert definition.model("B", "+NSN+", "AE", "begin") == definition.model("B", SILENCE, "AE", "begin")


def test_another_file_is_refused() -> None:
    with pytest.raises(MisuseError):
        ModelDefinition(b"s3\nno definition at all")
