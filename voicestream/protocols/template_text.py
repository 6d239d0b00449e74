"""A voice template as text: standard base64, with the quotes that clients leave round it.

Clients store the answer of the template factory as it came, quoted JSON or not, and paste it into a
WebSocket parameter, a JSON field or a shell recipe that quotes it again (idvoice.md section 8).
"""

from base64 import b64encode
from binascii import Error, a2b_base64

from voicestream.errors import TEMPLATE_NOT_BASE64, TEMPLATE_OF_VENDOR, TEMPLATE_TEXT_LONG, PeerError

TEXT_MAX_CHARS = 64 * 1024  # a template of 192 numbers is about 1,200; nothing longer is looked at
QUOTE_LAYERS = 3
_WHITE_SPACE = " \t\r\n\f\v"
_QUOTES = ('\\"', '"')


def template_bytes(text: str) -> bytes:
    """Give the bytes that `text` spells: outer white space and up to three layers of quotes, then strict base64.

    Strict also about the unused bits of the last character, so no flipped bit of the text goes unseen.
    Raises PeerError: too long, not base64, or made by the vendor's own server.
    """
    if len(text) > TEXT_MAX_CHARS:
        raise PeerError(TEMPLATE_TEXT_LONG)
    bare = _unquote(text.strip(_WHITE_SPACE))
    try:
        data = a2b_base64(bare.encode("ascii"), strict_mode=True)
    except (Error, UnicodeEncodeError):
        raise PeerError(TEMPLATE_NOT_BASE64) from None
    if not data or template_text(data) != bare:
        raise PeerError(TEMPLATE_NOT_BASE64)
    if data.startswith(b"<vt"):  # the vendor's templates begin with a text header
        raise PeerError(TEMPLATE_OF_VENDOR)
    return data


def template_text(data: bytes) -> str:
    """Spell template bytes as bare standard base64 with padding; a JSON string of it needs no escapes."""
    return b64encode(data).decode("ascii")


def _unquote(text: str) -> str:
    for _ in range(QUOTE_LAYERS):
        for quote in _QUOTES:
            if len(text) >= 2 * len(quote) and text.startswith(quote) and text.endswith(quote):
                text = text[len(quote) : -len(quote)]
                break
        else:
            break
    return text
