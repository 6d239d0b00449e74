"""Requests and answers of RFC 6749, 6750, 7009, 7662 and 8414, as bytes and dictionaries."""

import base64

import pytest
from hypothesis import given, note, settings

from tests.protocols.tape import Tape, tapes
from voicestream import errors
from voicestream.errors import Fault, PeerError
from voicestream.protocols.oauth2 import (
    Presented,
    TokenQuery,
    TokenRequest,
    bearer_token,
    introspection,
    metadata,
    refusal,
    token_answer,
    token_query,
    token_request,
)

FORM = "application/x-www-form-urlencoded"
GOOD = b"grant_type=client_credentials&client_id=c1&client_secret=s1"
GRANT = b"grant_type=client_credentials"


def basic(text: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("content_type", "authorization", "body", "request_"),
    [
        (FORM, None, GOOD, TokenRequest(Presented("c1", "s1"), None)),
        (f"{FORM}; charset=UTF-8", None, GOOD, TokenRequest(Presented("c1", "s1"), None)),
        (FORM.upper(), None, GOOD, TokenRequest(Presented("c1", "s1"), None)),
        (FORM, basic("c1:s1"), GRANT, TokenRequest(Presented("c1", "s1"), None)),
        (FORM, basic("c1:s1", "bAsIc"), GRANT, TokenRequest(Presented("c1", "s1"), None)),
        (FORM, basic("c1:s:1"), GRANT, TokenRequest(Presented("c1", "s:1"), None)),
        (FORM, basic("c%3A1:s%2B+1"), GRANT, TokenRequest(Presented("c:1", "s+ 1"), None)),
        (FORM, basic("c1:s1"), GRANT + b"&client_id=c1", TokenRequest(Presented("c1", "s1"), None)),
        (FORM, basic("c1:s1"), GRANT + b"&client_id=&client_secret=", TokenRequest(Presented("c1", "s1"), None)),
        (FORM, None, GOOD + b"&scope=register+verify", TokenRequest(Presented("c1", "s1"), "register verify")),
        (FORM, None, GOOD + b"&scope=", TokenRequest(Presented("c1", "s1"), None)),
        (FORM, None, GOOD + b"&audience=x&empty", TokenRequest(Presented("c1", "s1"), None)),
        (FORM, None, GOOD + b"&", TokenRequest(Presented("c1", "s1"), None)),
        (FORM, None, b"client_secret=%73%31&client_id=c%31&grant_type=client%5Fcredentials", TokenRequest(Presented("c1", "s1"), None)),
    ],
)
def test_a_token_request(content_type: str, authorization: str | None, body: bytes, request_: TokenRequest) -> None:
    assert token_request(content_type, authorization, body) == request_


