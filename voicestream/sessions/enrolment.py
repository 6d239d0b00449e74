"""A recording, or several, becomes a template."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import numpy as np

from voicestream.dsp.frontend import FrontEnd
from voicestream.errors import LITTLE_SPEECH, NOTHING_TO_MERGE, TEMPLATE_MODEL, TEMPLATE_VALUES, PeerError
from voicestream.models.speaker.model import FRAME_S, MIN_ENROLMENT_S, SpeakerModel
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.feature_memory import FeatureMemory
from voicestream.sessions.intake import voice_intake
from voicestream.sessions.vocabulary import Template, Vector

Recording: TypeAlias = tuple[int, Iterable[bytes]]  # rate in Hz, PCM16 little-endian mono in blocks of any size

PIECE_S: Final = 30  # a longer recording is embedded in pieces, so its length costs no memory


def enrol(recording: Recording, model: SpeakerModel, needed_s: float = MIN_ENROLMENT_S, make_front: MakeFront = FrontEnd) -> Template:
    """The voice of a recording; `PeerError` VS3013 when it holds less than `needed_s` of net speech."""
    rate_hz, blocks = recording
    intake = voice_intake(rate_hz, "pcm16", model.rate_hz, model.features, make_front)
    memory = FeatureMemory(rate_hz, PIECE_S * rate_hz, model.features.width)
    voices: list[Vector] = []
    net_s: list[float] = []
    start = 0

    def embed(end: int) -> None:
        rows, speech, _ = memory.window(start, end)
        if speech.any():
            voices.append(model.embed(rows, speech))
            net_s.append(FRAME_S * int(speech.sum()))

    for block in blocks:
        memory.add(*intake.feed(block))
        while intake.samples >= start + PIECE_S * rate_hz:
            embed(start + PIECE_S * rate_hz)
            start += PIECE_S * rate_hz
            memory.forget(start)
    memory.add(*intake.flush())
    if intake.samples > start:
        embed(intake.samples)
    found_s = sum(net_s)
    if found_s < needed_s:
        raise PeerError(LITTLE_SPEECH, f"{found_s:.2f} s found, {needed_s:.2f} s needed")
    return Template(model.card.name, model.card.hash, _mean(voices, net_s), found_s)


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
