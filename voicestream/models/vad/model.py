"""The seam every voice activity detector fills: it makes front ends whose labels are its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from voicestream.dsp.frontend import Features, FrontEndPlan, Labels
from voicestream.models.card import Card


class Front(Protocol):
    """The front end as a session sees it: bytes in, new 30 ms labels and feature rows (n, k) out."""

    def feed(self, data: bytes) -> tuple[Labels, Features]: ...

    def flush(self) -> tuple[Labels, Features]: ...


MakeFront: TypeAlias = Callable[[FrontEndPlan], Front]


@dataclass(frozen=True, slots=True)
class VadModel:
    """A row of the registry: `card` costs nothing, `load` reads weights and may raise PeerError VS3050 or VS3051."""

    card: Callable[[], Card]
    load: Callable[[], MakeFront]
