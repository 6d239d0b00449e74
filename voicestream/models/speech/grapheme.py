"""Which letters of a word each of its sounds is written with: th-i-s for DH IH S.

Letters are dealt to sounds in order, at the least cost: nothing where English writes the sound so, more where it does not, for
a letter that no sound is written with (it goes with the sound before it, or with the first), and for a sound without a letter
of its own (K S in "box").
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

Span: TypeAlias = tuple[int, int]  # first letter and the one behind the last

_SPELLINGS: Final = {
    "AA": "a o ah au ow ea e", "AE": "a ai au i", "AH": "u o a e i ou oo io ia ea ai y oe eo", "AO": "o a aw au ou oa ough augh",
    "AW": "ow ou ough au hou", "AX": "a e i o u io ou ea ai ia y eo", "AY": "i y ie igh ei eye ye ai uy", "B": "b bb",
    "CH": "ch tch t c cc", "D": "d dd ed ld", "DH": "th the", "EH": "e ea a ai ie ei eo u ay",
    "ER": "er ir ur or ar ear re ure yr our r err irr", "EY": "a ai ay ei ey ea eigh aigh e et ee", "F": "f ff ph gh lf",
    "G": "g gg gh gu gue x", "HH": "h wh j", "IH": "i y e u a ui ie ee o ea ei ia", "IY": "e ee ea y ie ei i ey eo ae ay",
    "JH": "j g dg d dge gg dj", "K": "c k ck ch q cc qu que x kk lk", "L": "l ll le", "M": "m mm mb mn lm", "N": "n nn kn gn ne pn",
    "NG": "ng n ngue", "OW": "o ow oa oe ough ou ew au eau oh", "OY": "oi oy", "P": "p pp ph", "R": "r rr wr rh re",
    "S": "s ss c sc ce st se ps sw z", "SH": "sh ti ci s ss ch si sci c ssi t sch x", "T": "t tt ed bt th te pt ght d", "TH": "th",
    "UH": "u oo ou o", "UW": "u oo ew ou ue o ui oe ough wo eu", "V": "v f ve ph", "W": "w u wh o", "Y": "y i u e j",
    "Z": "z s zz se x ss es ze", "ZH": "s si z g ge ti zi",
}  # fmt: skip
_LETTERS: Final = {symbol: frozenset(spellings.split()) for symbol, spellings in _SPELLINGS.items()}
_LONGEST: Final = 4
_MOST_WAYS: Final = 2500  # letters times sounds; the longest word of the dictionary has 784
_STRANGE: Final = 2.0  # a letter that the sound is not written with
_SILENT: Final = 1.0  # a letter no sound is written with
_MUTE_E: Final = 0.5  # an e, of which that is to be expected
_SHARED: Final = 1.25  # a sound in the letter of the sound before it


class _Deal(NamedTuple):
    """The cheapest way to some letters and sounds: what each sound has got."""

    cost: float
    spans: tuple[Span, ...]


def graphemes(word: str, symbols: Sequence[str]) -> tuple[Span, ...]:
    """The letters of each sound, ARPAbet without stress; all of the word for each where it has none ("42") or is no word, so long."""
    letters = [at for at, letter in enumerate(word) if letter.isalpha()]
    if not letters or len(letters) * len(symbols) > _MOST_WAYS:
        return ((0, len(word)),) * len(symbols)
    text = "".join(word[at].lower()[0] for at in letters)
    return tuple((letters[begin], letters[end - 1] + 1) for begin, end in _deal(text, symbols))


def _deal(text: str, symbols: Sequence[str]) -> tuple[Span, ...]:
    """The same in a text of letters alone."""
    ways: dict[Span, _Deal] = {(0, 0): _Deal(0.0, ())}  # by letters and sounds that are dealt
    for at in range(len(text) + 1):
        for sound in range(len(symbols) + 1):
            for end, cost, spans in _steps(text, symbols, at, ways[at, sound].spans) if (at, sound) in ways else ():
                cost += ways[at, sound].cost
                place = end, len(spans)
                if place not in ways or cost < ways[place].cost:
                    ways[place] = _Deal(cost, spans)
    return ways[len(text), len(symbols)].spans if symbols else ()


def _steps(text: str, symbols: Sequence[str], at: int, spans: tuple[Span, ...]) -> Iterator[tuple[int, float, tuple[Span, ...]]]:
    """What may come next: how far the letters are dealt then, its cost, and what the sounds have."""
    if len(spans) < len(symbols):
        begin = at if spans else 0
        written = _LETTERS.get(symbols[len(spans)], frozenset())
        for end in range(at + 1, min(at + _LONGEST, len(text)) + 1):
            if text[at:end] in written:
                yield end, 0.0, (*spans, (begin, end))
        if at < len(text):
            yield at + 1, _STRANGE, (*spans, (begin, at + 1))
        if spans:
            yield at, _SHARED, (*spans, spans[-1])
    if at < len(text):
        cost = _MUTE_E if text[at] == "e" else _SILENT
        yield at + 1, cost, (*spans[:-1], (spans[-1][0], at + 1)) if spans else ()
