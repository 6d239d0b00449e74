"""AudioHook signatures: the published vector, two clocks, and everything an attacker may change."""

import base64
import datetime
from dataclasses import replace

import pytest
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms

from voicestream.protocols.http_signature import NonceCache, SignedRequest, parse_input, sign, verify

NAMES = ("@request-target", "@authority", "audiohook-organization-id", "audiohook-session-id", "audiohook-correlation-id", "x-api-key")
KEY = "bXktZmlyc3Qta2V5"
SECRET = base64.b64decode("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
NONCE = "MDEyMzQ1Njc4OWFiY2RlZg"
CREATED = 1_700_000_000
PARAMETERS = {"keyid": KEY, "nonce": NONCE, "alg": "hmac-sha256", "created": CREATED, "expires": CREATED + 30}
BARE = SignedRequest(
    "/daspeak-stream/v1/audiohook",
    {
        "host": "voice.example.org",
        "audiohook-organization-id": "11111111-2222-4333-8444-555555555555",
        "audiohook-session-id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
        "audiohook-correlation-id": "99999999-8888-4777-8666-555555555555",
        "x-api-key": KEY,
    },
)
SIGNATURE = "sig1=:iJebnm+bZlNKRpDcB8f3Q/dbZs+NLu0kHcEbTHTXa7w=:"


def spelled(names: tuple[str, ...] = NAMES, **parameters: object) -> str:
    """Signature-Input value of `names` and PARAMETERS changed by `parameters`, where None leaves one out."""
    values = {name: value for name, value in (PARAMETERS | parameters).items() if value is not None}
    listed = " ".join(f'"{name}"' for name in names)
    return f"({listed})" + "".join(f';{name}="{value}"' if isinstance(value, str) else f";{name}={value}" for name, value in values.items())


def having(request: SignedRequest, **fields: str | None) -> SignedRequest:
    changed = dict(request.fields) | {name.replace("_", "-"): value for name, value in fields.items()}
    return replace(request, fields={name: value for name, value in changed.items() if value is not None})


def signed(names: tuple[str, ...] = NAMES, request: SignedRequest = BARE, secret: bytes = SECRET, **parameters: object) -> SignedRequest:
    """`request` signed by a peer that knows the secret."""
    member = "sig1=" + spelled(names, **parameters)
    mac = sign(request, parse_input(member)["sig1"], secret)
    return having(request, signature_input=member, signature=f"sig1=:{base64.b64encode(mac).decode()}:")


def flaw(request: SignedRequest, secret: bytes | None = SECRET, now_s: float = CREATED, nonces: NonceCache | None = None) -> str | None:
    refusal = verify(request, secret, now_s, nonces or NonceCache())
    if refusal is None:
        return None
    assert (refusal.fault.code, refusal.detail) == ("VS1740", "")
    return refusal.about


GOOD = having(BARE, signature_input="sig1=" + spelled(), signature=SIGNATURE)

# ---- vectors

PUBLISHED = SignedRequest(
    "/api/v1/voicebiometrics/ws",
    {
        "host": "audiohook.example.com",
        "audiohook-organization-id": "d7934305-0972-4844-938e-9060eef73d05",
        "audiohook-session-id": "30b0e395-84d3-4570-ac13-9a62d8f514c0",
        "audiohook-correlation-id": "e160e428-53e2-487c-977d-96989bf5c99d",
        "x-api-key": "SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh",
    },
)
PUBLISHED_SECRET = base64.b64decode("TXlTdXBlclNlY3JldEtleVRlbGxOby0xITJAMyM0JDU=")
PUBLISHED_PARAMETERS = {
    "keyid": "SGVsbG8sIEkgYW0gdGhlIEFQSSBrZXkh", "nonce": "VGhpc0lzQVVuaXF1ZU5vbmNl", "created": 1641013200, "expires": 3282026430,
}  # fmt: skip


@pytest.mark.parametrize(
    "names, expected, verdict",
    [
        (NAMES, "NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=", None),
        (("@request-target", "host", *NAMES[2:]), "zupMJUMfd/kMuvKc5zhRyfJPE3jTROuz1S1hn8SCTpE=", "components"),
    ],
)
def test_the_published_vectors(names: tuple[str, ...], expected: str, verdict: str | None) -> None:
    request = having(PUBLISHED, signature_input="sig1=" + spelled(names, **PUBLISHED_PARAMETERS), signature=f"sig1=:{expected}:")
    assert sign(request, parse_input(request.fields["signature-input"])["sig1"], PUBLISHED_SECRET) == base64.b64decode(expected)
    assert flaw(request, PUBLISHED_SECRET, 1641013200.0) == verdict


def test_our_own_vector() -> None:
    assert flaw(GOOD) is None
    assert signed().fields == GOOD.fields


class _Resolver(HTTPSignatureKeyResolver):
    def resolve_private_key(self, key_id: str) -> bytes:
        return SECRET


class _Message:
    method = "GET"

    def __init__(self) -> None:
        self.url = "https://voice.example.org/daspeak-stream/v1/audiohook?a=b"
        self.headers = {name: value for name, value in BARE.fields.items() if name != "host"} | {"Host": "voice.example.org"}


def test_what_another_library_signs_is_accepted() -> None:
    message = _Message()
    HTTPMessageSigner(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=_Resolver()).sign(
        message,
        key_id=KEY,
        covered_component_ids=NAMES,
        created=datetime.datetime.fromtimestamp(CREATED),
        expires=datetime.datetime.fromtimestamp(CREATED + 30),
        nonce=NONCE,
        label="sig1",
        include_alg=True,
    )
    request = SignedRequest("/daspeak-stream/v1/audiohook?a=b", {name.lower(): value for name, value in message.headers.items()})
    assert flaw(request) is None


# ---- what may differ


@pytest.mark.parametrize(
    "request_",
    [
        signed(names=NAMES[::-1]),
        signed(alg=None),
        signed(expires=None),
        signed(names=(*NAMES, "user-agent"), request=having(BARE, user_agent="x")),
        signed(request=having(BARE, host="Voice.Example.ORG:443")),
        signed(request=having(BARE, host="voice.example.org:8080")),
        signed(request=replace(having(BARE, host="voice.example.org:80"), secure=False)),
        signed(request=having(BARE, x_api_key=f" {KEY}\t")),
        signed(request=replace(BARE, target="/daspeak-stream/v1/audiohook?x=1")),
        having(GOOD, signature_input=' sig1=(  "@request-target"' + spelled()[len('("@request-target"') :].replace(";", "; ")),
        having(GOOD, signature_input=f'other=("x-api-key");created=1, sig1={spelled()}', signature="other=:AAAA:, " + SIGNATURE),
        having(GOOD, signature_input="other=" + spelled(), signature=SIGNATURE.replace("sig1", "other")),
    ],
    ids=range(12),
)
def test_other_spellings_of_a_good_signature(request_: SignedRequest) -> None:
    assert flaw(request_) is None


def test_the_default_port_is_no_part_of_the_authority() -> None:
    assert flaw(having(GOOD, host="voice.example.org:443")) is None
    assert flaw(having(GOOD, host="voice.example.org:80")) == "signature"


# ---- what an attacker may try

MAC = SIGNATURE[len("sig1=:") : -1]
ELSE = "00000000-0000-4000-8000-000000000000"
FIELDS = [name for name in BARE.fields if name not in ("host", "x-api-key")]
TAMPERED: dict[str, tuple[SignedRequest, str]] = {
    "no signature": (having(GOOD, signature=None), "unsigned"),
    "no input": (having(GOOD, signature_input=None), "unsigned"),
    "neither": (BARE, "unsigned"),
    "empty": (having(GOOD, signature="", signature_input=""), "components"),
    **{f"covers no {name}": (signed(names=tuple(other for other in NAMES if other != name)), "components") for name in NAMES},
    **{f"covers {name} twice": (signed(names=(*NAMES, name)), "components") for name in NAMES},
    "covers nothing": (signed(names=()), "components"),
    "covers a field that is missing": (having(signed((*NAMES, "user-agent"), having(BARE, user_agent="x")), user_agent=None), "components"),
    "unknown derived component": (having(GOOD, signature_input="sig1=" + spelled((*NAMES, "@method"))), "components"),
    "component with a parameter": (having(GOOD, signature_input="sig1=" + spelled().replace('y")', 'y";sf)')), "components"),
    "component no string": (having(GOOD, signature_input="sig1=" + spelled().replace('"@authority"', "authority")), "components"),
    "reordered": (having(GOOD, signature_input="sig1=" + spelled(NAMES[::-1])), "signature"),
    "reordered parameters": (having(GOOD, signature_input="sig1=" + spelled(keyid=None) + f';keyid="{KEY}"'), "signature"),
    **{f"another {name}": (having(GOOD, **{name.replace("-", "_"): ELSE}), "signature") for name in FIELDS},
    "another key": (having(GOOD, x_api_key="b3RoZXI="), "keyid"),
    "another key, signed for": (signed(keyid="b3RoZXI="), "keyid"),
    "no key": (having(GOOD, x_api_key=None), "keyid"),
    "no keyid": (signed(keyid=None), "keyid"),
    "another host": (having(GOOD, host="evil.example.org"), "signature"),
    "another port": (having(GOOD, host="voice.example.org:8443"), "signature"),
    "another path": (replace(GOOD, target="/daspeak-stream/v1/audiohook/"), "signature"),
    "a query": (replace(GOOD, target=GOOD.target + "?a=b"), "signature"),
    "no nonce": (signed(nonce=None), "nonce"),
    "nonce of 21 characters": (signed(nonce="n" * 21), "nonce"),
    "nonce a number": (signed(nonce=123_456_789_012_345), "nonce"),
    "another nonce": (having(GOOD, signature_input="sig1=" + spelled(nonce="M" + NONCE[1:-1] + "h")), "signature"),
    "another algorithm": (signed(alg="hmac-sha512"), "alg"),
    "algorithm none": (signed(alg="none"), "alg"),
    "no created": (signed(created=None), "created"),
    "created a string": (signed(created=str(CREATED)), "created"),
    "created a truth": (having(GOOD, signature_input="sig1=" + spelled(created="?1").replace('"?1"', "?1")), "created"),
    "created a decimal": (having(GOOD, signature_input="sig1=" + spelled(created="@").replace('"@"', f"{CREATED}.0")), "created"),
    "too old": (signed(created=CREATED - 14), "created"),
    "from the future": (signed(created=CREATED + 4), "created"),
    "expired": (signed(expires=CREATED - 4), "expires"),
    "expires a string": (signed(expires=str(CREATED)), "expires"),
    "later expiry": (having(GOOD, signature_input="sig1=" + spelled(expires=CREATED + 3000)), "signature"),
    "later creation": (having(GOOD, signature_input="sig1=" + spelled(created=CREATED + 1)), "signature"),
    "unknown parameter": (signed(tag="audiohook"), "parameters"),
    "another secret": (signed(secret=b"0" * 32), "signature"),
    "a flipped bit": (having(GOOD, signature=SIGNATURE.replace("iJeb", "jJeb")), "signature"),
    "cut off": (having(GOOD, signature=f"sig1=:{base64.b64encode(base64.b64decode(MAC)[:-1]).decode()}:"), "signature"),
    "lengthened": (having(GOOD, signature=f"sig1=:{base64.b64encode(base64.b64decode(MAC) + b'x').decode()}:"), "signature"),
    "empty signature": (having(GOOD, signature="sig1=::"), "signature"),
    "signature as a string": (having(GOOD, signature=f'sig1="{MAC}"'), "signature"),
    "signature of another label": (having(GOOD, signature=SIGNATURE.replace("sig1", "sig2")), "signature"),
    "signature no field": (having(GOOD, signature=MAC), "signature"),
    "signature not base64": (having(GOOD, signature="sig1=:*:"), "signature"),
    "input no field": (having(GOOD, signature_input="sig1=(("), "signature-input"),
    "input no list": (having(GOOD, signature_input="sig1=1"), "signature-input"),
    "input a truth": (having(GOOD, signature_input="sig1"), "signature-input"),
    "input not ASCII": (having(GOOD, signature_input="sig1=é"), "signature-input"),
    "input of over a KiB": (having(GOOD, signature_input="sig1=" + spelled().replace(" ", " " * 1024, 1)), "signature-input"),
    "signature of over a KiB": (having(GOOD, signature=f"{SIGNATURE},{' ' * 1024}sig2=:AAAA:"), "signature"),
    "a second label first, not signed": (having(GOOD, signature_input=f"a={spelled()}, sig1={spelled()}"), "signature"),
    "line break in a field": (having(GOOD, audiohook_session_id='x\n"x-api-key": y'), "signature"),
    "not text at all": (having(GOOD, audiohook_session_id="\udcff"), "signature"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_request_is_refused(name: str) -> None:
    request, about = TAMPERED[name]
    nonces = NonceCache()
    assert flaw(request, nonces=nonces) == about
    assert flaw(GOOD, nonces=nonces) is None  # and has not used up the nonce


def test_forty_or_more_are_tried() -> None:
    assert len(TAMPERED) >= 40


@pytest.mark.parametrize("now_s, about", [(-3.1, "created"), (-3.0, None), (0.0, None), (13.0, None), (13.1, "created")])
def test_a_signature_is_at_most_ten_seconds_old_give_or_take_three(now_s: float, about: str | None) -> None:
    assert flaw(GOOD, now_s=CREATED + now_s) == about


@pytest.mark.parametrize("now_s, about", [(3.0, None), (3.1, "expires")])
def test_a_signature_may_expire_sooner(now_s: float, about: str | None) -> None:
    assert flaw(signed(expires=CREATED), now_s=CREATED + now_s) == about


def test_a_replay_is_refused() -> None:
    nonces = NonceCache()
    assert [flaw(GOOD, now_s=CREATED + second, nonces=nonces) for second in (0, 0, 13)] == [None, "replay", "replay"]


def test_an_unknown_key_is_refused_like_a_wrong_secret() -> None:
    assert flaw(GOOD, None) == "signature"


def test_a_key_with_a_secret_is_not_used_unsigned_and_one_without_is() -> None:
    assert flaw(BARE) == "unsigned"
    assert flaw(BARE, b"") is None


def test_nonces_are_forgotten_after_thirty_seconds_and_belong_to_a_key() -> None:
    nonces = NonceCache(capacity=2)
    assert nonces.add("a", "n", 0.0)
    assert nonces.add("b", "n", 5.0)
    assert not nonces.add("a", "n", 29.9)
    assert not nonces.add("a", "another", 29.9)  # full: no replay gets in by pushing others out
    assert nonces.add("a", "n", 30.0)
    assert not nonces.add("b", "n", 30.0)
