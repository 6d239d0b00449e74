"""What the recognition says of a voice that was gathered: is it a living one, and whose?"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from voicestream.codecs.wav import write_wav
from voicestream.dsp.frontend import FrontEnd
from voicestream.errors import LITTLE_SPEECH, PeerError
from voicestream.models.authenticity.model import AuthenticityModel
from voicestream.models.speaker.model import SpeakerModel
from voicestream.models.vad.model import MakeFront
from voicestream.sessions import authenticity
from voicestream.sessions.call import Inquiry, Judged
from voicestream.sessions.collection import Collection
from voicestream.sessions.enrolment import enrol
from voicestream.sessions.piece import Recording
from voicestream.sessions.quality import Gate
from voicestream.sessions.vocabulary import Template

MIN_SPEECH_S: Final = 0.8  # of what was wanted: two passes of a detector over cut audio differ at the edges


def judge(
    inquiry: Inquiry,
    collection: Collection,
    model: SpeakerModel,
    living: AuthenticityModel,
    seal: Callable[[Template], str],
    gate: Gate = Gate(),
    make_front: MakeFront = FrontEnd,
) -> Judged:
    """Judge the voice of `collection`; heavy: tens of milliseconds. PeerError VS3013..VS3018 when it is not fit to be judged."""
    recording = collection.recording()
    gate = replace(gate, net_speech_s=min(gate.net_speech_s, MIN_SPEECH_S * inquiry.wanted_s))
    enrolment = enrol(recording, model, gate, make_front)
    verdict = authenticity.judge(recording, living, make_front) or authenticity.judge(_voice(inquiry, collection), living, make_front)
    if verdict is None:
        raise PeerError(LITTLE_SPEECH)
    judged = Judged(
        authenticity=verdict.probability,
        voice_s=collection.status.voice_s,
        genuine=verdict.probability >= inquiry.authenticity_threshold,
    )
    if inquiry.template is not None:
        score = model.score(enrolment.template.vector, inquiry.template.vector)
        similarity = model.probability(score, enrolment.template.net_speech_s)
        return replace(judged, similarity=similarity, same_speaker=similarity >= inquiry.similarity_threshold)
    if not judged.genuine:
        return judged
    return replace(judged, credential=seal(enrolment.template), voice_wav=write_wav(collection.voice(), inquiry.rate_hz))


def _voice(inquiry: Inquiry, collection: Collection) -> Recording:
    return inquiry.rate_hz, [collection.voice()]
