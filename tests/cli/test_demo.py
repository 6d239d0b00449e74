"""What the demo concludes from its probabilities."""

from voicestream.cli.demo import told_apart

NAMES = ["a", "b", "c"]


def test_without_mistakes_all_are_told_apart() -> None:
    assert told_apart(NAMES, set()) == ("a", "b", "c")


def test_a_confused_pair_costs_one_of_the_two() -> None:
    assert told_apart(NAMES, {("a", "b"), ("b", "a"), ("c", "b")}) == ("a", "c")


def test_a_voice_that_is_not_known_is_not_told() -> None:
    assert told_apart(NAMES, {("c", "c")}) == ("a", "b")
    assert told_apart(["a"], {("a", "a")}) == ()
