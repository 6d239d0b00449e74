"""English sounds in the letters of the IPA, as learners find them in dictionaries."""

from typing import Final

from voicestream.protocols import phone_symbol

IPA: Final = phone_symbol.IPA | {"AXR": "ɚ", "DX": "ɾ", "IX": "ɨ"}  # that other servers write


def ipa(arpabet: str) -> str:
    """One or more ARPAbet symbols, with or without stress, in IPA ("K S" -> "ks"); "" where one of them is none."""
    symbols = [IPA.get("AX" if symbol == "AH0" else symbol.rstrip("012"), "") for symbol in arpabet.upper().split()]
    return "".join(symbols) if all(symbols) else ""
