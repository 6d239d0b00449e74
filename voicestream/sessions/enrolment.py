"""A recording, or several, becomes a template."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from voicestream.dsp.frontend import FrontEnd
from voicestream.errors import NOTHING_TO_MERGE, TEMPLATE_MODEL, TEMPLATE_VALUES, PeerError
from voicestream.models.speaker.model import FRAME_S, SpeakerModel
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.feature_memory import FeatureMemory, Features
from voicestream.sessions.intake import voice_intake
from voicestream.sessions.quality import Gate, Meter, Quality, admit
from voicestream.sessions.vocabulary import Template, Vector

Recording: TypeAlias = tuple[int, Iterable[bytes]]  # rate in Hz, PCM16 little-endian mono in blocks of any size

PIECE_S: Final = 30  # a longer recording is embedded in pieces, so its length costs no memory


class Enrolment(NamedTuple):
    """What came of a recording."""

    template: Template
    quality: Quality


def enrol(recording: Recording, model: SpeakerModel, gate: Gate = Gate(), make_front: MakeFront = FrontEnd) -> Enrolment:
    """The voice of a recording; `PeerError` VS3013 to VS3017 when the recording does not pass the gate."""
    rate_hz, blocks = recording
    meter = Meter(rate_hz)
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

    def hear(block: bytes, heard: tuple[bytes, Features]) -> None:
        meter.hear(block, heard[0])
        memory.add(*heard)

    for block in blocks:
        hear(block, intake.feed(block))
        while intake.samples >= start + PIECE_S * rate_hz:
            embed(start + PIECE_S * rate_hz)
            start += PIECE_S * rate_hz
            memory.forget(start)
    hear(b"", intake.flush())
    if intake.samples > start:
        embed(intake.samples)
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
