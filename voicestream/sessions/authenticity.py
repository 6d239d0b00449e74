"""Is the voice of a recording a living one, or synthetic or replayed: the mean verdict over its stretches of speech."""

from itertools import islice
from typing import Final, NamedTuple

from voicestream.dsp.frontend import FrontEnd
from voicestream.dsp.mfcc import FeatureOptions
from voicestream.models.authenticity.model import AuthenticityModel
from voicestream.models.speaker.model import FRAME_S
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.piece import Recording, pieces

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
    options = FeatureOptions(rate_hz=model.rate_hz, samples=True)
    heard = pieces(recording, options, CLIP_S, make_front)
    clips = (rows.reshape(-1) for rows, speech in heard if FRAME_S * int(speech.sum()) >= MIN_SPEECH_S)
    scores = [model.score(clip) for clip in islice(clips, CLIPS)]
    if not scores:
        return None
    score = sum(scores) / len(scores)
    return Verdict(score, model.probability(score), len(scores))
