"""Models of phone scores that have not heard a speaker: so that nothing of him is in the ratings foreseen for him."""

import json
from pathlib import Path

import numpy as np

from scripts.assessment.corpus import Witness
from scripts.train_pronunciation import controlled, learnt, rated
from voicestream.models.speech.aligner import Aligner
from voicestream.models.speech.lexicon import lexicon
from voicestream.models.speech.likelihood import acoustic_model
from voicestream.models.speech.pronunciation import Pronunciation, pronunciation

NOBODY = ""  # the key of the model that has heard all: the one that is shipped

Plain = dict[str, list[float]]


def phone_models(data: Path, kept: Path) -> dict[str, Pronunciation]:
    """By the speaker left out; kept in a file, because the synthetic mistakes take minutes."""
    aligner = Aligner(acoustic_model(), lexicon(), Witness())  # type: ignore[arg-type]
    if not kept.exists():
        kept.write_text(json.dumps(_trained(data, aligner)))
    known: dict[str, Plain] = json.loads(kept.read_text())
    models = {NOBODY: pronunciation(aligner.alternatives)}
    for speaker, arrays in known.items():
        read = {name: np.array(array, np.float32) for name, array in arrays.items()}
        models[speaker] = Pronunciation(read, 0.0, aligner.alternatives)
    return models


def _trained(data: Path, aligner: Aligner) -> dict[str, Plain]:
    people = rated(data / "pronunciation", aligner)
    machine = controlled(aligner, tested=False)
    models: dict[str, Plain] = {}
    for speaker in sorted({one.speaker for one in people}):
        fit = learnt([one for one in people if one.speaker != speaker], machine, aligner.alternatives)
        models[speaker] = {name: array.tolist() for name, array in fit.arrays.items()}
    return models
