"""The scores of the models in the words of an assessment."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voicestream.models.speech.conclusion import conclude
from voicestream.models.speech.spoken import Speech
from voicestream.sessions.assessment_chain import Judgement, Samples
from voicestream.sessions.assessment_result import Melody, Pace, Scores, Word


def judge(words: Sequence[Word], samples: Samples, labels: NDArray[np.uint8], sentence: Sequence[str] | None) -> Judgement:
    """Words of a whole recording, its samples (n,) at 16 kHz and labels (frames,) per 30 ms; sentence: the words to be said, if given."""
    found = conclude(Speech(words, samples, labels), sentence)
    return Judgement(
        Scores(*found.scores),
        Pace(*found.pace) if found.pace is not None else None,
        Melody(found.melody.pitch_variation, found.melody.energy_variation, tuple(found.melody.pitch_hz.tolist())),
        found.prominence,
    )
