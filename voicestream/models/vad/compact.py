"""The small network that tells speech from noise inside the front end (`voicestream.dsp.network_vad`).

`scripts/train_vad.py` trained it.
"""

from dataclasses import replace
from functools import cache
from importlib.resources import files

from voicestream.dsp.frontend import FrontEnd, FrontEndPlan
from voicestream.dsp.network_vad import VadNetwork
from voicestream.models.card import Card, read_card
from voicestream.models.vad.model import MakeFront
from voicestream.models.weights import known_weights

HANGOVER = "hangover_frames"  # beside the weights: (1,) frames of 30 ms


def read_network(weights: bytes, card: Card) -> VadNetwork:
    """The network of `weights` (a whole safetensors file); `MisuseError` where they are not those of the card."""
    arrays = known_weights(weights, card.name, card.sha256)
    return VadNetwork(
        {name: array for name, array in arrays.items() if name != HANGOVER},
        threshold=card.threshold,
        hangover_frames=int(arrays[HANGOVER][0]),
    )


@cache
def card() -> Card:
    """Its card."""
    return read_card(files("voicestream.models.vad").joinpath("compact.json").read_text("utf-8"))


@cache
def network() -> VadNetwork:
    """The network with the weights inside the package, read once."""
    return read_network(files("voicestream.models.vad").joinpath("compact.safetensors").read_bytes(), card())


@cache
def load() -> MakeFront:
    """How to make its front ends."""
    weights = network()

    def make(plan: FrontEndPlan) -> FrontEnd:
        return FrontEnd(replace(plan, vad=weights))

    make(FrontEndPlan()).feed(b"")  # its kernel is made now, and not in the first stream
    return make
