import struct
import zlib

import numpy as np
import pytest

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
    Fault,
    MisuseError,
    PeerError,
)
from voicestream.models.registry import default_speaker_model
from voicestream.sessions.vocabulary import Template
from voicestream.store.templates import MAX_BYTES, pack, unpack

MODEL = default_speaker_model()
KEY, OTHER_KEY = bytes(range(32)), bytes(32)


def template(seed: int = 1) -> Template:
    vector = np.random.default_rng(seed).normal(size=MODEL.card.dimension).astype(np.float32)
    return Template(MODEL.card.name, MODEL.card.hash, vector / np.linalg.norm(vector), 7.25)


def refusal(data: bytes, key: bytes | None = None, tenant: str = "") -> Fault:
    with pytest.raises(PeerError) as caught:
        unpack(data, MODEL, key, tenant)
    return caught.value.fault


def resealed(data: bytes) -> bytes:
    """The bytes with the checksum a forger would give them."""
    return data[:-4] + struct.pack("<I", zlib.crc32(data[:-4]))


def with_vector(vector: np.ndarray, net_speech_s: float = 1.0) -> bytes:
    return pack(Template(MODEL.card.name, MODEL.card.hash, vector.astype(np.float32), net_speech_s))


@pytest.mark.parametrize("key", [None, KEY])
def test_comes_back_to_the_bit(key: bytes | None) -> None:
    one = template()
    back = unpack(pack(one, key, "bank"), MODEL, key, "bank")
    assert (back.model, back.model_hash, back.net_speech_s) == (one.model, one.model_hash, one.net_speech_s)
    assert back.vector.tobytes() == one.vector.tobytes()


@pytest.mark.parametrize("key", [None, KEY])
def test_every_flipped_bit_is_refused(key: bytes | None) -> None:
    data = pack(template(), key, "bank")
    for place in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            with pytest.raises(PeerError):
                unpack(bytes(flipped), MODEL, key, "bank")


def test_every_flipped_byte_of_a_sealed_template_is_refused_although_the_forger_mends_the_checksum() -> None:
    data = pack(template(), KEY, "bank")
    for place in range(len(data) - 4):
        flipped = bytearray(data)
        flipped[place] ^= 0x55
        with pytest.raises(PeerError):
            unpack(resealed(bytes(flipped)), MODEL, KEY, "bank")


@pytest.mark.parametrize("key", [None, KEY])
def test_every_truncation_is_refused(key: bytes | None) -> None:
    data = pack(template(), key)
    assert all(refusal(data[:size], key) is TEMPLATE_SHORT for size in range(len(data)))


def test_layout_is_the_documented_one() -> None:
    one = template()
    data = pack(one)
    assert data[:4] == b"VSvt"
    assert data[4:8] == struct.pack("<BBH", 1, 0, MODEL.card.dimension)
    assert data[8:24] == b"mfcc".ljust(16, b"\0")
    assert data[24:56].hex() == MODEL.card.sha256
    assert data[56:60] == struct.pack("<f", 7.25)
    assert data[60:-4] == one.vector.tobytes()
    assert data[-4:] == struct.pack("<I", zlib.crc32(data[:-4]))


def test_refuses_what_is_no_template_of_ours() -> None:
    data = pack(template())
    assert refusal(b"") is TEMPLATE_SHORT
    assert refusal(b"<vt version=3>" + data) is TEMPLATE_OF_VENDOR
    assert refusal(b"PK\x03\x04" + data[4:]) is TEMPLATE_MAGIC
    assert refusal(b"\x80\x04\x95" + data[3:]) is TEMPLATE_MAGIC  # a pickle
    assert refusal(data + b"\0") is TEMPLATE_LONG
    assert refusal(resealed(data[:4] + b"\x02" + data[5:])) is TEMPLATE_VERSION
    assert refusal(resealed(data[:5] + b"\x02" + data[6:])) is TEMPLATE_VERSION
    assert refusal(data[:-1] + bytes([data[-1] ^ 1])) is TEMPLATE_CHECKSUM


def test_refuses_another_model() -> None:
    data = pack(template())
    assert refusal(resealed(data[:8] + b"ecapa".ljust(16, b"\0") + data[24:])) is TEMPLATE_MODEL
    assert refusal(resealed(data[:24] + bytes(32) + data[56:])) is TEMPLATE_MODEL


def test_refuses_another_dimension() -> None:
    assert refusal(with_vector(np.array([1.0]))) is TEMPLATE_DIMENSION


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, 2.0])
def test_refuses_a_vector_that_is_no_direction(value: float) -> None:
    vector = template().vector.copy()
    vector[3] = value
    assert refusal(with_vector(vector)) is TEMPLATE_VALUES


@pytest.mark.parametrize("net_speech_s", [np.nan, np.inf, -1.0, 1e30])
def test_refuses_an_impossible_length_of_speech(net_speech_s: float) -> None:
    assert refusal(with_vector(template().vector, net_speech_s)) is TEMPLATE_VALUES


def test_refuses_a_zero_vector() -> None:
    assert refusal(with_vector(np.zeros(MODEL.card.dimension))) is TEMPLATE_VALUES


def test_a_huge_text_is_refused_by_its_size_alone() -> None:
    assert refusal(pack(template()) + bytes(MAX_BYTES)) is TEMPLATE_LONG


def test_a_seal_wants_its_key_and_its_tenant() -> None:
    data = pack(template(), KEY, "bank")
    assert refusal(data) is TEMPLATE_SEALED
    assert refusal(data, OTHER_KEY, "bank") is TEMPLATE_KEY
    assert refusal(data, KEY, "other bank") is TEMPLATE_KEY


def test_with_a_key_a_plain_template_is_refused() -> None:
    assert refusal(pack(template()), KEY) is TEMPLATE_NOT_SEALED


def test_two_seals_of_one_voice_look_unlike() -> None:
    one, other = pack(template(), KEY), pack(template(), KEY)
    assert one[56:68] != other[56:68]
    assert one[68:-4] != other[68:-4]


def test_a_short_key_is_our_mistake() -> None:
    with pytest.raises(MisuseError):
        pack(template(), KEY[:16])
