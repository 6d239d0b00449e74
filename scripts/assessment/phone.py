"""Models of phone scores that have not heard a speaker: so that nothing of him is in the ratings foreseen for him."""

import json
from importlib.resources import files
from pathlib import Path

import numpy as np

from scripts.assessment.corpus import Witness
from scripts.train_pronunciation import controlled, judged, rated, scoring
from voicestream.models.speech.aligner import Aligner
from voicestream.models.speech.lexicon import lexicon
from voicestream.models.speech.likelihood import acoustic_model
from voicestream.models.speech.pronunciation import Pronunciation
from voicestream.models.weights import Array, read_weights

NOBODY = ""  # the key of the model that has heard all: the one that is shipped

Plain = dict[str, list[float]]


def phone_models(data: Path, kept: Path) -> dict[str, Pronunciation]:
    """By the speaker left out; kept in a file, because the synthetic mistakes take minutes. The network knows no rated speaker."""
    aligner = Aligner(acoustic_model(), lexicon(), Witness())  # type: ignore[arg-type]
    shipped = read_weights(files("voicestream.models.speech").joinpath("pronunciation.safetensors").read_bytes())
    if not kept.exists():
        kept.write_text(json.dumps(_trained(data, aligner, shipped)))
    known: dict[str, Plain] = json.loads(kept.read_text())
    scores = {speaker: {name: np.array(array, np.float32) for name, array in arrays.items()} for speaker, arrays in known.items()}
    return {speaker: Pronunciation(shipped | score, aligner.alternatives) for speaker, score in {NOBODY: {}, **scores}.items()}


def _trained(data: Path, aligner: Aligner, shipped: dict[str, Array]) -> dict[str, Plain]:
    people, machine = rated(data, aligner), controlled(aligner, tested=False)
    findings = judged(shipped, [one.sound for one in people], aligner.alternatives)
    mistakes = list(zip(judged(shipped, [one.sound for one in machine], aligner.alternatives), (one.wrong for one in machine), strict=True))
    models: dict[str, Plain] = {}
    for speaker in sorted({one.speaker for one in people}):
        others = [(finding, one.rating) for finding, one in zip(findings, people, strict=True) if one.speaker != speaker]
        models[speaker] = {name: array.tolist() for name, array in scoring(others, mistakes).items()}
    return models
