"""Genesys' side of AudioHook: what it says in which state, and how it introduces itself."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from trio_websocket import CloseReason

from voicestream.cli.audiohook_caller import AudioHookCaller, State
from voicestream.cli.audiohook_handshake import Hook
from voicestream.cli.telephone_call import Ending
from voicestream.protocols.http_signature import NonceCache, SignedRequest, verify

HOOK = Hook(
    call_id="888806c3-0000-4000-8000-000000000001",
    organization="11111111-2222-4333-8444-555555555555",
    session="aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
    correlation="99999999-8888-4777-8666-555555555555",
    participant="22222222-3333-4444-8555-666666666666",
)
MONO = {"type": "audio", "format": "PCMU", "channels": ["external"], "rate": 8000}
STEREO = MONO | {"channels": ["external", "internal"]}


class Server:
    """Writes what a server would, with the numbers that are due."""

    def __init__(self, caller: AudioHookCaller) -> None:
        self.caller = caller
        self.seq = 0
        self.heard: list[dict[str, Any] | bytes] = []

    def say(self, type: str, now: float = 0.0, **parameters: Any) -> list[dict[str, Any] | bytes]:
        """Send a message; what the caller said since the last is the answer."""
        self.seq += 1
        client_seq = max((message["seq"] for message in self.texts()), default=0)
        message = {"version": "2", "id": HOOK.session, "type": type, "seq": self.seq, "clientseq": client_seq, "parameters": parameters}
        self.caller.receive(json.dumps(message), now)
        return self.answer()

    def answer(self) -> list[dict[str, Any] | bytes]:
        said = [json.loads(message) if isinstance(message, str) else message for message in self.caller.drain()]
        self.heard += said
        return said

    def texts(self) -> Iterator[dict[str, Any]]:
        return (message for message in self.heard if isinstance(message, dict))


def opened(media: dict[str, Any] = MONO) -> tuple[AudioHookCaller, Server]:
    caller = AudioHookCaller(HOOK, 0.0)
    server = Server(caller)
    server.answer()
    server.say("opened", media=[media], startPaused=False)
    return caller, server


def types(said: list[dict[str, Any] | bytes]) -> list[object]:
    return [message["type"] if isinstance(message, dict) else len(message) for message in said]


def test_it_opens_with_the_conversation_and_both_channels() -> None:
    (message,) = (json.loads(text) for text in AudioHookCaller(HOOK, 0.0).drain())
    assert (message["seq"], message["serverseq"], message["position"]) == (1, 0, "PT0S")
    assert message["parameters"]["conversationId"] == HOOK.call_id
    assert message["parameters"]["media"][:2] == [STEREO, MONO]
    assert message["parameters"]["customConfig"] == {}


def test_a_call_id_that_is_no_uuid_is_told_apart() -> None:
    opening = Hook("CA0f3a").opening()
    assert opening["customConfig"] == {"call_id": "CA0f3a"}
    assert opening["conversationId"] != "CA0f3a"


def test_no_audio_before_opened() -> None:
    caller = AudioHookCaller(HOOK, 0.0)
    assert not caller.is_open
    caller, _ = opened()
    assert caller.is_open


def test_mono_is_sent_as_it_is_and_counted() -> None:
    caller, server = opened()
    for _ in range(50):
        caller.feed(b"\x01" * 160)
    assert server.answer() == [b"\x01" * 160] * 50
    caller.tick(1.0)
    (ping,) = server.answer()
    assert isinstance(ping, dict)
    assert (ping["type"], ping["position"], ping["serverseq"]) == ("ping", "PT1S", 1)


def test_in_stereo_the_agent_is_silent() -> None:
    caller, server = opened(STEREO)
    caller.feed(b"\x01\x02")
    assert server.answer() == [b"\x01\xff\x02\xff"]


def test_pings_come_twice_and_then_every_five_seconds() -> None:
    caller, server = opened()
    assert caller.deadline == 1.0
    caller.tick(1.0)
    (first,) = server.answer()
    (second,) = server.say("pong", now=1.02)
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert (first["parameters"], second["parameters"]) == ({}, {"rtt": "PT0.02S"})
    assert server.say("pong", now=1.04) == []
    assert caller.deadline == 6.02
    caller.tick(6.02)
    assert types(server.answer()) == ["ping"]


def test_a_missing_pong_is_fatal() -> None:
    caller, server = opened()
    for now in (1.0, 6.0):
        caller.tick(now)
    ping, error, close = server.answer()
    assert isinstance(error, dict)
    assert (types([ping, error, close]), error["parameters"]["code"]) == (["ping", "error", "close"], 408)
    server.say("closed")
    assert caller.ending == Ending(failure="the server broke AudioHook: no pong within 5 s")


def test_a_pause_loses_what_is_said_and_tells_how_much() -> None:
    caller, server = opened()
    caller.feed(bytes(800))
    assert types(server.say("pause")) == [800, "paused"]
    assert caller.is_paused
    caller.feed(bytes(1600))
    (resumed,) = server.say("resume")
    assert isinstance(resumed, dict)
    assert resumed["parameters"] == {"start": "PT0.1S", "discarded": "PT0.2S"}
    caller.feed(bytes(160))
    assert types(server.answer()) == [160]
    caller.hang_up(1.0)
    server.answer()
    server.say("closed")
    assert caller.ending == Ending(unheard_s=0.2)


def test_enough_voice_ends_in_order() -> None:
    caller, server = opened()
    (close,) = server.say("disconnect", reason="completed")
    assert isinstance(close, dict)
    assert (close["type"], close["parameters"]) == ("close", {"reason": "disconnect"})
    caller.feed(bytes(160))
    assert server.answer() == []
    assert caller.ending is None
    server.say("closed")
    assert caller.ending == Ending(enough=True)


def test_enough_voice_is_enough_however_the_connection_ends() -> None:
    caller, server = opened()
    server.say("disconnect", reason="completed")
    caller.lost(None)
    assert caller.ending == Ending(enough=True)


def test_a_call_that_ends_says_so() -> None:
    caller, server = opened()
    caller.hang_up(3.0)
    assert types(server.answer()) == ["close"]
    server.say("closed", now=3.1)
    assert (caller.ending, caller.state) == (Ending(), State.OVER)


@pytest.mark.parametrize("reason", ["unauthorized", "error"])
def test_a_refusal_is_told(reason: str) -> None:
    caller, server = opened()
    server.say("disconnect", reason=reason, info="Client\x1b Error")
    server.say("closed")
    assert caller.ending == Ending(failure=f"the server disconnected the audio: {reason}, Client? Error")


def test_no_answer_to_open_or_close_is_waited_for_so_long() -> None:
    caller = AudioHookCaller(HOOK, 0.0)
    assert caller.deadline == 5.0
    caller.tick(5.0)
    assert (caller.state, caller.deadline) == (State.CLOSING, 15.0)
    caller.tick(15.0)
    assert caller.ending == Ending(failure="the server broke AudioHook: no answer to open within 5 s")


@pytest.mark.parametrize(
    "changed, code",
    [
        ({"type": "opened"}, 409),
        ({"type": "closed"}, 409),
        ({"type": "pong"}, 409),
        ({"type": "greeting"}, 400),
        ({"type": ["pong"]}, 400),
        ({"version": "1"}, 400),
        ({"id": HOOK.organization}, 400),
        ({"seq": 1}, 500),
        ({"seq": 3}, 500),
        ({"clientseq": 2}, 400),
        ({"clientseq": "1"}, 400),
        ({"parameters": None}, 400),
    ],
)
def test_a_mistake_of_the_servers_is_told_with_its_code(changed: dict[str, object], code: int) -> None:
    caller, server = opened()
    message = {"version": "2", "id": HOOK.session, "type": "updated", "seq": 2, "clientseq": 1, "parameters": {}} | changed
    caller.receive(json.dumps(message), 0.0)
    error, close = server.answer()
    assert isinstance(error, dict)
    assert (types([error, close]), error["parameters"]["code"]) == (["error", "close"], code)


@pytest.mark.parametrize("message, code", [(b"audio", 415), ("{", 400), ("[" * 100_000, 413), ("[]", 400), ('"é"' * 30_000, 413)])
def test_what_is_no_message_is_told_too(message: str | bytes, code: int) -> None:
    caller, server = opened()
    caller.receive(message, 0.0)
    error = server.answer()[0]
    assert isinstance(error, dict)
    assert error["parameters"]["code"] == code


@pytest.mark.parametrize("media", [[MONO, STEREO], [MONO | {"rate": 16000}], "PCMU"])
def test_media_that_were_not_offered_are_a_mistake(media: object) -> None:
    caller = AudioHookCaller(HOOK, 0.0)
    server = Server(caller)
    server.answer()
    assert types(server.say("opened", media=media)) == ["error", "close"]


@pytest.mark.parametrize("media", [[], [MONO | {"channels": ["internal"]}]])
def test_a_server_that_takes_no_audio_of_ours_is_left(media: list[dict[str, Any]]) -> None:
    caller = AudioHookCaller(HOOK, 0.0)
    server = Server(caller)
    server.answer()
    assert types(server.say("opened", media=media)) == ["close"]
    server.say("closed")
    assert caller.ending == Ending(failure="the server takes no audio of this call")


@pytest.mark.parametrize(
    "reason, told", [(None, "lost"), (CloseReason(1006, None), "lost"), (CloseReason(1008, "VS1 no\n"), "closed with 1008, VS1 no?")]
)
def test_a_lost_connection_is_told(reason: CloseReason | None, told: str) -> None:
    caller, _ = opened()
    caller.lost(reason)
    assert caller.ending is not None
    assert caller.ending.failure.endswith(told)


def test_the_signature_is_that_of_the_specification() -> None:
    """audiohook.md section 1, vector B."""
    url = "wss://voice.example.org/daspeak-stream/v1/audiohook"
    fields = HOOK.headers(url, "bXktZmlyc3Qta2V5", b"0123456789abcdef0123456789abcdef", 1700000000.7, "MDEyMzQ1Njc4OWFiY2RlZg")
    assert fields["Signature"] == "sig1=:iJebnm+bZlNKRpDcB8f3Q/dbZs+NLu0kHcEbTHTXa7w=:"
    assert fields["Signature-Input"].endswith(
        ';keyid="bXktZmlyc3Qta2V5";nonce="MDEyMzQ1Njc4OWFiY2RlZg";alg="hmac-sha256";created=1700000000;expires=1700000030'
    )


def test_a_port_and_a_query_are_signed_too() -> None:
    secret = b"secret"
    fields = HOOK.headers("ws://127.0.0.1:8080/hook?a=1", "key", secret, 1700000000.0)
    request = SignedRequest("/hook?a=1", {name.lower(): value for name, value in fields.items()} | {"host": "127.0.0.1:8080"}, secure=False)
    assert verify(request, secret, 1700000001.0, NonceCache()) is None
    assert verify(request, b"another", 1700000001.0, NonceCache()) is not None


def test_without_a_secret_nothing_is_signed() -> None:
    assert "Signature" not in HOOK.headers("ws://h/", "key", b"", 0.0)
