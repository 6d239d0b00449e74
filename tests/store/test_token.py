"""Access tokens: RFC 9068 by an independent reader, and a table of hostile tokens, each refused."""

import base64
import hmac
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe, jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from voicestream.errors import TOKEN_KEY_FILE, TOKEN_REFUSED, PeerError
from voicestream.store.token import ALGORITHM, FILE_NAME, Tokens, load_key

AT = 1_795_255_200
ISSUER = "https://voice.example"
KEY = OKPKey.generate_key("Ed25519", private=True)
TOKENS = Tokens(KEY, ISSUER, 3600)
TOKEN = TOKENS.issue("c1", "acme", "register verify", AT + 0.7)
HEADER, PAYLOAD, SIGNATURE = TOKEN.split(".")
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "c1",
    "aud": "daspeak",
    "client_id": "c1",
    "tenant": "acme",
    "scope": "register verify",
    "iat": AT,
    "nbf": AT,
    "exp": AT + 3600,
    "jti": "j1",
}


def part(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: dict[str, Any], key: OKPKey = KEY, payload: object = CLAIMS) -> str:
    """A token with any header, properly signed by Ed25519 whatever the header says."""
    text = f"{part(header)}.{part(payload)}"
    private = load_pem_private_key(key.as_pem(private=True), None)
    assert isinstance(private, ed25519.Ed25519PrivateKey)
    return f"{text}.{part(private.sign(text.encode()))}"


def ours(**changed: object) -> str:
    """A token of our own key with other claims; None takes one away."""
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}
    return TOKENS.sign(json.dumps(claims, separators=(",", ":")).encode())


def good(token: str, at: float = AT) -> bool:
    try:
        TOKENS.verify(token, at)
    except PeerError as error:
        if error.fault is TOKEN_REFUSED:
            return False
        raise
    return True


H = json.loads(base64.urlsafe_b64decode(HEADER + "=="))
OTHER = OKPKey.generate_key("Ed25519", private=True)


