"""Voice templates as bytes: a fixed layout, checked in full before a single number of it is believed.

    offset  bytes  plain                              sealed (AES-256-GCM, NIST SP 800-38D)
    0       4      magic "VSvt"                       the same
    4       1      layout version, 1                  the same
    5       1      0                                  1
    6       2      dimension d                        the same
    8       16     model name, NUL padded             the same
    24      32     SHA-256 of the model's weights     the same; bytes 0..55 and the tenant are authenticated
    56             net speech s, float32              nonce, 12 bytes
    60             vector, d x float32                net speech and vector enciphered, 4 + 4 d; tag, 16 bytes
    end     4      CRC-32 of all before               the same

Everything is little-endian. The CRC tells damage apart from a wrong key; only the seal protects against malice.
"""

import os
import struct
import zlib
from typing import Final

import numpy as np

from voicestream.errors import (
    TEMPLATE_CHECKSUM,
    TEMPLATE_DIMENSION,
    TEMPLATE_KEY,
    TEMPLATE_LONG,
    TEMPLATE_MAGIC,
    TEMPLATE_MODEL,
    TEMPLATE_NOT_SEALED,
    TEMPLATE_OF_VENDOR,
    TEMPLATE_SEALED,
    TEMPLATE_SHORT,
    TEMPLATE_VALUES,
    TEMPLATE_VERSION,
    MisuseError,
    PeerError,
)
from voicestream.models.speaker.model import SpeakerModel
from voicestream.sessions.vocabulary import Template

MAX_BYTES: Final = 64 * 1024
KEY_BYTES: Final = 32

_HEAD: Final = struct.Struct("<4sBBH16s32s")
_CRC: Final = struct.Struct("<I")
_MODEL_HASH: Final = slice(24, 56)
_MAGIC: Final = b"VSvt"
_VENDOR_MAGIC: Final = b"<vt"
_VERSION: Final = 1
_PLAIN, _SEALED = 0, 1
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_UNIT_TOLERANCE: Final = 1e-3
_LONGEST_S: Final = 1e6  # of net speech; eleven days


def pack(template: Template, key: bytes | None = None, tenant: str = "") -> bytes:
    """The template as bytes, sealed for `tenant` when there is a `key` of 32 bytes."""
    head = _HEAD.pack(
        _MAGIC, _VERSION, _PLAIN if key is None else _SEALED, template.vector.size, _name(template.model), template.model_hash
    )
    body = struct.pack("<f", template.net_speech_s) + template.vector.astype("<f4").tobytes()
    if key is not None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        body = nonce + AESGCM(_checked(key)).encrypt(nonce, body, head + tenant.encode())
    return head + body + _CRC.pack(zlib.crc32(head + body))


def unpack(data: bytes, model: SpeakerModel, key: bytes | None = None, tenant: str = "") -> Template:
    """The template in `data`, if it is whole, of this model and, where there is a `key`, sealed with it for `tenant`.

    With a key only sealed templates are taken: otherwise a forged plain one would do. `PeerError` VS3002..VS3012,
    VS3022 for everything else.
    """
    if len(data) > MAX_BYTES:
        raise PeerError(TEMPLATE_LONG, f"{len(data)} bytes, {MAX_BYTES} allowed")
    if data.startswith(_VENDOR_MAGIC):
        raise PeerError(TEMPLATE_OF_VENDOR)
    if len(data) < _HEAD.size + _CRC.size:
        raise PeerError(TEMPLATE_SHORT, f"{len(data)} bytes")
    magic, version, form, dimension, name, model_hash = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        raise PeerError(TEMPLATE_MAGIC)
    if version != _VERSION or form not in (_PLAIN, _SEALED):
        raise PeerError(TEMPLATE_VERSION, f"layout {version}.{form}")
    _check_size(len(data), dimension, form)
    if zlib.crc32(data[: -_CRC.size]) != _CRC.unpack(data[-_CRC.size :])[0]:
        raise PeerError(TEMPLATE_CHECKSUM)
    if name != _name(model.card.name) or model_hash != model.card.hash:
        raise PeerError(TEMPLATE_MODEL)
    if dimension != model.card.dimension:
        raise PeerError(TEMPLATE_DIMENSION, f"{dimension} found, {model.card.dimension} needed")
    body = data[_HEAD.size : -_CRC.size]
    if form == _SEALED:
        body = _open(body, data[: _HEAD.size], key, tenant)
    elif key is not None:
        raise PeerError(TEMPLATE_NOT_SEALED)
    return _believe(body, model)


def claimed_model(data: bytes) -> bytes:
    """The SHA-256 of the weights of the model that `data` says it is of: nothing is checked yet, `unpack` does it."""
    return data[_MODEL_HASH]


def _believe(body: bytes, model: SpeakerModel) -> Template:
    (net_speech_s,) = struct.unpack_from("<f", body)
    vector = np.frombuffer(body, "<f4", offset=4).astype(np.float32)
    length = float(np.linalg.norm(vector.astype(np.float64)))
    # written so that NaN fails too
    if not (abs(length - 1.0) <= _UNIT_TOLERANCE and 0.0 <= net_speech_s <= _LONGEST_S):
        raise PeerError(TEMPLATE_VALUES)
    return Template(model.card.name, model.card.hash, vector, float(net_speech_s))


def _check_size(found_bytes: int, dimension: int, form: int) -> None:
    needed_bytes = _HEAD.size + 4 + 4 * dimension + _CRC.size + (_NONCE_BYTES + _TAG_BYTES if form == _SEALED else 0)
    if found_bytes != needed_bytes:
        fault = TEMPLATE_SHORT if found_bytes < needed_bytes else TEMPLATE_LONG
        raise PeerError(fault, f"{found_bytes} bytes, {needed_bytes} needed")


def _open(body: bytes, head: bytes, key: bytes | None, tenant: str) -> bytes:
    if key is None:
        raise PeerError(TEMPLATE_SEALED)
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(_checked(key)).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], head + tenant.encode())
    except InvalidTag:
        raise PeerError(TEMPLATE_KEY) from None


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise MisuseError(f"a template key has {KEY_BYTES} bytes")
    return key


def _name(name: str) -> bytes:
    raw = name.encode()
    if len(raw) > 16:
        raise MisuseError("a model's name has at most 16 bytes")
    return raw.ljust(16, b"\0")
