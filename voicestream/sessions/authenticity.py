"""Is the voice of a recording a living one, or synthetic or replayed: the mean verdict over its stretches of speech."""

from typing import Final, NamedTuple

from voicestream.dsp.frontend import FrontEnd
from voicestream.dsp.mfcc import FeatureOptions
from voicestream.models.authenticity.model import AuthenticityModel
from voicestream.models.speaker.model import FRAME_S
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.enrolment import Recording
from voicestream.sessions.feature_memory import FeatureMemory, Features, Speech
from voicestream.sessions.intake import voice_intake

CLIP_S: Final = 4  # what a verdict is given on
CLIPS: Final = 8  # of a long recording; more of them cost time and change little
MIN_SPEECH_S: Final = 1.0  # in a clip


class Verdict(NamedTuple):
    """score: the model's mean log odds; probability 0..1 that the voice is a living one; clips the verdict rests on."""

    score: float
    probability: float
    clips: int


def judge(recording: Recording, model: AuthenticityModel, make_front: MakeFront = FrontEnd) -> Verdict | None:
    """Judge the first CLIPS clips of a recording that hold speech; None when none does."""
    rate_hz, blocks = recording
    options = FeatureOptions(rate_hz=model.rate_hz, samples=True)
    intake = voice_intake(rate_hz, "pcm16", model.rate_hz, options, make_front)
    memory = FeatureMemory(rate_hz, CLIP_S * rate_hz, options.width)
    scores: list[float] = []
    start = 0

    def listen(rows: Features, speech: Speech) -> None:
        if FRAME_S * int(speech.sum()) >= MIN_SPEECH_S:
            scores.append(model.score(rows.reshape(-1)))

    for block in blocks:
        memory.add(*intake.feed(block))
        while intake.samples >= (end := start + CLIP_S * rate_hz):
            listen(*memory.window(start, end)[:2])
            start = end
            memory.forget(start)
        if len(scores) >= CLIPS:
            break
    else:
        memory.add(*intake.flush())
        if intake.samples > start:
            listen(*memory.window(start, intake.samples)[:2])
    if not scores:
        return None
    score = sum(scores[:CLIPS]) / len(scores[:CLIPS])
    return Verdict(score, model.probability(score), len(scores[:CLIPS]))
