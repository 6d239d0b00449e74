"""A recording, or several, becomes a template."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from voicestream.dsp.frontend import FrontEnd
from voicestream.errors import NOTHING_TO_MERGE, TEMPLATE_MODEL, TEMPLATE_VALUES, PeerError
from voicestream.models.speaker.model import FRAME_S, SpeakerModel
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.piece import Recording, pieces
from voicestream.sessions.quality import Gate, Meter, Quality, admit
from voicestream.sessions.vocabulary import Template, Vector

PIECE_S: Final = 30  # a longer recording is embedded in pieces, so its length costs no memory


class Enrolment(NamedTuple):
    """What came of a recording."""

    template: Template
    quality: Quality


def enrol(recording: Recording, model: SpeakerModel, gate: Gate = Gate(), make_front: MakeFront = FrontEnd) -> Enrolment:
    """The voice of a recording; `PeerError` VS3013 to VS3018 when the recording does not pass the gate."""
    meter = Meter(recording[0])
    voices: list[Vector] = []
    net_s: list[float] = []
    for rows, speech in pieces(recording, model.features, PIECE_S, make_front, meter.hear):
        if speech.any():
            voices.append(model.embed(rows, speech))
            net_s.append(FRAME_S * int(speech.sum()))
    quality = meter.quality()
    admit(quality, gate)
    return Enrolment(Template(model.card.name, model.card.hash, _mean(voices, net_s), sum(net_s)), quality)


def merge(templates: Sequence[Template]) -> Template:
    """One template of several recordings of one speaker: their mean, weighted by net speech.

    `PeerError` VS3014 for none, VS3007 for templates of different models, VS3009 for voices that cancel out.
    """
    if not templates:
        raise PeerError(NOTHING_TO_MERGE)
    first = templates[0]
    if any(one.model_hash != first.model_hash for one in templates):
        raise PeerError(TEMPLATE_MODEL)
    net_s = [one.net_speech_s for one in templates]
    return Template(first.model, first.model_hash, _mean([one.vector for one in templates], net_s), sum(net_s))


def _mean(voices: Sequence[Vector], net_s: Sequence[float]) -> Vector:
    """Unit vector between `voices`; one that says it holds no speech counts as one frame of it."""
    weights = np.maximum(np.asarray(net_s, np.float64), FRAME_S)
    mean = weights @ np.asarray(voices, np.float64)
    length = float(np.linalg.norm(mean))
    if length <= 1e-6 * float(weights.sum()):
        raise PeerError(TEMPLATE_VALUES)
    return (mean / length).astype(np.float32)
