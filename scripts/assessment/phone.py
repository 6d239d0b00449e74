"""Models of phone scores that have not heard a speaker: so that nothing of him is in the ratings foreseen for him."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scripts.train_pronunciation import Controlled, Fit, Rated, controlled, learnt, rated
from voicestream.models.speech.aligner import Aligner
from voicestream.models.speech.lexicon import lexicon
from voicestream.models.speech.likelihood import acoustic_model
from voicestream.models.speech.pronunciation import MEASURES, Pronunciation
from voicestream.models.weights import Array

NOBODY = ""  # the key of the model that has heard all


def phone_models(data: Path, kept: Path) -> dict[str, Pronunciation]:
    """By the speaker left out; kept in a file, because the synthetic mistakes take minutes."""
    names = Aligner(acoustic_model(), lexicon(), _blank(())).alternatives
    if not kept.exists():
        kept.write_text(json.dumps(_trained(data, names)))
    known = json.loads(kept.read_text())
    return {speaker: _model(arrays, names) for speaker, arrays in known.items()}


def _trained(data: Path, names: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    aligner = Aligner(acoustic_model(), lexicon(), _blank(names))
    people: list[Rated] = rated(data / "pronunciation", aligner)
    machine: list[Controlled] = controlled(aligner, tested=False)
    models: dict[str, Fit] = {NOBODY: learnt(people, machine, names)}
    for speaker in sorted({one.speaker for one in people}):
        models[speaker] = learnt([one for one in people if one.speaker != speaker], machine, names)
    return {speaker: {name: array.tolist() for name, array in fit.arrays.items()} for speaker, fit in models.items()}


def _model(arrays: dict[str, list[float]], names: Sequence[str]) -> Pronunciation:
    read: dict[str, Array] = {name: np.array(array, np.float32) for name, array in arrays.items()}
    return Pronunciation(read, 0.0, names)


def _blank(names: Sequence[str]) -> Pronunciation:
    zero = np.zeros(MEASURES, np.float32)
    return Pronunciation({"mean": zero, "scale": zero + 1, "weight": zero, "offset": zero[:1]}, 0.0, names)