@pytest.mark.parametrize(
    ("content_type", "authorization", "body", "fault"),
    [
        ("", None, GOOD, errors.OAUTH_FORM),
        ("application/json", None, b'{"grant_type":"client_credentials"}', errors.OAUTH_FORM),
        ("multipart/form-data; boundary=x", None, GOOD, errors.OAUTH_FORM),
        (FORM + "x", None, GOOD, errors.OAUTH_FORM),
        (FORM, None, GOOD + b"&a=%", errors.OAUTH_FORM),
        (FORM, None, GOOD + b"&a=%zz", errors.OAUTH_FORM),
        (FORM, None, GOOD + b"&a=%ff", errors.OAUTH_FORM),
        (FORM, None, GOOD + b"&a=\xff", errors.OAUTH_FORM),
        (FORM, None, b"", errors.OAUTH_PARAMETER_MISSING),
        (FORM, None, b"client_id=c1&client_secret=s1", errors.OAUTH_PARAMETER_MISSING),
        (FORM, None, b"grant_type=&client_id=c1&client_secret=s1", errors.OAUTH_PARAMETER_MISSING),
        (FORM, None, GOOD + b"&client_id=c1", errors.OAUTH_PARAMETER_TWICE),
        (FORM, None, GOOD + b"&client%5Fid=c2", errors.OAUTH_PARAMETER_TWICE),
        (FORM, None, GOOD + b"&grant_type=", errors.OAUTH_PARAMETER_TWICE),
        (FORM, None, GOOD + b"&x=1&x=2", errors.OAUTH_PARAMETER_TWICE),
        (FORM, basic("c1:s1"), GOOD, errors.OAUTH_CREDENTIALS_TWICE),
        (FORM, basic("c1:s1"), GRANT + b"&client_secret=s1", errors.OAUTH_CREDENTIALS_TWICE),
        (FORM, basic("c1:s1"), GRANT + b"&client_id=c2", errors.OAUTH_CREDENTIALS_TWICE),
        (FORM, None, GOOD + b"&x=" + b"y" * 8192, errors.OAUTH_BODY_LARGE),
        (FORM, None, GOOD + b"&" * 40, errors.OAUTH_BODY_LARGE),
        (FORM, None, b"grant_type=password&client_id=c1&client_secret=s1", errors.GRANT_UNSUPPORTED),
        (FORM, None, b"grant_type=Client_Credentials&client_id=c1&client_secret=s1", errors.GRANT_UNSUPPORTED),
        (FORM, None, GOOD + b"&scope=+register", errors.SCOPE_REFUSED),
        (FORM, None, GOOD + b"&scope=register++verify", errors.SCOPE_REFUSED),
        (FORM, None, GOOD + b"&scope=%22", errors.SCOPE_REFUSED),
        (FORM, None, GOOD + b"&scope=%C3%A9", errors.SCOPE_REFUSED),
        (FORM, None, GRANT, errors.CLIENT_REFUSED),
        (FORM, None, GRANT + b"&client_id=c1", errors.CLIENT_REFUSED),
        (FORM, None, GRANT + b"&client_id=c1&client_secret=", errors.CLIENT_REFUSED),
        (FORM, None, GRANT + b"&client_secret=s1", errors.CLIENT_REFUSED),
        (FORM, None, GRANT + b"&client_id=c%00&client_secret=s1", errors.CLIENT_REFUSED),
        (FORM, None, GRANT + b"&client_id=%C3%A9&client_secret=s1", errors.CLIENT_REFUSED),
        (FORM, None, GRANT + b"&client_secret=s1&client_id=" + b"c" * 257, errors.CLIENT_REFUSED),
        (FORM, basic("c1s1"), GRANT, errors.CLIENT_REFUSED),
        (FORM, basic(":s1"), GRANT, errors.CLIENT_REFUSED),
        (FORM, basic("c1:"), GRANT, errors.CLIENT_REFUSED),
        (FORM, basic("c1:%zz"), GRANT, errors.CLIENT_REFUSED),
        (FORM, "", GRANT, errors.CLIENT_REFUSED),
        (FORM, "Basic", GRANT, errors.CLIENT_REFUSED),
        (FORM, "Basic !!!!", GRANT, errors.CLIENT_REFUSED),
        (FORM, "Basic YzE6czE", GRANT, errors.CLIENT_REFUSED),
        (FORM, "Basic é", GRANT, errors.CLIENT_REFUSED),
        (FORM, f"{basic('c1:s1')}, {basic('c1:s1')}", GRANT, errors.CLIENT_REFUSED),
        (FORM, "Bearer YzE6czE=", GRANT, errors.CLIENT_REFUSED),
    ],
)
def test_a_request_that_is_none(content_type: str, authorization: str | None, body: bytes, fault: Fault) -> None:
    with pytest.raises(PeerError) as caught:
        token_request(content_type, authorization, body)
    assert caught.value.fault is fault


def test_a_query_about_a_token() -> None:
    body = b"token=a.b.c&token_type_hint=refresh_token&client_id=c1&client_secret=s1"
    assert token_query(FORM, None, body) == TokenQuery(Presented("c1", "s1"), "a.b.c")
    with pytest.raises(PeerError) as caught:
        token_query(FORM, basic("c1:s1"), b"")
    assert caught.value.fault is errors.OAUTH_PARAMETER_MISSING


@pytest.mark.parametrize(
    ("fault", "status", "word"),
    [
        (errors.OAUTH_FORM, 400, "invalid_request"),
        (errors.OAUTH_PARAMETER_TWICE, 400, "invalid_request"),
        (errors.OAUTH_CREDENTIALS_TWICE, 400, "invalid_request"),
        (errors.GRANT_UNSUPPORTED, 400, "unsupported_grant_type"),
        (errors.SCOPE_REFUSED, 400, "invalid_scope"),
        (errors.TOKEN_FOREIGN, 400, "invalid_grant"),
        (errors.CLIENT_REFUSED, 401, "invalid_client"),
        (errors.LOGINS_FAILED, 429, "temporarily_unavailable"),
        (errors.OVERLOADED, 503, "temporarily_unavailable"),
    ],
)
def test_a_refusal_is_that_of_the_rfc(fault: Fault, status: int, word: str) -> None:
    told = refusal(PeerError(fault, "detail"), basic=False, retry_s=7)
    assert told is not None
    assert (told.status, told.body) == (status, {"error": word, "error_description": f"{fault.code} {fault.sentence}"})
    assert told.headers.pop("Retry-After", None) == ("7" if status in (429, 503) else None)
    assert told.headers == {"Cache-Control": "no-store", "Pragma": "no-cache"}


