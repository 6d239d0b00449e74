"""Random choices read off a string of bytes: a hundred thousand hostile messages in seconds.

Hypothesis draws the bytes in one go, which takes it microseconds where a tree of strategies takes milliseconds; and it still
finds the smallest failure, because a 0, and whatever is behind the end, is the first of the choices: the simplest.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
_SLOT = re.compile(r'"\\ue000([0-9]+)"')
# JSON texts put in place of a value; "" takes the field away
HOSTILE = (
    "", "null", "true", "0", "-1", "1.5", "1e400", "NaN", "Infinity", "9" * 400, '""', '"x"', '"\\u0000"', '"\\ud800"', '"é"', '"1"',
    "[]", "{}", "[{}]", "[" * 40_000, "[" * 3000 + "]" * 3000, '{"a":' * 3000 + "1" + "}" * 3000, '"' + "x" * 70_000 + '"', '"QQ=="', "\\",
)  # fmt: skip


class Tape:
    def __init__(self, data: bytes) -> None:
        self._bytes = iter(data)

    def below(self, count: int) -> int:
        """0 to `count` - 1; at most 65,536."""
        number = next(self._bytes, 0)
        if count > 256:
            number = number << 8 | next(self._bytes, 0)
        return number % count

    def choice(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def several(self, choices: Sequence[T], most: int) -> list[T]:
        return [self.choice(choices) for _ in range(self.below(most + 1))]

    def bytes(self, most: int) -> bytes:
        return bytes(next(self._bytes, 0) for _ in range(self.below(most + 1)))

    def text(self, most: int) -> str:
        """Characters of one to four bytes in UTF-8, and lone surrogates."""
        return "".join(chr(self.below(256) << self.choice((0, 0, 3, 8))) for _ in range(self.below(most + 1)))


def tapes(length: int = 96) -> st.SearchStrategy[Tape]:
    return st.binary(min_size=length, max_size=length).map(Tape)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every value inside `value`."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from places(inner)


def slot(hostile: str) -> str:
    """A value in whose place `spelled` writes `hostile`, which no object could be dumped as."""
    return f"\ue000{HOSTILE.index(hostile)}"


def spelled(value: Any) -> str:
    """JSON, with hostile texts where slots are."""
    return _SLOT.sub(lambda found: HOSTILE[int(found[1])], json.dumps(value))


def mutated(tape: Tape, message: str) -> str:
    """JSON `message` with one to three hostile values, a key doubled, a piece cut out, or a few characters changed."""
    match tape.below(12):
        case 11:
            begin, end = sorted((tape.below(len(message) + 1), tape.below(len(message) + 1)))
            return message[:begin] + message[end:]
        case 10:
            at = tape.below(len(message) + 1)
            return message[:at] + tape.text(4) + message[at + tape.below(4) :]
        case 9:
            return '{"event":5,"seq":"x",' + message[1:]
    value = json.loads(message)
    for _ in range(1 + tape.below(3)):
        found = list(places(value))
        if not found:
            break
        container, key = tape.choice(found)
        if hostile := tape.choice(HOSTILE):
            container[key] = slot(hostile)
        else:
            del container[key]
    return spelled(value)
