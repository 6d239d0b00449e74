"""What both of ELSA's dialects go by: what an operator may set, and why a stream ends from our side."""

from dataclasses import dataclass
from typing import Final

from voicestream.errors import ASSESSMENT_OTHER_END, OVERLOADED, SESSION_LONG, Fault
from voicestream.protocols.base import Goodbye
from voicestream.protocols.elsa_message import PLANS
from voicestream.sessions.assessment_result import LONGEST_S, Plan
from voicestream.sessions.vocabulary import Assessing

GOODBYES: Final[dict[Goodbye, Fault]] = {
    Goodbye.DRAIN: ASSESSMENT_OTHER_END, Goodbye.OVERLOAD: OVERLOADED, Goodbye.SESSION_TIME: SESSION_LONG,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """Deadlines in seconds."""

    plans: tuple[Plan, ...] = PLANS
    config_s: float = 10.0  # for the first message
    pause_s: float = 5.0  # without audio, until a verbose client is told
    idle_s: float = 30.0  # without audio, until what came is all there is
    late_s: float = 30.0  # that a recording may take beyond the longest of its plan, whatever trickles in
    scoring_s: float = 120.0

    def longest_s(self, service: Assessing) -> float:
        """From the configuration on, until what came is all there is."""
        return LONGEST_S[service.plan] + self.late_s