def hostile() -> Iterator[tuple[str, str]]:
    public = KEY.as_pem(private=False)
    # other algorithms (RFC 8725 sections 2.1 and 3.1)
    for alg in ("none", "None", "NONE", "nOnE", "", "HS256", "RS256", "ES256", "EdDSA", "Ed448", "ed25519", "dir"):
        yield f"alg {alg!r}, no signature", f"{part({**H, 'alg': alg})}.{part(CLAIMS)}."
        yield f"alg {alg!r}, our signature", signed({**H, "alg": alg})
    secret = base64.urlsafe_b64decode(KEY.as_dict(private=False)["x"] + "=")
    for name, guess in {
        "our public key as PEM": public,
        "our public key raw": secret,
        "nothing": b"",
        "the issuer": ISSUER.encode(),
    }.items():
        text = f"{part({**H, 'alg': 'HS256'})}.{part(CLAIMS)}"
        yield f"HS256 with {name}", f"{text}.{part(hmac.digest(guess, text.encode(), 'sha256'))}"
        yield f"our header over HS512 with {name}", f"{HEADER}.{PAYLOAD}.{part(hmac.digest(guess, TOKEN.encode(), 'sha512'))}"
    rsa_key, ec_key = RSAKey.generate_key(2048, private=True), ECKey.generate_key("P-256", private=True)
    yield "RS256", jws.serialize_compact({**H, "alg": "RS256"}, json.dumps(CLAIMS), rsa_key, ["RS256"])
    yield "ES256", jws.serialize_compact({**H, "alg": "ES256"}, json.dumps(CLAIMS), ec_key, ["ES256"])
    # headers that want something
    yield "another's signature", signed(H, OTHER)
    yield "another's signature and kid", signed({**H, "kid": OTHER.thumbprint()}, OTHER)
    yield "embedded jwk", signed({**H, "jwk": OTHER.as_dict(private=False)}, OTHER)
    yield "embedded jwk, ours", signed({**H, "jwk": KEY.as_dict(private=False)})
    yield "jku", signed({**H, "jku": "https://evil.example/keys"}, OTHER)
    yield "x5u", signed({**H, "x5u": "https://evil.example/chain"}, OTHER)
    yield "x5c", signed({**H, "x5c": ["AAAA"]})
    yield "crit unknown", signed({**H, "crit": ["x"], "x": 1})
    yield "crit empty", signed({**H, "crit": []})
    yield "b64 false", signed({**H, "b64": False, "crit": ["b64"]})
    yield "zip", signed({**H, "zip": "DEF"})
    for kid in ("../../../../etc/passwd", "/dev/null", "' OR 1=1 --", "", 1, None, ["a"], "\0", "x" * 5000):
        yield f"kid {str(kid)[:20]!r}", signed({**H, "kid": kid})
    for typ in ("JWT", "jwt", "at+JWT", "application/at+jwt", "dpop+jwt", "", None, 1):
        yield f"typ {typ!r}", signed({**H, "typ": typ})
    for name in H:
        yield f"header without {name}", signed({key: value for key, value in H.items() if key != name})
    two = json.dumps(H, separators=(",", ":")).replace("{", '{"alg":"none",')
    yield "header with two alg", f"{part(two.encode())}.{PAYLOAD}.{SIGNATURE}"
    yield "header in another order", signed(dict(reversed(H.items())))
    yield "header with a blank", f"{part(json.dumps(H).encode())}.{PAYLOAD}.{SIGNATURE}"
    yield "header no JSON", f"{part(b'x')}.{PAYLOAD}.{SIGNATURE}"
    yield "header deep", f"{part(b'[' * 100_000)}.{PAYLOAD}.{SIGNATURE}"
    # claims, signed with our own key
    for name in CLAIMS:
        yield f"without {name}", ours(**{name: None})
    for name, value in (
        ("iss", "https://evil.example"),
        ("iss", ISSUER + "/"),
        ("iss", [ISSUER]),
        ("aud", "other"),
        ("aud", ["daspeak"]),
        ("aud", ""),
        ("sub", "c2"),
        ("client_id", "c2"),
        ("jti", ""),
        ("jti", 1),
        ("exp", AT),
        ("exp", AT - 1),
        ("exp", str(AT + 10)),
        ("exp", AT + 10.5),
        ("exp", AT + 3601),
        ("exp", 10**400),
        ("exp", True),
        ("exp", -1),
        ("nbf", AT + 6),
        ("iat", AT + 6),
        ("tenant", None),
        ("tenant", {"a": 1}),
        ("scope", ["register"]),
        ("admin", True),
        ("exp ", 1),
    ):
        yield f"{name} {str(value)[:30]}", ours(**{name: value})
    body = json.dumps(CLAIMS, separators=(",", ":"))
    yield "duplicate claim, good one last", TOKENS.sign(body.replace("{", '{"exp":1,', 1).encode())
    yield "duplicate claim, good one first", TOKENS.sign(body.replace("}", ',"exp":99999999999}', 1).encode())
    yield "NaN", TOKENS.sign(body.replace(f'"exp":{AT + 3600}', '"exp":NaN').encode())
    yield "exponent", TOKENS.sign(body.replace(f'"exp":{AT + 3600}', '"exp":1.7952588e9').encode())
    yield "claims with a blank", TOKENS.sign(json.dumps(CLAIMS).encode())
    yield "claims escaped", TOKENS.sign(body.replace('"acme"', '"\\u0061cme"').encode())
    for text in (b"", b"null", b"[]", b"{}", b'"x"', b"\xff\xfe", b"{" * 500, b"[" * 1000):
        yield f"payload {text[:4]!r}", TOKENS.sign(text)
    # forms
    for name, text in {
        "empty": "",
        "dots": "..",
        "one part": HEADER,
        "two parts": f"{HEADER}.{PAYLOAD}",
        "no signature": f"{HEADER}.{PAYLOAD}.",
        "no payload": f"{HEADER}..{SIGNATURE}",
        "four parts": f"{TOKEN}.{SIGNATURE}",
        "five parts": f"{TOKEN}.{SIGNATURE}.{SIGNATURE}",
        "padded": f"{HEADER}.{PAYLOAD}.{SIGNATURE}==",
        "blank before": f" {TOKEN}",
        "blank after": f"{TOKEN} ",
        "newline": f"{TOKEN}\n",
        "NUL": f"{TOKEN}\0",
        "not ASCII": f"{TOKEN}é",
        "digits of another script": TOKEN[:-1] + "١",
        "surrogate": f"{TOKEN}\ud800",
        "standard base64": f"{HEADER}.{PAYLOAD}.{'+/' + SIGNATURE[2:]}",
        "signature cut": TOKEN[:-2],
        "signature of zeros": f"{HEADER}.{PAYLOAD}.{part(bytes(64))}",
        "signature of another token": f"{HEADER}.{PAYLOAD}.{ours(jti='j2').split('.')[2]}",
        "payload of another token": f"{HEADER}.{ours(jti='j2').split('.')[1]}.{SIGNATURE}",
        "a megabyte": "a" * 1_000_000,
        "a megabyte of dots": "." * 1_000_000,
        "a long payload, ours": ours(jti="x" * 4000),
        "JSON serialisation": json.dumps({"protected": HEADER, "payload": PAYLOAD, "signature": SIGNATURE}),
        "Bearer in front": f"Bearer {TOKEN}",
        "encrypted": jwe.encrypt_compact({"alg": "dir", "enc": "A128GCM"}, b"{}", OctKey.generate_key(128)),
    }.items():
        yield name, text
    # the same signature, its four unused bits set
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for bits in range(1, 16):
        yield f"last character + {bits}", TOKEN[:-1] + alphabet[alphabet.index(TOKEN[-1]) + bits]


