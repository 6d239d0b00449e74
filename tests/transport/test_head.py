"""Whose is a request head: a WebSocket's, HTTP's, or nobody's."""

import pytest

from tests.transport.wire import opening
from voicestream import errors
from voicestream.errors import Fault
from voicestream.transport.head import Head, HeadLimit, HeadReader, Plain, Refusal, Upgrade, acceptance


def read(data: bytes) -> Head | None:
    return HeadReader(HeadLimit()).feed(data)


def request(*headers: str, line: str = "GET /talk HTTP/1.1") -> bytes:
    return "\r\n".join((line, "Host: voice.example", *headers, "", "")).encode()


def test_a_good_opening() -> None:
    head = read(opening("/talk?token=secret", "Origin: https://voice.example") + b"\x81\x80")
    assert head == Upgrade("/talk", b"dGhlIHNhbXBsZSBub25jZQ==", "https://voice.example", b"\x81\x80", "/talk?token=secret")


def test_header_lines_of_one_name_are_one_field() -> None:
    head = read(opening("/talk", "X-Api-Key: k", "Signature: one", "signature: two"))
    assert isinstance(head, Upgrade)
    assert (head.fields["x-api-key"], head.fields["signature"]) == ("k", "one, two")


def test_keys_do_not_show_in_a_log() -> None:
    assert "sesame" not in repr(read(opening("/talk", "X-Api-Key: sesame")))


def test_the_answer_of_rfc_6455_section_1_3() -> None:
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in acceptance(Upgrade("/", b"dGhlIHNhbXBsZSBub25jZQ==", None, b""))


def test_no_extension_and_no_subprotocol_is_ever_selected() -> None:
    head = read(opening("/talk", "Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Protocol: chat"))
    assert isinstance(head, Upgrade)
    assert b"sec-websocket-extensions" not in acceptance(head).lower()
    assert b"sec-websocket-protocol" not in acceptance(head).lower()


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_head_in_pieces(cut: int) -> None:
    data = opening("/talk", "Origin: null")
    reader = HeadReader(HeadLimit())
    *verdicts, last = (reader.feed(data[at : at + cut]) for at in range(0, len(data), cut))
    assert verdicts == [None] * len(verdicts)
    assert last == Upgrade("/talk", b"dGhlIHNhbXBsZSBub25jZQ==", "null", b"", "/talk")


def test_tokens_may_be_spelt_as_one_likes() -> None:
    data = (
        opening()
        .replace(b"Upgrade: websocket", b"upgrade: h2c, WebSocket")
        .replace(b"Connection: Upgrade", b"connection: Keep-Alive, UPGRADE")
    )
    assert isinstance(read(data), Upgrade)


def test_a_content_length_of_nothing_is_borne() -> None:
    assert isinstance(read(opening("/talk", "Content-Length: 0")), Upgrade)


def test_other_requests_are_pushed_back_whole() -> None:
    data = request("Content-Length: 3", line="POST /upload?x=1 HTTP/1.1") + b"abc"
    assert read(data) == Plain("/upload", data)


def test_an_offer_of_h2c_is_ignored() -> None:
    data = request("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    assert read(data) == Plain("/talk", data)


def without(name: bytes) -> bytes:
    return b"".join(line for line in opening().splitlines(keepends=True) if not line.startswith(name))


@pytest.mark.parametrize(
    "data, status, fault",
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, errors.BAD_HEAD),  # TLS to a plain port
        (b"\x00" * 40 + b"\r\n\r\n", 400, errors.BAD_HEAD),
        (b"GET / HTTP/1.1\r\n\r\n", 400, errors.BAD_HEAD),  # no Host
        (request(" folded", "X: y"), 400, errors.BAD_HEAD),
        (request("Bad Name: x"), 400, errors.BAD_HEAD),
        (request("X: \x00"), 400, errors.BAD_HEAD),
        (request("Content-Length: 1", "Content-Length: 2"), 400, errors.BAD_HEAD),
        (request("Transfer-Encoding: gzip"), 400, errors.BAD_HEAD),
        (request("Transfer-Encoding: chunked", "Content-Length: 1"), 400, errors.BAD_HEAD),
        (request("X: y", "\tfolded"), 400, errors.BAD_HEAD),
        (request("X: y").replace(b"X: y\r", b"X: y"), 400, errors.BAD_HEAD),  # a bare line feed
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, errors.NOT_HTTP1),
        (opening().replace(b"GET", b"POST"), 400, errors.BAD_UPGRADE),
        (opening().replace(b"HTTP/1.1", b"HTTP/1.0"), 400, errors.BAD_UPGRADE),
        (without(b"Connection"), 400, errors.BAD_UPGRADE),
        (without(b"Sec-WebSocket-Key"), 400, errors.BAD_UPGRADE),
        (opening().replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhlIHNhbXBsZSBub25jZQ"), 400, errors.BAD_UPGRADE),
        (opening().replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhlIHNhbXBsZQ=="), 400, errors.BAD_UPGRADE),
        (opening("/talk", "Content-Length: 5"), 400, errors.BAD_UPGRADE),
        (opening("/talk", "Transfer-Encoding: chunked"), 400, errors.BAD_UPGRADE),
        (without(b"Sec-WebSocket-Version"), 426, errors.WRONG_WEBSOCKET_VERSION),
        (opening().replace(b"Version: 13", b"Version: 8"), 426, errors.WRONG_WEBSOCKET_VERSION),
        (opening("/talk", "Sec-WebSocket-Version: 13"), 426, errors.WRONG_WEBSOCKET_VERSION),
        (request("X: " + "y" * 17_000), 431, errors.HEAD_TOO_LARGE),
        (request("X: " + "y" * 8192), 431, errors.HEAD_TOO_LARGE),
        (request("X: " + "y" * 8000, "Y: " + "y" * 8000, "Z: " + "y" * 400), 431, errors.HEAD_TOO_LARGE),
        (request(*(f"X-{i}: y" for i in range(64))), 431, errors.HEAD_TOO_LARGE),
        (b"GET /" + b"a" * 17_000, 431, errors.HEAD_TOO_LARGE),
    ],
)
def test_what_is_refused(data: bytes, status: int, fault: Fault) -> None:
    head = read(data)
    assert isinstance(head, Refusal)
    assert (head.status, head.fault) == (status, fault)


def test_a_stream_that_ends_before_any_request() -> None:
    assert read(b"") == Refusal(400, errors.BAD_HEAD)


def test_limits_that_are_just_kept() -> None:
    assert isinstance(read(request("X: " + "y" * 8000, *(f"X-{i}: y" for i in range(62)))), Plain)


def test_a_refusal_is_a_whole_http_answer_without_the_peers_words() -> None:
    answer = bytes(Refusal(503, errors.DRAINING, (("Retry-After", "5"),)))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n")
    assert b"Content-Length: %d\r\nConnection: close" % len(body) in head
    assert body == b"VS1112 server is going down\n"
