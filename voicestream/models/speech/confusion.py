"""What was said where a sound was expected: a small network's opinion on every sound, and on none.

    cepstra at points in and around the sound, lengths ─┐
    lead of each alternative in the acoustic model ─────┼─► 384 ─► 160 ─► a log-probability of each sound, and of none
    the sounds expected before, here and after ─────────┘

The acoustic model's likelihoods alone have its own weaknesses: it takes many a good TH for an F. The network was taught
on right speech that was aligned with wrong texts, where the wrong sound is known (`scripts/train_pronunciation.py`). In
the line of W. Hu et al., "Improved mispronunciation detection with deep neural network trained acoustic models", 2015.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voicestream.models.speech.definition import SILENCE
from voicestream.models.speech.substitution import Segment
from voicestream.models.weights import Array, Arrays

# Sounds that speakers of English themselves do not keep apart, or let become each other.
SAME: Final = {"AA": {"AO"}, "AO": {"AA"}, "AH": {"IH", "UH", "EH"}, "IH": {"AH"}}
LARGEST_LEAD: Final = 3.0  # of its unit
LEAD_NATS: Final = 20.0  # one unit of a lead
BOUND: Final = 6.0  # deviations: beyond them a number of the shape says no more
_BEFORE: Final = (-9, -5, -2)  # frames from its start
_INSIDE: Final = (0.1, 0.3, 0.5, 0.7, 0.9)  # of its length
_AFTER: Final = (1, 4, 8)  # frames from its end
_STREAMS: Final = 2  # cepstra and their first differences
_LONGEST_NEIGHBOUR: Final = 40  # frames that make a difference


class Sound(NamedTuple):
    """A stretch of a recording where `phone` was expected between left and right (SIL is a pause).

    shape (289,): cepstra and differences at 11 points, log lengths of itself and its neighbours; leads (alternatives,):
    nats by which each explains the stretch better; fit: nats per frame that its states lie below the best of the model.
    """

    phone: str
    left: str
    right: str
    shape: Array
    leads: Array
    fit: float


class Rival(NamedTuple):
    """The likeliest sound that was not expected, and by how many nats it is likelier than what was."""

    symbol: str
    lead: float


def shape(heard: Array, segments: Sequence[Segment], at: int) -> Array:
    """`Sound.shape` of segment `at`; heard (frames, 3, 13): features of the whole recording."""
    segment = segments[at]
    frames = segment.end - segment.start
    points = [segment.start + offset for offset in _BEFORE]
    points += [segment.start + int(frames * share) for share in _INSIDE]
    points += [segment.end + offset for offset in _AFTER]
    seen = heard[np.clip(points, 0, len(heard) - 1), :_STREAMS].ravel()
    around = [segments[i].end - segments[i].start if 0 <= i < len(segments) else 0 for i in (at - 1, at + 1)]
    lengths = [np.log(frames), *(np.log(1 + min(one, _LONGEST_NEIGHBOUR)) for one in around)]
    return np.concatenate((seen, lengths)).astype(np.float32)


class Confusion:
    """The network."""

    def __init__(self, arrays: Arrays, alternatives: Sequence[str]) -> None:
        """arrays: `mean` and `deviation` (289,) of shapes, and by layer `inner`, `hidden`, `out` (weight and bias) and
        `left`, `phone`, `right`, `habit`: a row of each for every alternative and for a pause.
        """
        self._arrays = arrays
        self._alternatives = tuple(alternatives)
        self._number = {symbol: number for number, symbol in enumerate((*alternatives, SILENCE))}
        self._same = {phone: self._numbers({phone} | SAME.get(phone, set())) for phone in alternatives}

    def log_probabilities(self, sound: Sound) -> Array:
        """(alternatives,) float32 in nats, as they stand in the training's share of mistakes."""
        arrays = self._arrays
        seen = np.clip((sound.shape - arrays["mean"]) / arrays["deviation"], -BOUND, BOUND)
        leads = np.clip(sound.leads / LEAD_NATS, -LARGEST_LEAD, LARGEST_LEAD)
        x = arrays["inner.weight"] @ np.concatenate((seen, leads)) + arrays["inner.bias"]
        phone = self._number[sound.phone]
        x += arrays["left"][self._number[sound.left]] + arrays["phone"][phone] + arrays["right"][self._number[sound.right]]
        x = np.maximum(arrays["hidden.weight"] @ np.maximum(x, 0) + arrays["hidden.bias"], 0)
        x = arrays["out.weight"] @ x + arrays["out.bias"] + arrays["habit"][phone]
        found: Array = x - _log_sum(x)
        return found

    def rival(self, sound: Sound) -> Rival:
        """What may have been said instead; a sound that counts as the same is none."""
        found = self.log_probabilities(sound)
        same = self._same[sound.phone]
        own = _log_sum(found[same])
        found[same] = -np.inf
        best = int(found.argmax())
        return Rival(self._alternatives[best], float(found[best] - own))

    def _numbers(self, symbols: set[str]) -> NDArray[np.int64]:
        return np.array(sorted(self._number[symbol] for symbol in symbols), np.int64)


def _log_sum(x: Array) -> np.float32:
    top = x.max()
    return np.float32(top + np.log(np.exp(x - top).sum()))
