"""Signalling and a call together, against servers that behave and servers that do not."""

import base64
import json
from functools import partial

import pytest
import trio
from trio.testing import MockClock
from trio_websocket import WebSocketConnection

from tests.cli.daspeak_server import NAMESPACE, READY, Script, Server, event, status
from voicestream import errors
from voicestream.cli import telephone_call
from voicestream.cli.audiohook_caller import AudioHookCaller
from voicestream.cli.audiohook_handshake import Hook
from voicestream.cli.daspeak_request import Request, Told, read_event
from voicestream.cli.daspeak_session import ask
from voicestream.cli.http import endpoint_url
from voicestream.cli.telephone_audio import recorded
from voicestream.cli.telephone_call import Line, call
from voicestream.cli.twilio_caller import TwilioCaller
from voicestream.errors import PeerError

MULAW = bytes(range(160)) * 10  # 200 ms
APPROVED = {"authenticity": 0.97, "voice_audio_collected": 5.12, "content": "Registration: approved", "credential": "dm9p"}


class Client:
    """A registration, and what it saw on its way."""

    def __init__(self, hang_up_after: int | None = None) -> None:
        self.told: list[Told] = []
        self.said: list[bytes] = []
        self.result: Told | None = None
        self.error: PeerError | None = None
        self._hang_up_after = hang_up_after

    async def register(self, server: Server, via: str = "twilio", mulaw: bytes = MULAW) -> None:
        hook = Hook("C1")
        make = {"twilio": lambda _now: TwilioCaller("C1", "MZ0"), "audiohook": lambda now: AudioHookCaller(hook, now)}
        hang_up = trio.Event()

        def said(piece: bytes, _heard: bool) -> None:
            self.said.append(piece)
            if len(self.said) == self._hang_up_after:
                hang_up.set()

        async with trio.open_nursery() as nursery:
            await nursery.start(server.run)
            line = Line(endpoint_url(server.url, "/audio", "ws"), lambda: {"apikey": "k1"}, make[via])
            request = Request("register", via, "C1", 5.0)  # type: ignore[arg-type]
            speak = partial(call, line, recorded(mulaw, 0.0), hang_up, said)
            try:
                self.result = await ask(server.url, "Bearer t", request, speak, self.told.append)
            except PeerError as error:
                self.error = error
            nursery.cancel_scope.cancel()

    @property
    def failure(self) -> str:
        assert self.error is not None
        assert self.error.fault is errors.UNEXPECTED_ANSWER
        return self.error.detail


def signalling(*messages: str | bytes, after: trio.Event | None = None) -> Script:
    """The consumer is ready; then the messages, once `after` has happened."""

    async def run(websocket: WebSocketConnection) -> None:
        await websocket.send_message(event(*READY, None))
        if after is not None:
            await after.wait()
        for message in messages:
            await websocket.send_message(message)

    return run


class Consumer:
    """Twilio's audio consumer: takes messages until there is `enough` audio or the call ends, then closes."""

    def __init__(self, enough: int, code: int = 1000) -> None:
        self.messages: list[dict[str, object]] = []
        self.mulaw = b""
        self.done = trio.Event()
        self._enough = enough
        self._code = code

    async def run(self, websocket: WebSocketConnection) -> None:
        while len(self.mulaw) < self._enough and (not self.messages or self.messages[-1]["event"] != "stop"):
            message = json.loads(await websocket.get_message())
            self.messages.append(message)
            if message["event"] == "media":
                self.mulaw += base64.b64decode(message["media"]["payload"])
        await websocket.aclose(self._code, "why")
        self.done.set()


async def test_a_registration_is_asked_for_spoken_and_approved() -> None:
    consumer = Consumer(enough=1600)
    text = f'451-{NAMESPACE},["result-success",{json.dumps(APPROVED)},{{"_placeholder":true,"num":0}}]'
    server = Server(signalling(status(0.0, 0), status(5.12, 102), text, b"RIFF", after=consumer.done), consumer.run)
    client = Client()
    await client.register(server)
    assert client.result is not None
    assert (client.result.event, client.result.text("credential"), client.result.audio) == ("result-success", "dm9p", b"RIFF")
    assert [told.event for told in client.told] == ["info-consumer-ready", "info-vad-status", "info-vad-status", "result-success"]
    assert consumer.mulaw == MULAW == b"".join(client.said)
    assert server.headers["signalling"]["authorization"] == "Bearer t"
    assert server.headers["audio"]["apikey"] == "k1"
    assert server.initialize["register_request"] == {"audio_total_duration": 5.0}
    assert server.goodbye == f"41{NAMESPACE},"


async def test_the_stream_is_a_whole_twilio_stream() -> None:
    consumer = Consumer(enough=99_999)
    client = Client()
    await client.register(Server(signalling(event("result-success", APPROVED), after=consumer.done), consumer.run))
    kinds = [message["event"] for message in consumer.messages]
    assert kinds == ["connected", "start", *["media"] * 10, "stop"]
    start, media, stop = consumer.messages[1], consumer.messages[3], consumer.messages[-1]
    assert start["start"]["callSid"] == "C1"  # type: ignore[index]
    assert {name: media["media"][name] for name in ("track", "chunk", "timestamp")} == {"track": "inbound", "chunk": "2", "timestamp": "20"}  # type: ignore[index]
    assert [message.get("sequenceNumber") for message in consumer.messages] == [None, *map(str, range(1, 13))]
    assert stop["streamSid"] == "MZ0"


async def test_the_call_waits_for_the_consumer() -> None:
    consumer = Consumer(enough=160)

    async def never_ready(websocket: WebSocketConnection) -> None:
        await websocket.send_message(
            event("error-consumer-not-ready", {"content": "No audio consumer is available for the audio protocol"})
        )

    client = Client()
    await client.register(Server(never_ready, consumer.run))
    assert client.failure == "error-consumer-not-ready, No audio consumer is available for the audio protocol"
    assert consumer.messages == []


