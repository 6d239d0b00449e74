"""Attacks heard by a detector: a toy that takes loud clips for genuine."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicestream.cli.evaluation.attack import attack_outcome
from voicestream.models.card import Card
from voicestream.models.registry import default_speaker_model


class Loudness:
    card: Card = replace(default_speaker_model().card, name="loudness", threshold=0.2)
    rate_hz = 8000
    heavy = False

    def probability(self, score: float) -> float:
        return score

    def score(self, samples: np.ndarray) -> float:
        return float(np.sqrt(np.mean(samples**2)))


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    lines = ["id,file,label,attack"]
    for name, level, label, attack in (
        ("a", 0.5, "bonafide", ""),
        ("b", 0.1, "bonafide", ""),
        ("c", 0.1, "spoof", "tts"),
        ("d", 0.5, "spoof", "replay"),
    ):
        soundfile.write(tmp_path / f"{name}.wav", level * np.sign(np.sin(np.arange(16_000) / 10.0)), 16_000)
        lines.append(f"{name},{name}.wav,{label},{attack}")
    (tmp_path / "list.csv").write_text("\n".join(lines))
    return tmp_path / "list.csv"


def test_clips_are_heard_at_the_detectors_rate_and_judged_at_its_threshold(listed: Path) -> None:
    outcome = attack_outcome(listed, listed.read_text(), listed.parent, "as-is", None, None, Loudness())
    found = outcome.document["report"]
    assert isinstance(found, dict)
    assert outcome.complete
    assert (found["threshold"], found["threshold_chosen_here"], found["bpcer"]["errors"]) == (0.2, False, 1)
    assert {kind["attack"]: kind["apcer"]["value"] for kind in found["kinds"]} == {"replay": 1.0, "tts": 0.0}


def test_the_telephone_brings_all_to_one_level(listed: Path) -> None:
    outcome = attack_outcome(listed, listed.read_text(), listed.parent, "telephone", None, None, Loudness())
    found = outcome.document["report"]
    assert isinstance(found, dict)
    assert found["bpcer"]["value"] == 1.0


def test_a_clip_that_cannot_be_heard_is_counted(listed: Path) -> None:
    (listed.parent / "d.wav").write_bytes(b"RIFF")
    outcome = attack_outcome(listed, listed.read_text(), listed.parent, "as-is", None, None, Loudness())
    assert not outcome.complete
    assert outcome.document["unscored"] == ["d"]