HOSTILE = list(hostile())


def test_ours_is_good_until_it_ends() -> None:
    assert good(TOKEN, AT)
    assert good(TOKEN, AT + 3599.9)
    assert not good(TOKEN, AT + 3600)
    assert good(TOKEN, AT - 5)  # the clock was set back
    assert not good(TOKEN, AT - 6)
    assert good(ours())  # what the rows below spoil
    assert good(signed(H))


def test_an_independent_reader_finds_rfc_9068() -> None:
    read = jwt.decode(TOKEN, OKPKey.import_key(KEY.as_dict(private=False)), algorithms=[ALGORITHM])
    jwt.JWTClaimsRegistry(
        now=lambda: AT,
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": "daspeak"},
        exp={"essential": True},
        sub={"essential": True},
        client_id={"essential": True},
        iat={"essential": True},
        jti={"essential": True},
    ).validate(read.claims)
    assert read.header["typ"] == "at+jwt"
    assert read.claims["exp"] - read.claims["iat"] == 3600


def test_no_two_tokens_are_one() -> None:
    read = [TOKENS.verify(TOKENS.issue("c1", "acme", "verify", AT), AT).jti for _ in range(50)]
    assert len(set(read)) == 50


def test_there_are_enough_hostile_tokens() -> None:
    assert len({token for _, token in HOSTILE}) >= 100


@pytest.mark.parametrize(("name", "token"), HOSTILE, ids=[name for name, _ in HOSTILE])
def test_hostile(name: str, token: str) -> None:
    assert not good(token)


def test_any_other_character_anywhere_is_refused() -> None:
    for at in range(len(TOKEN)):
        assert not good(TOKEN[:at] + ("A" if TOKEN[at] != "A" else "B") + TOKEN[at + 1 :])


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_no_text_gets_in_or_raises(text: str) -> None:
    assert not good(text)


@pytest.mark.fuzz
@settings(max_examples=100_000, deadline=None)
@given(st.one_of(st.text(), st.binary().map(lambda data: f"{HEADER}.{part(data)}.{SIGNATURE}"), st.binary().map(TOKENS.sign)))
def test_no_text_gets_in_or_raises_at_length(text: str) -> None:
    assert not good(text)


def test_the_key_is_made_once_and_its_owners_alone(tmp_path: Path) -> None:
    first = load_key(tmp_path / "new")
    assert load_key(tmp_path / "new").as_pem(private=True) == first.as_pem(private=True)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((tmp_path / "new" / FILE_NAME).stat().st_mode) == 0o600


def test_tokens_of_another_key_or_issuer_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PeerError):
        Tokens(load_key(tmp_path), ISSUER, 3600).verify(TOKEN, AT)
    with pytest.raises(PeerError):
        Tokens(KEY, "http://localhost:8080", 3600).verify(TOKEN, AT)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no key",
        KEY.as_pem(private=False),
        ECKey.generate_key("P-256", private=True).as_pem(private=True),
        OKPKey.generate_key("X25519", private=True).as_pem(private=True),
        json.dumps(OctKey.generate_key(256).as_dict()).encode(),
    ],
)
def test_a_file_that_is_no_key_of_ours(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    (tmp_path / FILE_NAME).chmod(0o600)
    with pytest.raises(PeerError) as caught:
        load_key(tmp_path)
    assert caught.value.fault is TOKEN_KEY_FILE


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    load_key(tmp_path)
    (tmp_path / FILE_NAME).chmod(0o640)
    with pytest.raises(PeerError) as caught:
        load_key(tmp_path)
    assert caught.value.fault is TOKEN_KEY_FILE
