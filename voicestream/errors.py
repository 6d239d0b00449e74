"""Every refusal this server can utter: numbered, fixed sentences with a cause and a fix.

A peer is told the code and the sentence, never its own text back. `voicestream errors` and the page
`/errors` print this catalogue. Ranges: VS10xx start and settings, VS11xx transport, VS12xx IDVoice
WebSocket, VS14xx IDVoice HTTP, VS20xx audio, VS30xx models and templates, VS50xx our own faults.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the catalogue."""

    code: str
    sentence: str  # what the peer is told; fixed, no data of the peer's
    cause: str
    fix: str


class PeerError(Exception):
    """The peer sent something we refuse. `detail` holds our own numbers only (`0.42 s found, 2.00 s needed`)."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(f"{fault.code} {fault.sentence}" + (f": {detail}" if detail else ""))
        self.fault = fault
        self.detail = detail


class MisuseError(Exception):
    """Our own code broke its own contract: the connection ends with 1011 and a logged traceback."""


CATALOGUE: dict[str, Fault] = {}


def _fault(code: str, sentence: str, cause: str, fix: str) -> Fault:
    fault = Fault(f"VS{code}", sentence, cause, fix)
    if CATALOGUE.setdefault(fault.code, fault) is not fault:
        raise MisuseError(f"error code {fault.code} is taken")
    return fault


# VS10xx: start and settings

# VS11xx: transport

# VS12xx: IDVoice over WebSocket

# VS14xx: IDVoice over HTTP

# VS20xx: audio

# VS30xx: models and templates

# VS50xx: our own faults
INTERNAL = _fault("5000", "internal error", "a defect of this server", "look up the traceback in the log and report it")
