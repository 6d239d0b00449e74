"""Namespaces, tokens and sessions of one Socket.IO connection, beside a connection that is a list."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.server.test_call import FakeRunner, recognition, speak
from tests.server.test_switchboard import FakeLine
from tests.sessions.toy import CARD, template
from voicestream.errors import TEMPLATE_MAGIC, TOKEN_REFUSED, PeerError
from voicestream.protocols.daspeak import Spelling
from voicestream.protocols.daspeak_parameter import Offer
from voicestream.protocols.engineio_event import Ending
from voicestream.protocols.engineio_request import UNAUTHORIZED
from voicestream.protocols.socketio_attachment import Value
from voicestream.protocols.socketio_event import Connecting, Disconnected, Emitted, Ended, Event
from voicestream.server.engine_connection import Handshake
from voicestream.server.exchange import Exchange
from voicestream.server.signalling import Options, Signalling
from voicestream.server.switchboard import Stream, Switchboard
from voicestream.sessions.vocabulary import Call, Template
from voicestream.store.authority import Principal

REGISTER, VERIFY, ALIVE = "/socket.io/register", "/verify", "/alive"
METADATA = {
    "audio_protocol": "twilio", "audio_format": "raw", "audio_codec": "pcm", "sample_format": "s16le",
    "sample_rate": "8000", "channels": "1", "call_id": "c",
}  # fmt: skip
READY = {"event": "info-consumer-ready", "content": "Audio consumer for provided audio protocol is ready"}


class FakeAuthority:
    def token(self, token: str, at: float) -> Principal:
        if not token.startswith("good."):
            raise PeerError(TOKEN_REFUSED)
        return Principal("client", token[5:], frozenset(), None)


class FakeLogin:
    authority = FakeAuthority()

    def clock(self) -> float:
        return 0.0


class FakeConnection:
    """What the client does is put into it; what is said to the client can be read."""

    address = "192.0.2.1"

    def __init__(self, fields: Mapping[str, str], query: Mapping[str, str]) -> None:
        self.fields, self.query = fields, query
        self.said: list[tuple[Value, ...]] = []
        self.said_at: list[float] = []
        self.joined: set[str] = set()
        self._send, self._receive = trio.open_memory_channel[Event](100)

    async def listen(self) -> Sequence[Event]:
        return [await self._receive.receive()]

    async def happens(self, *events: Event) -> None:
        for event in events:
            self._send.send_nowait(event)
        await wait_all_tasks_blocked()

    def accept(self, namespace: str) -> bool:
        self.joined.add(namespace)
        return True

    def refuse(self, namespace: str, message: str, data: Value = None) -> None:
        self._say(namespace, "refused", message)

    def acknowledge(self, namespace: str, id: int, *arguments: Value) -> bool:
        self._say(namespace, "ack", id, *arguments)
        return True

    def leave(self, namespace: str) -> None:
        self.joined.discard(namespace)
        self._say(namespace, "left")

    def emit(self, namespace: str, name: str, *arguments: Value, droppable: bool = False) -> None:
        if namespace in self.joined:
            assert droppable == (name == "info-vad-status")
            self._say(namespace, name, *arguments)

    def _say(self, *what: Value) -> None:
        self.said.append(what)
        self.said_at.append(trio.current_time())


def opened(text: str) -> Template:
    if not text.startswith("angle "):
        raise PeerError(TEMPLATE_MAGIC)
    return template(float(text[6:]))


@dataclass
class House:
    connection: FakeConnection
    switchboard: Switchboard
    tasks: trio.Nursery = field(repr=False)

    def stream(self, tenant: str = "acme", seconds: float = 3.0) -> Stream:
        stream = self.switchboard.answer(tenant, Call("c", 8000, "pcm16"), FakeLine())
        speak(stream, seconds)
        return stream

    def names(self) -> list[Value]:
        return [what[1] for what in self.connection.said if what[1] != "info-vad-status"]


@asynccontextmanager
async def house(
    token: str | None = "Bearer good.acme", query: Mapping[str, str] | None = None, options: Options | None = None
) -> AsyncIterator[House]:
    switchboard = Switchboard()
    signalling = Signalling(
        Exchange(switchboard, recognition(FakeRunner())),
        FakeLogin(),  # type: ignore[arg-type]
        lambda tenant: Offer({CARD.hash: 0.9}, opened, audio_s=2.0),
        options or Options(),
    )
    connection = FakeConnection({} if token is None else {"authorization": token}, query or {})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(signalling, connection)
        yield House(connection, switchboard, nursery)
        await connection.happens(Ended(Ending.CLIENT))
    assert switchboard.empty


def initialize(namespace: str = REGISTER, id: int | None = None, request: Value = None, **metadata: Value) -> Emitted:
    kind = "register_request" if "register" in namespace else "verify_request"
    return Emitted(namespace, "initialize", [{"metadata": METADATA | metadata, kind: request or {}}], id)


async def test_a_registration(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.connection.happens(Connecting(REGISTER, {}), initialize())
        at.stream()
        await trio.sleep(20)
        assert at.connection.said[0] == (REGISTER, "info-consumer-ready", READY, None)
        assert at.names() == ["info-consumer-ready", "result-success", "left"]
        _, _, payload, voice = at.connection.said[-2]
        assert isinstance(payload, dict)
        assert isinstance(voice, bytes)
        assert (payload["credential"], voice[:4]) == ("for acme", b"RIFF")
        assert at.connection.said_at[-1] - at.connection.said_at[-2] == 5.0


async def test_a_verification(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.connection.happens(Connecting(VERIFY, {}), initialize(VERIFY, request={"credential": "angle 0.8"}))
        at.stream()
        await trio.sleep(4)
        payload = at.connection.said[-1][2]
        assert isinstance(payload, dict)
        assert (payload["event"], payload["similarity"], payload["content"]) == ("result-success", 1.0, "Verification: approved")


@pytest.mark.parametrize("header", ["Bearer bad", "Basic good.acme", "good.acme", "", None])
async def test_no_good_token(header: str | None, autojump_clock: MockClock) -> None:
    async with house(header) as at:
        await at.connection.happens(Connecting(REGISTER, {}))
        assert at.connection.said == [(REGISTER, "refused", "invalid token")]


@pytest.mark.parametrize("token", ["good.acme", "Bearer good.acme", "bearer good.acme"])
async def test_the_token_of_a_browser(token: str, autojump_clock: MockClock) -> None:
    async with house(None) as at:
        await at.connection.happens(Connecting(REGISTER, {"token": token}))
        assert at.connection.joined == {REGISTER}


async def test_a_bad_header_is_not_mended_by_a_good_payload(autojump_clock: MockClock) -> None:
    async with house("Bearer bad") as at:
        await at.connection.happens(Connecting(REGISTER, {"token": "good.acme"}))
        assert at.connection.joined == set()


async def test_the_token_may_be_wanted_in_the_handshake() -> None:
    exchange = Exchange(Switchboard(), recognition(FakeRunner()))
    strict = Signalling(exchange, FakeLogin(), lambda tenant: Offer({}, opened), Options(token_in_handshake=True))  # type: ignore[arg-type]
    assert strict.admit(Handshake({}, {}, "")) is UNAUTHORIZED
    assert strict.admit(Handshake({"authorization": "Bearer good.acme"}, {}, "")) is None


async def test_alive_is_said_goodbye_to(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.connection.happens(Connecting(ALIVE, {}), Emitted(ALIVE, "alive", [{"any": 1}], None))
        assert at.connection.said == [(ALIVE, "left")]


async def test_an_ack_is_given_at_once(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.connection.happens(Connecting(REGISTER, {}), initialize(id=7))
        assert at.connection.said[0] == (REGISTER, "ack", 7, {})


@pytest.mark.parametrize("arguments", [[], [5], [{}], ["x"], [{"metadata": []}]])
async def test_an_initialize_that_is_none(arguments: list[Value], autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.connection.happens(Connecting(REGISTER, {}), Emitted(REGISTER, "initialize", arguments, None))
        assert at.names() == ["error-parameters"]
        await trio.sleep(6)
        assert at.names() == ["error-parameters", "left"]


async def test_the_field_to_blame_is_named(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.connection.happens(Connecting(VERIFY, {}), initialize(VERIFY, request={"credential": "nonsense"}))
        payload = at.connection.said[0][2]
        assert isinstance(payload, dict)
        assert (payload["field"], payload["content"]) == ("verify_request.credential", "A required parameter is missing or invalid")


async def test_another_initialize_before_the_result(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.connection.happens(Connecting(REGISTER, {}), initialize(), initialize())
        assert at.names() == ["info-consumer-ready", "error-parameters"]
        at.stream()
        await trio.sleep(4)
        assert at.names()[2:] == ["result-success"]


async def test_another_initialize_after_the_result(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.connection.happens(Connecting(REGISTER, {}), initialize())
        at.stream()
        await trio.sleep(6)
        await at.connection.happens(initialize())
        await trio.sleep(6)
        assert at.names() == ["info-consumer-ready", "result-success", "info-consumer-ready"]


async def test_both_namespaces_of_one_connection_at_once(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.connection.happens(Connecting(REGISTER, {}), Connecting(VERIFY, {}))
        await at.connection.happens(initialize(), initialize(VERIFY, request={"credential": "angle 0.8"}, call_id="other"))
        assert at.names() == ["info-consumer-ready", "info-consumer-ready"]


async def test_a_call_of_another_tenant(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.connection.happens(Connecting(REGISTER, {}), initialize())
        stream = at.stream("other tenant")
        await trio.sleep(31)
        assert at.names() == ["info-consumer-ready", "error-consumer-not-ready"]
        stream.hang_up()


async def test_a_client_who_leaves_the_namespace_ends_its_session(autojump_clock: MockClock) -> None:
    async with house() as at:
        await at.connection.happens(Connecting(REGISTER, {}), initialize(), Disconnected(REGISTER, (), None))
        assert at.switchboard.empty


@pytest.mark.parametrize(
    "query, arguments",
    [
        ({}, (READY, None)),
        ({"collected_audio": "never"}, (READY,)),
        ({"payload": "text"}, ('{"event": "info-consumer-ready", "content": "Audio consumer for provided audio protocol is ready"}', None)),
    ],
)
async def test_the_handshake_chooses_the_spelling(query: dict[str, str], arguments: tuple[Value, ...], autojump_clock: MockClock) -> None:
    async with house(query=query) as at:
        await at.connection.happens(Connecting(REGISTER, {}), initialize())
        assert at.connection.said[0][2:] == arguments


async def test_the_operator_chooses_it_too(autojump_clock: MockClock) -> None:
    async with house(options=Options(Spelling("never"), leave_s=1.0)) as at:
        await at.connection.happens(Connecting(REGISTER, {}), initialize())
        assert at.connection.said[0][2:] == (READY,)
