"""X-Twilio-Signature: golden vectors, and the makers' own validator."""

import pytest
from twilio.request_validator import RequestValidator

from voicestream.protocols.twilio_signature import sign, verify

TOKEN = "12345678901234567890123456789012"
URL = "wss://voice.example.org/daspeak-stream/v1/twilio"
PORT = "wss://voice.example.org:443/daspeak-stream/v1/twilio"
HTTPS = "https://voice.example.org/daspeak-stream/v1/twilio"
SLASH = URL + "/"
SIGNATURES = {
    URL: "2QNUGoXZYN8ojedLZlNilhPPdtk=", PORT: "NxlnZXNFFeb0R9kk8FVdbVfJdwk=",
    HTTPS: "ZdRuM3DIPdnAYbPjwfHXNwQkc2k=", SLASH: "EpOWETTLSD0w15jhPz6HG1dLk7M=",
}  # fmt: skip


@pytest.mark.parametrize("url", SIGNATURES)
def test_golden_signatures(url: str) -> None:
    assert sign(url, TOKEN) == SIGNATURES[url]
    assert RequestValidator(TOKEN).compute_signature(url, {}) == SIGNATURES[url]


@pytest.mark.parametrize(
    "configured, accepted",
    [(URL, {URL, PORT}), (PORT, {URL, PORT}), (SLASH, {SLASH}), (HTTPS, {HTTPS}), (URL.replace("org", "org:8443"), set())],
)  # fmt: skip
def test_what_is_accepted_depends_on_the_configured_url_alone(configured: str, accepted: set[str]) -> None:
    assert {url for url, signature in SIGNATURES.items() if verify(signature, configured, TOKEN) is None} == accepted


@pytest.mark.parametrize(
    "signature", ["", "é", "\udcff", SIGNATURES[URL][:-1], SIGNATURES[URL].lower(), SIGNATURES[URL] + "\n", " " + SIGNATURES[URL]]
)
def test_other_signatures_are_refused(signature: str) -> None:
    refusal = verify(signature, URL, TOKEN)
    assert refusal is not None
    assert (refusal.fault.code, refusal.about) == ("VS1740", "x-twilio-signature")


def test_another_token_makes_another_signature() -> None:
    assert verify(SIGNATURES[URL], URL, TOKEN[::-1]) is not None


def test_the_makers_agree() -> None:
    validator = RequestValidator(TOKEN)
    assert validator.validate(URL, {}, SIGNATURES[URL])
    assert validator.validate(PORT, {}, SIGNATURES[URL])
    assert not validator.validate(HTTPS, {}, SIGNATURES[URL])
