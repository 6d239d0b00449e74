"""Which of the offered media is taken, and how the wanted person's samples come out of it (audiohook.md section 3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voicestream.errors import HOOK_AUDIO_FRAME, PeerError
from voicestream.protocols.audiohook_message import RATE_HZ, Media, Offer
from voicestream.sessions.vocabulary import CallEncoding

_SAMPLE_BYTES = {"PCMU": 1, "L16": 2}
_CHANNELS = (["external"], ["internal"], ["external", "internal"], ["internal", "external"])


@dataclass(frozen=True, slots=True)
class Selection:
    """The offer that was taken: `channel` of `channels` is heard."""

    offer: Offer
    channel: int
    channels: int

    @property
    def encoding(self) -> CallEncoding:
        return "mulaw" if self.offer.media.format == "PCMU" else "pcm16"

    @property
    def is_internal(self) -> bool:
        """The agent and not the customer is heard, because nothing else was offered."""
        return self.offer.media.channels == ["internal"]

    @property
    def bytes_per_sample(self) -> int:
        return _SAMPLE_BYTES[self.offer.media.format]

    def mono(self, frames: bytes) -> bytes:
        """Interleaved frames -> the samples of the wanted channel, L16 (big endian) as pcm16 little-endian. PeerError VS1731."""
        if len(frames) % (self.channels * self.bytes_per_sample):
            raise PeerError(HOOK_AUDIO_FRAME, f"{len(frames)} bytes")
        if self.bytes_per_sample == 1:
            return frames if self.channels == 1 else frames[self.channel :: self.channels]
        return np.frombuffer(frames, ">i2")[self.channel :: self.channels].astype("<i2").tobytes()


def select(offers: Sequence[Offer]) -> Selection | None:
    """The customer's channel before the agent's, PCMU before L16, mono before stereo, then the first; None if nothing is usable."""
    usable = [offer for offer in offers if _is_usable(offer.media)]
    if not usable:
        return None
    offer = min(usable, key=lambda offer: _rank(offer.media))
    channels = offer.media.channels
    return Selection(offer, channels.index("external") if "external" in channels else 0, len(channels))


def _is_usable(media: Media) -> bool:
    return media.type == "audio" and media.format in _SAMPLE_BYTES and media.channels in _CHANNELS and media.rate == RATE_HZ


def _rank(media: Media) -> tuple[bool, bool, int]:
    return "external" not in media.channels, media.format != "PCMU", len(media.channels)
