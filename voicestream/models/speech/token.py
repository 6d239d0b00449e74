"""The words a network spells in pieces: what each token number stands for.

A token is a piece of a word, and "▁" (U+2581) stands for the space before a word; tokens 3 to 258 are single bytes, of which
several make one letter outside the table. `<<...>>` and the first three numbers are signals and no text.
"""

from collections.abc import Sequence
from typing import Final

from voicestream.errors import MisuseError

START: Final = 1
END: Final = 2
_SIGNALS: Final = 3
_SPACE: Final = "▁".encode()


def read_tokens(data: bytes) -> tuple[bytes, ...]:
    """The table inside a `tokenizer.bin`: each entry a length (one byte, or two from 128 on) and so many bytes of UTF-8."""
    tokens, at = [], 0
    try:
        while at < len(data):
            size = data[at]
            at += 1
            if size >= 128:
                size += 128 * (data[at] - 1)
                at += 1
            if at + size > len(data):
                raise MisuseError("the token table is cut off")
            tokens.append(data[at : at + size])
            at += size
    except IndexError:
        raise MisuseError("the token table is cut off") from None
    return tuple(tokens)


def is_text(token: int, table: Sequence[bytes]) -> bool:
    """Whether it spells something."""
    return token >= _SIGNALS and not table[token].startswith(b"<<")


def begins_word(token: int, table: Sequence[bytes]) -> bool:
    """Whether a space comes before it."""
    return table[token].startswith(_SPACE)


def spell(tokens: Sequence[int], table: Sequence[bytes]) -> str:
    """The text of some tokens, without spaces at its ends; bytes that make no letter are left out."""
    spelt = b"".join(table[token] for token in tokens if is_text(token, table))
    return spelt.replace(_SPACE, b" ").decode("utf-8", "ignore").strip()
