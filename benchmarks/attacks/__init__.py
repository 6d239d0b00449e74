"""Everything a peer may do to the server that it should not: one table for the tests and for the soak."""

from benchmarks.attacks import network, parameter, request, telephone, wire
from benchmarks.attacks.peer import Attack, Target

__all__ = ["ATTACKS", "Attack", "Target"]

ATTACKS: list[Attack] = [*parameter.ATTACKS, *wire.ATTACKS, *network.ATTACKS, *request.ATTACKS, *telephone.ATTACKS]