async def test_an_error_names_the_field() -> None:
    fields = {"content": "A required parameter is missing or invalid", "field": "credential"}
    client = Client()
    await client.register(Server(signalling(event("error-parameters", fields)), Consumer(1600).run))
    assert client.failure == "error-parameters, A required parameter is missing or invalid (credential)"


async def test_a_refused_stream_is_the_reason() -> None:
    client = Client()
    await client.register(Server(signalling()))
    assert client.failure == "the audio connection was refused with HTTP 401"


async def test_signalling_knows_better_than_the_stream() -> None:
    consumer = Consumer(enough=160, code=1008)
    told = event("error-audio", {"content": "The audio could not be decoded"})
    client = Client()
    await client.register(Server(signalling(told, after=consumer.done), consumer.run))
    assert client.failure == "error-audio, The audio could not be decoded"


async def test_a_stream_that_is_closed_with_a_reason_tells_it() -> None:
    client = Client()
    await client.register(Server(signalling(), Consumer(enough=160, code=1008).run))
    assert client.failure == "the audio connection was closed with 1008, why"


async def test_hanging_up_ends_the_stream_and_waits_for_the_result() -> None:
    consumer = Consumer(enough=99_999)
    rejected = event("result-fail-spoof", {"authenticity": 0.1, "voice_audio_collected": 5.12, "content": "Registration: rejected"})
    client = Client(hang_up_after=3)
    await client.register(Server(signalling(rejected, after=consumer.done), consumer.run))
    assert [message["event"] for message in consumer.messages][-2:] == ["media", "stop"]
    assert len(client.said) == 3
    assert client.result is not None
    assert client.result.event == "result-fail-spoof"


async def test_a_server_that_leaves_without_a_result() -> None:
    client = Client()
    await client.register(Server(signalling(f"41{NAMESPACE},"), Consumer(1600).run))
    assert client.failure == "the server ended the session without a result"


async def test_a_lost_connection_is_told() -> None:
    async def vanish(websocket: WebSocketConnection) -> None:
        await websocket.aclose(1011)

    client = Client()
    await client.register(Server(vanish, Consumer(1600).run))
    assert client.failure == "the signalling connection was lost"


async def audiohook(websocket: WebSocketConnection) -> None:
    """Opens, pauses, goes on, and has enough."""
    opening = json.loads(await websocket.get_message())
    session, seq = opening["id"], 0

    async def say(type: str, client_seq: int, **parameters: object) -> None:
        nonlocal seq
        seq += 1
        message = {"version": "2", "id": session, "type": type, "seq": seq, "clientseq": client_seq, "parameters": parameters}
        await websocket.send_message(json.dumps(message))

    async def message(type: str) -> dict[str, object]:
        while True:
            said = await websocket.get_message()
            if isinstance(said, str):
                assert json.loads(said)["type"] == type
                return json.loads(said)

    await say("opened", 1, media=opening["parameters"]["media"][1:2], startPaused=False)
    assert await websocket.get_message() == MULAW[:160]
    await say("pause", 1)
    await message("paused")
    await say("resume", 2)
    await message("resumed")
    await say("disconnect", 3, reason="completed")
    assert (await message("close"))["parameters"] == {"reason": "disconnect"}
    await say("closed", 4)


async def test_an_audiohook_call_is_paused_resumed_and_ended_by_the_server() -> None:
    client = Client()
    done = trio.Event()

    async def audio(websocket: WebSocketConnection) -> None:
        await audiohook(websocket)
        done.set()

    await client.register(Server(signalling(event("result-success", APPROVED), after=done), audio), "audiohook", MULAW * 2000)
    assert client.result is not None
    assert client.result.event == "result-success"


class Silence:
    """A WebSocket whose server says nothing and closes nothing."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def send_message(self, message: str) -> None:
        self.heard.append(message)

    async def get_message(self) -> str:
        await trio.sleep_forever()
        raise AssertionError


async def test_a_server_has_six_seconds_for_its_last_word(autojump_clock: MockClock) -> None:
    caller, server, start = TwilioCaller("C1"), Silence(), trio.current_time()
    await telephone_call._converse(server, caller, recorded(bytes(320), 1.0), trio.Event(), lambda *_: None)  # type: ignore[arg-type]
    assert trio.current_time() - start == pytest.approx(0.02 + 6.0)
    assert [json.loads(message)["event"] for message in server.heard] == ["connected", "start", "media", "media", "stop"]


async def test_a_file_takes_the_time_of_its_speech(autojump_clock: MockClock) -> None:
    start = trio.current_time()
    times = [trio.current_time() - start async for _ in recorded(bytes(640), 2.0)]
    assert times == pytest.approx([0.0, 0.01, 0.02, 0.03])


@pytest.mark.parametrize("arguments", [[], [None], [[1]], ["{"], ["[]"], [7]])
def test_an_event_without_fields_is_an_error(arguments: list[object]) -> None:
    with pytest.raises(PeerError):
        read_event("info", arguments)  # type: ignore[arg-type]


def test_fields_may_come_as_text() -> None:
    assert read_event("info", ['{"event": "info"}']).fields == {"event": "info"}


def test_a_verification_sends_what_was_given_and_no_more() -> None:
    request = Request("verify", "audiohook", "C1", 3.0, credential="dm9p", similarity_threshold=0.6)
    assert request.initialize()["verify_request"] == {"credential": "dm9p", "similarity_threshold": 0.6, "audio_total_duration": 3.0}
    assert request.namespaces == ("/socket.io/verify", "/verify")
