"""What an operator may set about ELSA's dialects."""

from dataclasses import dataclass

from voicestream.protocols.elsa_json import Band, unbanded
from voicestream.protocols.elsa_message import PLANS
from voicestream.sessions.assessment_result import Plan


@dataclass(frozen=True, slots=True)
class Options:
    """Deadlines in seconds. band: what a score means in CEFR."""

    plans: tuple[Plan, ...] = PLANS
    config_s: float = 10.0  # for the first message
    pause_s: float = 5.0  # without audio, until a verbose client is told
    idle_s: float = 30.0  # without audio, until what came is all there is
    scoring_s: float = 120.0
    band: Band = unbanded
