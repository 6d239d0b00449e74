"""One voice against many."""

import numpy as np
import pytest

from voicestream.errors import TEMPLATE_MODEL, PeerError
from voicestream.models.registry import default_speaker_model
from voicestream.sessions.identification import compare
from voicestream.sessions.vocabulary import Template

MODEL = default_speaker_model()


def voice(seed: int, net_speech_s: float = 5.0, model_hash: bytes = MODEL.card.hash) -> Template:
    vector = np.random.default_rng(seed).normal(size=MODEL.card.dimension).astype(np.float32)
    return Template(MODEL.card.name, model_hash, vector / np.linalg.norm(vector), net_speech_s)


def test_each_is_compared_as_if_it_were_alone() -> None:
    others = [voice(seed, net_speech_s=seed) for seed in range(1, 50)]
    for likeness, other in zip(compare(voice(7), others, MODEL), others, strict=True):
        assert likeness.score == pytest.approx(MODEL.score(voice(7).vector, other.vector), abs=1e-6)
        assert likeness.probability == MODEL.probability(likeness.score, min(5.0, other.net_speech_s))


def test_a_voice_is_most_like_itself() -> None:
    found = compare(voice(7), [voice(seed) for seed in range(20)], MODEL)
    assert max(range(20), key=found.__getitem__) == 7
    assert found[7].score == pytest.approx(1.0)


def test_nobody_is_like_nobody() -> None:
    assert compare(voice(1), [], MODEL) == []


@pytest.mark.parametrize("one, other", [(bytes(32), MODEL.card.hash), (MODEL.card.hash, bytes(32))])
def test_models_do_not_mix(one: bytes, other: bytes) -> None:
    with pytest.raises(PeerError) as caught:
        compare(voice(1, model_hash=one), [voice(2), voice(3, model_hash=other)], MODEL)
    assert caught.value.fault is TEMPLATE_MODEL
