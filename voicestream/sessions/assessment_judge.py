"""The scores of a recording in the words of the session: what `models.speech.conclusion` finds, by another name."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from voicestream.models.speech.conclusion import conclude
from voicestream.models.speech.spoken import Speech
from voicestream.sessions.assessment_chain import Judgement
from voicestream.sessions.assessment_result import Level, Melody, Pace, Scores, Word


def judge(words: Sequence[Word], samples: NDArray[np.float32], labels: NDArray[np.uint8], sentence: Sequence[str] | None) -> Judgement:
    """Words said, samples (n,) float32 at 16 kHz, labels (frames,) uint8 per 30 ms, words of the sentence if any -> all scores."""
    found = conclude(Speech(words, samples, labels), sentence)
    return Judgement(
        Scores(**found.scores._asdict()),
        Pace(**found.pace._asdict(), **(found.disfluency._asdict() if found.disfluency else {})) if found.pace else None,
        Melody(*found.melody),
        {scale: Level(*band) for scale, band in found.bands.items()},
    )
