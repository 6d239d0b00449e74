"""What the server and its assessment workers say to each other: MessagePack of fixed types."""

from typing import Final, TypeAlias

import msgspec

from voicestream.sessions.assessment_finding import SegmentFinding
from voicestream.sessions.assessment_result import Assessment


class SegmentWork(msgspec.Struct, frozen=True, tag="segment", array_like=True):
    """Find out what was said in a stretch of a recording; align: and how each sound was said."""

    start_sample: int
    pcm: bytes  # 16 kHz, 16 bit, little-endian
    align: bool


class ConclusionWork(msgspec.Struct, frozen=True, tag="conclusion", array_like=True):
    """Assess the whole recording, whose segments were looked at."""

    findings: tuple[SegmentFinding, ...]
    pcm: bytes
    labels: bytes
    sentence: str | None


AssessmentWork: TypeAlias = SegmentWork | ConclusionWork
AssessmentAnswer: TypeAlias = SegmentFinding | Assessment

_ENCODER: Final = msgspec.msgpack.Encoder()


def write_work(work: AssessmentWork) -> bytes:
    return _ENCODER.encode(work)


def write_answer(answer: AssessmentAnswer) -> bytes:
    return _ENCODER.encode(answer)


read_work: Final = msgspec.msgpack.Decoder(AssessmentWork).decode
read_finding: Final = msgspec.msgpack.Decoder(SegmentFinding).decode
read_assessment: Final = msgspec.msgpack.Decoder(Assessment).decode
