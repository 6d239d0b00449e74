"""Template text: every way clients are known to send it, and nothing else."""

import json
from base64 import b64encode

import pytest

from voicestream.errors import PeerError
from voicestream.protocols.template_text import TEXT_MAX_CHARS, template_bytes, template_text

DATA = bytes(range(63)) + b"\xff"
TEXT = b64encode(DATA).decode()


def code_of(text: str) -> str:
    with pytest.raises(PeerError) as caught:
        template_bytes(text)
    return caught.value.fault.code


def test_text_is_standard_base64_with_padding() -> None:
    assert template_text(DATA) == TEXT
    assert TEXT.endswith("/w==")


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f'"{TEXT}"',
        f'\\"{TEXT}\\"',
        f'"\\"{TEXT}\\""',
        f'"""{TEXT}"""',
        f" {TEXT}\n",
        f'\r\n\t"{TEXT}" ',
        json.dumps(TEXT),
        json.dumps(json.dumps(TEXT)),
    ],
)
def test_quotes_and_outer_white_space_are_tolerated(text: str) -> None:
    assert template_bytes(text) == DATA


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        '"',
        '""',
        '"""',
        TEXT[:-1],  # padding
        TEXT[:-2],
        TEXT + "=",
        TEXT[:8] + "\n" + TEXT[8:],  # white space inside
        TEXT[:8] + " " + TEXT[8:],
        '" ' + TEXT + ' "',
        '"' + TEXT,  # one quote
        TEXT + '"',
        f'""""{TEXT}""""',  # four layers
        TEXT.replace("/", "_"),  # the URL alphabet
        "é" + TEXT,
        "ＡＢＣＤ",
        "\ud800",
        TEXT[:-3] + "x==",  # unused bits set: another text of the same bytes
        "\0" + TEXT,
        f"'{TEXT}'",
        f"\u00a0{TEXT}",
    ],
)
def test_anything_else_is_not_base64(text: str) -> None:
    assert code_of(text) == "VS3021"


def test_each_changed_character_is_seen() -> None:
    """Strictness of the last character closes the one gap a checksum over the bytes would leave."""
    for place, was in enumerate(TEXT):
        other = TEXT[:place] + ("A" if was != "A" else "B") + TEXT[place + 1 :]
        try:
            assert template_bytes(other) != DATA
        except PeerError:
            continue


def test_templates_of_the_vendor_are_named() -> None:
    assert code_of(template_text(b"<vt 3.1 mic-v1>" + DATA)) == "VS3022"


def test_a_text_of_100_mb_is_not_even_looked_at() -> None:
    assert code_of("A" * 100_000_000) == "VS3020"
    assert code_of("A" * (TEXT_MAX_CHARS + 1)) == "VS3020"
    assert len(template_bytes("A" * TEXT_MAX_CHARS)) == TEXT_MAX_CHARS // 4 * 3
