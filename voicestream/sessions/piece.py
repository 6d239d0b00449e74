"""A recording in pieces of equal length, as a model hears it: so that its length costs no memory."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from voicestream.dsp.mfcc import FeatureOptions
from voicestream.models.vad.model import MakeFront
from voicestream.sessions.feature_memory import FeatureMemory, Features, Speech
from voicestream.sessions.intake import voice_intake

Recording: TypeAlias = tuple[int, Iterable[bytes]]  # rate in Hz, PCM16 little-endian mono in blocks of any size


def pieces(
    recording: Recording,
    features: FeatureOptions,
    piece_s: int,
    make_front: MakeFront,
    beside: Callable[[bytes, bytes], None] | None = None,
) -> Iterator[tuple[Features, Speech]]:
    """Feature rows (n, k) and their speech marks (n,) of each piece, and of what is left at the end.

    beside: is given each block, and the labels that came for it.
    """
    rate_hz, blocks = recording
    size = piece_s * rate_hz
    intake = voice_intake(rate_hz, "pcm16", features.rate_hz, features, make_front)
    memory = FeatureMemory(rate_hz, size, features.width)
    start = 0

    def hear(block: bytes, heard: tuple[bytes, Features]) -> None:
        if beside is not None:
            beside(block, heard[0])
        memory.add(*heard)

    for block in blocks:
        hear(block, intake.feed(block))
        while intake.samples >= start + size:
            yield memory.window(start, start + size)[:2]
            start += size
            memory.forget(start)
    hear(b"", intake.flush())
    if intake.samples > start:
        yield memory.window(start, intake.samples)[:2]
