"""English sounds in the letters of the IPA, as learners find them in dictionaries."""

from typing import Final

# General American, the accent of CMUdict: https://en.wikipedia.org/wiki/ARPABET
IPA: Final = {
    "AA": "ɑ", "AE": "æ", "AH": "ʌ", "AO": "ɔ", "AW": "aʊ", "AX": "ə", "AXR": "ɚ", "AY": "aɪ", "EH": "ɛ", "ER": "ɝ", "EY": "eɪ",
    "IH": "ɪ", "IX": "ɨ", "IY": "i", "OW": "oʊ", "OY": "ɔɪ", "UH": "ʊ", "UW": "u", "B": "b", "CH": "tʃ", "D": "d", "DH": "ð",
    "DX": "ɾ", "F": "f", "G": "ɡ", "HH": "h", "JH": "dʒ", "K": "k", "L": "l", "M": "m", "N": "n", "NG": "ŋ", "P": "p", "R": "ɹ",
    "S": "s", "SH": "ʃ", "T": "t", "TH": "θ", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
}  # fmt: skip


def ipa(arpabet: str) -> str:
    """One or more ARPAbet symbols, with or without stress, in IPA ("K S" -> "ks"); "" where one of them is none."""
    symbols = [IPA.get("AX" if symbol == "AH0" else symbol.rstrip("012"), "") for symbol in arpabet.upper().split()]
    return "".join(symbols) if all(symbols) else ""
