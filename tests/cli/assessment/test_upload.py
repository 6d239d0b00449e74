"""The whole recording in one request, and results behind links."""

import socket
import ssl
import threading
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest
import trustme

from tests.cli.assessment.elsa_server import TOKEN, ElsaServer, read_wav
from tests.cli.assessment.golden import FREE
from voicestream.cli.assessment.upload import _form, _origin, followed, upload
from voicestream.codecs.wav import write_wav
from voicestream.errors import PeerError

PCM = bytes(range(256)) * 10


def fields(content_type: str, body: bytes) -> dict[str, bytes]:
    """The parts of a form, read by the standard library."""
    whole = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    parts: dict[str, bytes] = {}
    for part in whole.get_payload():
        assert isinstance(part, Message)
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        parts[str(part.get_param("name", header="Content-Disposition"))] = content
    return parts


def test_the_form_holds_what_the_endpoint_wants() -> None:
    content_type, body = _form({"api_plan": "standard", "sentence": "Où est-il?"}, write_wav(PCM, 8000))
    told = fields(content_type, body)
    assert told["api_plan"] == b"standard"
    assert told["sentence"].decode() == "Où est-il?"
    assert read_wav(told["audio_file"]) == (8000, PCM)


def test_free_speech_and_a_sentence_have_their_own_endpoints() -> None:
    with ElsaServer() as server:
        assert "speakers" in upload(server.http_url, f"ELSA {TOKEN}", write_wav(PCM, 8000), "standard", None)
        assert "utterance" in upload(server.http_url, f"ELSA {TOKEN}", write_wav(PCM, 8000), "standard", "pizza party")


def test_a_refusal_is_told_with_its_reason() -> None:
    with ElsaServer() as server, pytest.raises(PeerError, match="HTTP 401, Unauthorized"):
        upload(server.http_url, "ELSA wrong", write_wav(PCM, 8000), "standard", None)


def test_over_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with ElsaServer(tls=context) as server:
        with pytest.raises(PeerError, match="VS1021"):  # a certificate that nobody vouches for
            upload(server.http_url, f"ELSA {TOKEN}", write_wav(PCM, 8000), "standard", None)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert upload(server.http_url, f"ELSA {TOKEN}", write_wav(PCM, 8000), "standard", None) == FREE


def test_a_server_that_refuses_before_it_has_read_all_is_heard_out() -> None:
    body = b'{"error":{"code":0,"message":"Too large","errors":[]}}'

    def refuse() -> None:
        connection, _ = listening.accept()
        with connection:
            assert connection.recv(100)
            connection.sendall(b"HTTP/1.1 413 X\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        refusing = threading.Thread(target=refuse)
        refusing.start()
        with pytest.raises(PeerError, match="HTTP 413, Too large"):
            upload(f"http://127.0.0.1:{listening.getsockname()[1]}", "", write_wav(bytes(1 << 24), 8000), "standard", None)
        refusing.join()


def test_a_result_behind_a_link_is_fetched() -> None:
    with ElsaServer() as server:
        told = {"status": "success", "result_link": f"{server.http_url}/results/1"}
        assert followed(told, "https://elsewhere", "ELSA t1") == FREE


def test_the_token_goes_to_its_own_server_only() -> None:
    with ElsaServer() as server:  # it refuses a token there
        link = {"result_link": f"{server.http_url}/results/1"}
        with pytest.raises(PeerError, match="HTTP 404"):
            followed(link, server.http_url.replace("http:", "ws:"), "ELSA t1")
        assert followed(link, f"{server.http_url}1", "ELSA t1") == FREE


@pytest.mark.parametrize(
    "one, other, alike",
    [
        ("wss://h", "https://h:443/x", True),
        ("h:80", "http://h/", True),
        ("https://h", "http://h:443", False),
        ("https://h", "https://h.evil", False),
        ("https://h", "https://h@evil", False),
    ],
)
def test_what_is_one_server(one: str, other: str, alike: bool) -> None:
    assert (_origin(one) == _origin(other)) is alike


def test_what_is_there_already_is_not_fetched() -> None:
    told = {"status": "success", "result_link": "http://127.0.0.1:1/", **FREE}
    assert followed(told, "http://h", "") is told


@pytest.mark.parametrize("link", ["file:///etc/hostname", "ftp://h/x", "data:,{}", "x"])
def test_only_the_web_is_followed(link: str) -> None:
    with pytest.raises(PeerError, match="none of http"):
        followed({"result_link": link}, "http://h", "")
