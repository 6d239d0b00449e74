"""What a sound is told by, and what else it may have been."""

from collections.abc import Mapping

import numpy as np
import pytest

from voicestream.models.speech import package
from voicestream.models.speech.confusion import SAME, Confusion, Sound, shape
from voicestream.models.speech.likelihood import acoustic_model
from voicestream.models.speech.substitution import NOTHING, Segment, alternatives
from voicestream.models.weights import Array

if not package.is_installed():
    pytest.skip("pocketsphinx is not installed", allow_module_level=True)

NAMES = alternatives(acoustic_model().definition)
SHAPE, INNER, OUTER = 289, 4, 3
SEGMENTS = [Segment("SIL", 0, 20), Segment("S", 20, 30), Segment("IY", 30, 36)]


def heard(frames: int = 40) -> Array:
    """Features that tell their frame and stream."""
    return np.arange(frames, dtype=np.float32)[:, None, None] + np.array([0.0, 0.25, 0.5], np.float32)[:, None] + np.zeros(13, np.float32)


def arrays(**more: Array) -> dict[str, Array]:
    """Of a network that has no opinion."""
    count = len(NAMES)
    shapes: Mapping[str, tuple[int, ...]] = {
        "mean": (SHAPE,), "inner.weight": (INNER, SHAPE + count), "inner.bias": (INNER,), "hidden.weight": (OUTER, INNER),
        "hidden.bias": (OUTER,), "out.weight": (count, OUTER), "out.bias": (count,), "phone": (count + 1, INNER),
        "left": (count + 1, INNER), "right": (count + 1, INNER), "habit": (count + 1, count),
    }  # fmt: skip
    return {name: np.zeros(size, np.float32) for name, size in shapes.items()} | {"deviation": np.ones(SHAPE, np.float32)} | more


def sound(phone: str = "S", numbers: float = 0.0, leads: float = 0.0) -> Sound:
    return Sound(phone, "SIL", "IY", np.full(SHAPE, numbers, np.float32), np.full(len(NAMES), leads, np.float32), -2.0)


def test_a_shape_is_cepstra_and_differences_at_eleven_points_and_three_lengths() -> None:
    found = shape(heard(), SEGMENTS, 1)
    assert len(found) == SHAPE == 11 * 2 * 13 + 3
    points = found[:-3].reshape(11, 2, 13)
    assert points[:, 0, 0].tolist() == [11, 15, 18, 21, 23, 25, 27, 29, 31, 34, 38]
    assert (points[:, 1] - points[:, 0] == 0.25).all()
    assert found[-3:] == pytest.approx(np.log([10, 21, 7]))


def test_at_the_ends_of_a_recording_its_first_and_last_frames_stand_for_what_is_not_there() -> None:
    points = shape(heard(36), SEGMENTS, 2)[:-3].reshape(11, 2, 13)[:, 0, 0]
    assert points[-3:].tolist() == [35, 35, 35]
    assert shape(heard(), [Segment("S", 0, 5)], 0)[:-3].reshape(11, 2, 13)[:3, 0, 0].tolist() == [0, 0, 0]


def test_all_that_may_have_been_said_has_one_probability_together() -> None:
    habit = np.random.default_rng(1).standard_normal((len(NAMES) + 1, len(NAMES))).astype(np.float32)
    found = Confusion(arrays(habit=habit), NAMES).log_probabilities(sound())
    assert np.exp(found).sum() == pytest.approx(1, abs=1e-5)


def test_the_rival_is_the_likeliest_of_the_others() -> None:
    bias = np.zeros(len(NAMES), np.float32)
    bias[NAMES.index("S")], bias[NAMES.index("SH")], bias[NAMES.index(NOTHING)] = 3, 5, 4
    rival = Confusion(arrays(**{"out.bias": bias}), NAMES).rival(sound("S"))
    assert rival.symbol == "SH"
    assert rival.lead == pytest.approx(2, abs=1e-5)


@pytest.mark.parametrize(("layer", "symbol"), [("left", "SIL"), ("phone", "S"), ("right", "IY")])
def test_what_was_expected_before_here_and_after_counts(layer: str, symbol: str) -> None:
    one_way = {"hidden.weight": np.eye(OUTER, INNER, dtype=np.float32), "out.weight": np.zeros((len(NAMES), OUTER), np.float32)}
    one_way["out.weight"][NAMES.index("SH"), 0] = 1
    row = np.zeros((len(NAMES) + 1, INNER), np.float32)
    row[(*NAMES, "SIL").index(symbol), 0] = 7
    rival = Confusion(arrays(**one_way, **{layer: row}), NAMES).rival(sound("S"))
    assert (rival.symbol, rival.lead) == ("SH", pytest.approx(7, abs=1e-4))


def test_each_phone_has_habits_of_its_own() -> None:
    habit = np.zeros((len(NAMES) + 1, len(NAMES)), np.float32)
    habit[NAMES.index("S"), NAMES.index("TH")] = 4
    network = Confusion(arrays(habit=habit), NAMES)
    assert network.rival(sound("S")).symbol == "TH"
    assert network.rival(sound("Z")).lead == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(("phone", "other"), [(phone, other) for phone, others in SAME.items() for other in others])
def test_sounds_that_nobody_keeps_apart_are_no_rivals(phone: str, other: str) -> None:
    bias = np.zeros(len(NAMES), np.float32)
    bias[NAMES.index(other)] = 50
    rival = Confusion(arrays(**{"out.bias": bias}), NAMES).rival(sound(phone))
    assert rival.symbol != other
    assert rival.lead == pytest.approx(-50, abs=0.01)


@pytest.mark.parametrize("numbers", [-1e30, 1e30])
@pytest.mark.parametrize("leads", [-1e30, 1e30, np.inf, -np.inf])
def test_absurd_sounds_have_finite_answers(numbers: float, leads: float) -> None:
    weights = arrays(**{"inner.weight": np.ones((INNER, SHAPE + len(NAMES)), np.float32)})
    assert np.isfinite(Confusion(weights, NAMES).log_probabilities(sound(numbers=numbers, leads=leads))).all()
