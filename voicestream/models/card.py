"""What is known about a model: who it is, where it may be used, and how well it was measured to do."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["speaker", "vad", "authenticity", "transcript", "pronunciation"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measured figure: `value` of `metric` (`EER %`, `Cllr`, `AUC`) on `trials`, and the audio it was measured on."""

    trials: str
    condition: str
    metric: str
    value: float


@dataclass(frozen=True, slots=True)
class Card:
    """A model's passport, printed by `voicestream models` and bound into every template it makes."""

    name: str
    version: str
    kind: Kind
    rate_hz: int  # the rate it analyses at, whatever the input rate; 0 where it hears nothing
    dimension: int  # of its vectors; 0 where it has none
    sha256: str  # of its weights, hex, joint_sha256 of several files; of its name and version where it has no weights
    licence: str
    threshold: float  # on its raw score: at and above it the answer is yes
    calibration: str  # how a score becomes a probability
    trained_on: str
    measured: tuple[Measurement, ...] = ()
    limits: str = ""  # where it is known to fail

    @property
    def hash(self) -> bytes:
        """(32,) the SHA-256 as it stands in a template."""
        return bytes.fromhex(self.sha256)


def read_card(text: str) -> Card:
    """The card in a JSON text; an unknown or missing field is a `TypeError`."""
    fields: dict[str, Any] = json.loads(text)
    return Card(measured=tuple(Measurement(**row) for row in fields.pop("measured")), **fields)


def joint_sha256(*sha256: str) -> str:
    """One name, hex, for weights that lie in several files: the SHA-256 of their SHA-256 one after another."""
    return hashlib.sha256(b"".join(bytes.fromhex(one) for one in sha256)).hexdigest()