def test_the_challenge_stands_where_the_header_was_used() -> None:
    told = refusal(PeerError(errors.CLIENT_REFUSED), basic=True)
    assert told is not None
    assert told.headers["WWW-Authenticate"] == 'Basic realm="voicestream"'
    wrong = refusal(PeerError(errors.SCOPE_REFUSED), basic=True)
    assert wrong is not None
    assert "WWW-Authenticate" not in wrong.headers


def test_a_fault_of_ours_is_not_oauths() -> None:
    assert refusal(PeerError(errors.INTERNAL), basic=False) is None


def test_every_description_keeps_to_the_characters_of_the_rfc() -> None:
    for fault in (fault for code, fault in errors.CATALOGUE.items() if code.startswith("VS17")):
        assert all(
            character in "\x20\x21" or "\x23" <= character <= "\x5b" or "\x5d" <= character <= "\x7e" for character in fault.sentence
        )


def test_answers() -> None:
    assert token_answer("t", 3600, None) == {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
    assert token_answer("t", 60, "verify") == {"access_token": "t", "token_type": "Bearer", "expires_in": 60, "scope": "verify"}
    assert introspection(None) == {"active": False}
    assert introspection({"sub": "c1"}) == {"active": True, "token_type": "Bearer", "sub": "c1"}


def test_metadata_name_the_endpoints_under_the_issuer() -> None:
    told = metadata("https://voice.example", ("verify",))
    assert told["issuer"] == "https://voice.example"
    assert {str(told[name]) for name in told if name.endswith("_endpoint")} == {
        f"https://voice.example/oauth2/{name}" for name in ("token", "revoke", "introspect")
    }
    assert told["grant_types_supported"] == ["client_credentials"]
    assert told["response_types_supported"] == []  # required by RFC 8414, and we have none


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer a.b-c_d~e+/=", "a.b-c_d~e+/="),
        ("bearer a", "a"),
        ("BEARER  a", "a"),
        (None, None),
        ("", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("Bearera", None),
        ("Basic a", None),
        ("Bearer a b", None),
        ("Bearer a, Bearer b", None),
        ("Bearer a\n", None),
        ("Bearer é", None),
    ],
)
def test_a_bearer_token(header: str | None, token: str | None) -> None:
    assert bearer_token(header) == token


PARTS = (
    GRANT,
    b"client_id=c",
    b"client_secret=s",
    b"scope=verify",
    b"token=t",
    b"client%5Fid=c",
    b"scope=a+b",
    b"%",
    b"%zz",
    b"%ff",
    b"=",
    b"",
    b"\xe9",
)
HEADERS = (None, basic("c:s"), basic("c:"), "Basic", "Basic !", "Bearer t", "")


def never_anything_else(tape: Tape) -> None:
    """A form and a header of good parts and of any bytes: a request, or a refusal of the RFC."""
    content_type = tape.text(20) if tape.below(8) == 7 else tape.choice((FORM, FORM, f"{FORM}; charset=utf-8", "application/json", ""))
    body = b"&".join(tape.bytes(12) if tape.below(4) == 3 else tape.choice(PARTS) for _ in range(tape.below(8)))
    authorization = tape.choice(HEADERS)
    match tape.below(8):
        case 7:
            authorization = tape.text(20)
        case 6:
            authorization = f"Basic {base64.b64encode(tape.bytes(20)).decode()}"
    note(f"{content_type!r} {authorization!r} {body!r}")
    for read in (token_request, token_query):
        try:
            read(content_type, authorization, body)
        except PeerError as error:
            if refusal(error, basic=True) is None:
                raise
    bearer_token(authorization)


@settings(max_examples=200, deadline=None)
@given(tape=tapes())
def test_nothing_but_refusals(tape: Tape) -> None:
    never_anything_else(tape)


@pytest.mark.fuzz
@settings(max_examples=100_000, deadline=None)
@given(tape=tapes())
def test_nothing_but_refusals_at_length(tape: Tape) -> None:
    never_anything_else(tape)
