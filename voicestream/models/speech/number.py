"""Numbers as they are said in American English."""

from typing import Final

_ONES: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS: Final = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES: Final = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_ORDINALS: Final = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth", "twelve": "twelfth",
}  # fmt: skip
_LARGEST: Final = 10**12  # beyond it, and with leading zeros, digits are said one by one


def spoken_number(text: str) -> list[str]:
    """`21` -> twenty one, `1999` -> nineteen ninety nine, `3.5` -> three point five, `2nd` -> second, `1,000` -> one thousand."""
    ordinal = text.endswith(("st", "nd", "rd", "th"))
    whole, _, fraction = text.rstrip("stndrh").partition(".")
    grouped = "," in whole
    whole = whole.replace(",", "")
    if int(whole) >= _LARGEST or (len(whole) > 1 and whole[0] == "0"):
        words = [_ONES[int(digit)] for digit in whole]
    elif len(whole) == 4 and not (grouped or fraction or ordinal) and whole[1] != "0" and whole[0] in "12":
        words = _year(int(whole))
    else:
        words = _cardinal(int(whole))
    if fraction:
        words = [*words, "point", *(_ONES[int(digit)] for digit in fraction)]
    if ordinal:
        words[-1] = _ordinal(words[-1])
    return words


def _year(number: int) -> list[str]:
    century, rest = divmod(number, 100)
    if rest == 0:
        return [*_cardinal(century), "hundred"]
    return [*_cardinal(century), *(["oh"] if rest < 10 else []), *_cardinal(rest)]


def _cardinal(number: int) -> list[str]:
    if number < 20:
        return [_ONES[number]]
    if number < 100:
        tens, ones = divmod(number, 10)
        return [_TENS[tens], *([_ONES[ones]] if ones else [])]
    for scale, name in _SCALES:
        if number >= scale:
            count, rest = divmod(number, scale)
            return [*_cardinal(count), name, *(_cardinal(rest) if rest else [])]
    return [_ONES[0]]


def _ordinal(word: str) -> str:
    return _ORDINALS.get(word) or (word[:-1] + "ieth" if word.endswith("y") else word + "th")
