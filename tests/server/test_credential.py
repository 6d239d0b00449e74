"""Credentials: opened for the tenant that made them, of a model on offer, unchanged, and for nobody else."""

import base64
from dataclasses import replace

import numpy as np
import pytest

from voicestream import errors
from voicestream.errors import Fault, PeerError
from voicestream.models.registry import default_speaker_model
from voicestream.server.credential import Credentials
from voicestream.sessions.vocabulary import Template
from voicestream.store.templates import pack

MODEL = default_speaker_model()
KEY, OTHER_KEY = bytes(range(32)), bytes(32)
CREDENTIALS = Credentials({MODEL.card.hash: MODEL}, [KEY])


def template(seed: int = 1) -> Template:
    vector = np.random.default_rng(seed).normal(size=MODEL.card.dimension).astype(np.float32)
    return Template(MODEL.card.name, MODEL.card.hash, vector / np.linalg.norm(vector), 7.25)


def refusal(text: str, credentials: Credentials = CREDENTIALS, tenant: str = "acme") -> Fault:
    with pytest.raises(PeerError) as caught:
        credentials.open(text, tenant)
    return caught.value.fault


def test_its_tenant_opens_what_was_sealed() -> None:
    told = CREDENTIALS.seal(template(), "acme")
    opened = CREDENTIALS.open(told, "acme")
    assert np.array_equal(opened.vector, template().vector)
    assert (opened.model_hash, opened.net_speech_s) == (MODEL.card.hash, 7.25)


def test_no_two_credentials_of_one_voice_look_alike() -> None:
    one, other = (base64.b64decode(CREDENTIALS.seal(template(), "acme"))[56:] for _ in range(2))
    assert not set(zip(*[iter(one)] * 4, strict=False)) & set(zip(*[iter(other)] * 4, strict=False))


@pytest.mark.parametrize("tenant", ["", "acm", "acme ", "ACME", "other"])
def test_no_other_tenant_does(tenant: str) -> None:
    assert refusal(CREDENTIALS.seal(template(), "acme"), tenant=tenant) is errors.TEMPLATE_KEY


def test_nor_another_key() -> None:
    assert refusal(CREDENTIALS.seal(template(), "acme"), Credentials(CREDENTIALS.models, [OTHER_KEY])) is errors.TEMPLATE_KEY


def test_what_an_older_key_sealed_is_opened() -> None:
    told = CREDENTIALS.seal(template(), "acme")
    both = Credentials(CREDENTIALS.models, [OTHER_KEY, KEY])
    assert both.open(told, "acme").net_speech_s == 7.25
    assert refusal(both.seal(template(), "acme")) is errors.TEMPLATE_KEY  # the first one seals
    assert both.open(both.seal(template(), "acme"), "acme").net_speech_s == 7.25
    assert refusal(told, both, "other") is errors.TEMPLATE_KEY


def test_a_plain_template_is_none() -> None:
    assert refusal(base64.b64encode(pack(template())).decode()) is errors.TEMPLATE_NOT_SEALED


def test_nor_is_a_template_of_the_idvoice_side_under_the_same_key() -> None:
    assert refusal(base64.b64encode(pack(template(), KEY)).decode()) is errors.TEMPLATE_KEY


def test_a_model_that_is_not_offered() -> None:
    assert refusal(CREDENTIALS.seal(replace(template(), model_hash=bytes(32)), "acme")) is errors.TEMPLATE_MODEL
    assert refusal(CREDENTIALS.seal(replace(template(), model="ecapa"), "acme")) is errors.TEMPLATE_MODEL


def test_every_flipped_bit_is_seen() -> None:
    data = base64.b64decode(CREDENTIALS.seal(template(), "acme"))
    for place in range(8 * len(data)):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        refusal(base64.b64encode(changed).decode())


@pytest.mark.parametrize("text", ["", "x", "é", "\ud800", "A" * 1000, "A" * 100_000, "gASVAAAA", "UEsDBA==", "[]", "null"])
def test_texts_that_are_none(text: str) -> None:
    assert refusal(text).code.startswith("VS30")
