"""Requests to the Engine.IO path that are refused before any session hears of them, in the reference's order."""

import json

import pytest

from voicestream.protocols.engineio_request import FORBIDDEN, UNAUTHORIZED, Answer, Request, Transport, judge

SESSIONS: dict[str, Transport] = {"p": "polling", "w": "websocket"}
POLLING = "EIO=4&transport=polling"
WEBSOCKET = "EIO=4&transport=websocket"


def code(method: str, text: str, upgrade: bool = False, origin: str | None = None) -> int | None:
    """The code of the refusal, None where the request goes on to a session."""
    query = dict(pair.split("=") for pair in text.split("&") if pair)
    answer = judge(Request(method, query, upgrade, origin), SESSIONS.get)
    if answer is None:
        return None
    assert answer.status == 400
    assert answer.content_type == "application/json"
    number = json.loads(answer.body)["code"]
    assert isinstance(number, int)
    return number


@pytest.mark.parametrize(
    "method, query, refusal",
    [
        ("GET", POLLING, None), ("GET", POLLING + "&sid=p", None), ("POST", POLLING + "&sid=p", None), ("GET", POLLING + "&sid=", None),
        ("GET", POLLING + "&t=abc&collected_audio=never", None),
        ("GET", "EIO=4", 0), ("GET", "EIO=4&transport=abc", 0), ("GET", "EIO=4&transport=webtransport", 0), ("PUT", "", 0),
        ("GET", POLLING + "&sid=x", 1), ("PUT", POLLING + "&sid=x", 1),
        ("POST", POLLING, 2), ("PUT", POLLING, 2), ("POST", WEBSOCKET, 2), ("OPTIONS", POLLING + "&sid=p", 2),
        ("GET", WEBSOCKET, 3), ("GET", WEBSOCKET + "&sid=w", 3), ("GET", WEBSOCKET + "&sid=p", 3), ("GET", POLLING + "&sid=w", 3),
        ("POST", POLLING + "&sid=w", 3), ("PUT", POLLING + "&sid=p", 3), ("GET", "EIO=3&transport=polling&sid=p", 3),
        ("GET", "transport=polling", 5), ("GET", "EIO=abc&transport=polling", 5), ("GET", "EIO=3&transport=polling", 5),
    ],
)  # fmt: skip
def test_a_plain_request(method: str, query: str, refusal: int | None) -> None:
    assert code(method, query) == refusal


@pytest.mark.parametrize(
    "query, refusal",
    [
        (WEBSOCKET, None), (WEBSOCKET + "&sid=p", None), (WEBSOCKET + "&sid=w", None),  # the second socket is closed after its 101
        ("transport=websocket", 5), ("EIO=abc&transport=websocket", 5), ("EIO=4", 0), ("EIO=4&transport=abc", 0),
        (WEBSOCKET + "&sid=x", 1), (POLLING, 3), (POLLING + "&sid=p", 3), ("EIO=3&transport=websocket&sid=p", 3),
    ],
)  # fmt: skip
def test_an_upgrade(query: str, refusal: int | None) -> None:
    assert code("GET", query, upgrade=True) == refusal


@pytest.mark.parametrize("origin, refusal", [("https://é.example", None), ("a\nb", 3), ("a\x7f", 3), ("a☃", 3), ("\x00", 3)])
def test_an_origin_of_illegal_characters(origin: str, refusal: int | None) -> None:
    assert code("GET", POLLING, origin=origin) == refusal


def test_the_body_is_the_reference_servers() -> None:
    answer = judge(Request("GET", {}), SESSIONS.get)
    assert answer == Answer(400, b'{"code":0,"message":"Transport unknown"}', "application/json")


@pytest.mark.parametrize("word", [FORBIDDEN, UNAUTHORIZED])
def test_the_application_may_refuse_a_handshake_but_no_later_request(word: Answer) -> None:
    query = {"transport": "polling"}
    assert judge(Request("GET", query), SESSIONS.get, admit=lambda: word) is word
    assert judge(Request("GET", {**query, "EIO": "4", "sid": "p"}), SESSIONS.get, admit=lambda: word) is None


def test_a_preflight_is_answered_where_other_origins_are_configured() -> None:
    answer = judge(Request("OPTIONS", {}), SESSIONS.get, cors=True)
    assert answer is not None
    assert (answer.status, answer.body) == (204, b"")
