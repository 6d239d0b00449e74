"""A recording of das-Peak's clients: the WAV file they may send, its one channel, and what is heard in it."""

from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from voicestream import errors
from voicestream.codecs.wav import is_wav, read_wav
from voicestream.dsp.g711 import alaw_expand, mulaw_expand, pcm16_bytes
from voicestream.errors import LITTLE_SPEECH, PeerError
from voicestream.models.authenticity.model import AuthenticityModel
from voicestream.models.speaker.model import SpeakerModel
from voicestream.models.vad.model import MakeFront
from voicestream.protocols.daspeak_backend import MAX_AUDIO_S, MAX_CHANNELS, RATES_HZ, Heard
from voicestream.protocols.daspeak_exception import little_speech
from voicestream.server.config import Settings
from voicestream.server.http.services import Services
from voicestream.sessions.authenticity import judge
from voicestream.sessions.enrolment import Enrolment, enrol
from voicestream.sessions.piece import Recording
from voicestream.sessions.quality import Unfit
from voicestream.sessions.vocabulary import Template

_NOTHING: Final = np.empty(0, np.float32)


def samples_of(data: bytes | bytearray, channel: int) -> Recording:
    """One channel of a WAV file, counted from 1. PeerError VS1955, VS1960 to VS1964, VS2001, in the order the vendor asks."""
    if not is_wav(data):
        raise PeerError(errors.NO_WAV)
    wav = read_wav(data)
    if wav.channels > MAX_CHANNELS:
        raise PeerError(errors.WAV_CHANNELS)
    if wav.codec is None:
        raise PeerError(errors.WAV_CODEC)
    if wav.rate_hz not in RATES_HZ:
        raise PeerError(errors.WAV_RATE)
    if wav.duration_s >= MAX_AUDIO_S:
        raise PeerError(errors.WAV_LONG)
    if channel > wav.channels:
        raise PeerError(errors.CHANNEL_WRONG)
    return wav.rate_hz, (pcm16_bytes(wav.channel(channel), wav.codec),)


def warm_up(detector: AuthenticityModel, make_front: MakeFront) -> None:
    """Make the kernels that the first recording would wait for: on a new machine that takes seconds, and clients wait ten."""
    judge((RATES_HZ[0], (bytes(2 * RATES_HZ[0]),)), detector, make_front)
    mulaw_expand(b"")
    alaw_expand(b"")


class Hearing:
    """Makes voices of recordings, on threads."""

    def __init__(self, settings: Settings, services: Services) -> None:
        self._gate = replace(settings.gate, net_speech_s=settings.daspeak_min_speech_s)
        self._services = services

    async def hear(self, data: bytes | bytearray, channel: int, model: SpeakerModel) -> tuple[Template, Heard]:
        """The voice in a recording, and what it was found to be. PeerError as `samples_of`, VS1965, VS3015 to VS3018, VS1503."""
        services = self._services
        recording, enrolment = await services.runner.run(partial(self._voice, data, channel, model), model.card.name)
        detector = services.authenticity()
        authenticity = await services.runner.run(partial(self._authenticity, recording, detector), detector.card.name)
        rate_hz, (samples,) = recording
        return enrolment.template, Heard(authenticity, len(samples) / 2 / rate_hz, enrolment.quality.speech_length_ms / 1000)

    def _voice(self, data: bytes | bytearray, channel: int, model: SpeakerModel) -> tuple[Recording, Enrolment]:
        recording = samples_of(data, channel)
        try:
            return recording, enrol(recording, model, self._gate, self._services.make_front)
        except Unfit as unfit:
            if unfit.fault is not LITTLE_SPEECH:
                raise
            raise little_speech(unfit.quality.speech_length_ms / 1000, self._gate.net_speech_s) from None

    def _authenticity(self, recording: Recording, detector: AuthenticityModel) -> float:
        """Speech so thinly spread that no stretch of it can be judged is undecided, as the detector itself says of silence."""
        verdict = judge(recording, detector, self._services.make_front)
        return verdict.probability if verdict is not None else detector.probability(detector.score(_NOTHING))
