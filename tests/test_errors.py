"""The catalogue of refusals: every row can be named, and reads as a sentence for strangers."""

import re

from voicestream import errors
from voicestream.errors import CATALOGUE, Fault, PeerError


def test_every_fault_has_a_name_of_its_own() -> None:
    named = {value.code for value in vars(errors).values() if isinstance(value, Fault)}
    assert named == set(CATALOGUE)  # a name given twice hides the first row


def test_every_row_is_complete() -> None:
    for code, fault in CATALOGUE.items():
        assert re.fullmatch(r"VS\d{4}", code)
        assert all((fault.sentence, fault.cause, fault.fix)), code


def test_a_refusal_is_told_as_code_sentence_and_our_numbers() -> None:
    assert str(PeerError(errors.ODD_BYTES, "3 bytes")) == "VS2006 odd byte count: 3 bytes"
