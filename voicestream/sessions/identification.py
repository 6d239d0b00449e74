"""Which of many voices is this one: every one of them compared with it, at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from voicestream.dsp.cosine import cosines
from voicestream.errors import TEMPLATE_MODEL, PeerError
from voicestream.models.speaker.model import SpeakerModel
from voicestream.sessions.vocabulary import Template


class Likeness(NamedTuple):
    """How like two voices are: calibrated probability 0..1 of one speaker, then cosine -1..1; the greater is the more alike."""

    probability: float
    score: float


def compare(voice: Template, others: Sequence[Template], model: SpeakerModel) -> list[Likeness]:
    """The likeness of `voice` with each of `others`, in their order; `PeerError` VS3007 when one is of another model.

    A comparison is only as good as the shorter side, so that is the net speech behind its probability.
    """
    if any(one.model_hash != model.card.hash for one in (voice, *others)):
        raise PeerError(TEMPLATE_MODEL)
    if not others:
        return []
    scores = cosines(voice.vector, np.stack([other.vector for other in others]))
    return [
        Likeness(model.probability(score, min(voice.net_speech_s, other.net_speech_s)), score)
        for score, other in zip(scores.tolist(), others, strict=True)
    ]
