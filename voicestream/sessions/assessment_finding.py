"""What was found out about one segment of a recording, while the rest of it was still to come."""

from dataclasses import dataclass

from voicestream.sessions.assessment_result import Word


@dataclass(frozen=True, slots=True)
class SegmentFinding:
    """heard: the words of the transcript, as they are written, and how sure each is, 0..1; words: those that were aligned, if any."""

    heard: tuple[tuple[str, float], ...]
    words: tuple[Word, ...]
