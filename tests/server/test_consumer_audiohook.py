"""AudioHook sessions at the door: signatures checked by the server itself, one answer to all that is wrong, and what follows."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed, WebSocketConnection

from tests.protocols import hook
from tests.protocols.test_http_signature import (
    BARE,
    GOOD,
    KEY,
    NAMES,
    PUBLISHED,
    PUBLISHED_PARAMETERS,
    PUBLISHED_SECRET,
    SECRET,
    TAMPERED,
    having,
    spelled,
)
from tests.server.consumer import AUDIOHOOK_PATH, Ear, House, consumers
from tests.transport.live import open_stream
from tests.transport.wire import TEXT, masked, opening, split
from voicestream.protocols.http_signature import SignedRequest
from voicestream.store.api_key import keys, revoke_key

REFUSED = b'{"message": "Invalid authentication credentials"}'
IDS = tuple((name, value) for name, value in BARE.fields.items() if name.startswith("audiohook-"))
UNSENDABLE = ("line break in a field", "not text at all")  # HTTP cannot carry them


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with consumers(tmp_path) as house:
        house.key("acme", SECRET, KEY)
        yield house


async def ask(house: House, request: SignedRequest) -> tuple[bytes, float]:
    return await house.answer(request.target, request.fields)


# ---- signatures


async def test_the_published_vector_opens_a_connection(tmp_path: Path, autojump_clock: MockClock) -> None:
    with consumers(tmp_path, extra={PUBLISHED.target: AUDIOHOOK_PATH}, public_url="https://audiohook.example.com") as house:
        house.key("acme", PUBLISHED_SECRET, str(PUBLISHED_PARAMETERS["keyid"]))
        house.at = 1641013200.0
        signature = "sig1=:NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=:"
        request = having(PUBLISHED, signature_input="sig1=" + spelled(NAMES, **PUBLISHED_PARAMETERS), signature=signature)
        told, waited_s = await ask(house, request)
        assert (told[:13], waited_s) == (b"HTTP/1.1 101 ", 0)


@pytest.mark.parametrize("name", sorted(TAMPERED.keys() - set(UNSENDABLE)))
async def test_a_tampered_request_gets_the_one_answer_and_the_good_one_still_gets_in(
    house: House, autojump_clock: MockClock, name: str
) -> None:
    nothing = await ask(house, SignedRequest(AUDIOHOOK_PATH, {"host": "voice.example.org"}))
    told, waited_s = await ask(house, TAMPERED[name][0])
    assert (told, waited_s) == nothing
    assert (told[:13], told.endswith(REFUSED), waited_s) == (b"HTTP/1.1 401 ", True, pytest.approx(0.5))
    assert sum(house.figures.refused.values()) == 2
    told, waited_s = await ask(house, GOOD)
    assert (told[:13], waited_s) == (b"HTTP/1.1 101 ", 0)


@pytest.mark.parametrize("key, reason", [(None, "no key"), ("b3RoZXI=", "key"), (KEY, "unsigned")])
async def test_the_reason_is_counted_for_the_operator(house: House, autojump_clock: MockClock, key: str | None, reason: str) -> None:
    await ask(house, having(BARE, x_api_key=key))
    assert house.figures.refused == {("audiohook", reason): 1}


async def test_a_replay_gets_the_one_answer(house: House, autojump_clock: MockClock) -> None:
    assert [(await ask(house, GOOD))[0][:13] for _ in range(3)] == [b"HTTP/1.1 101 ", b"HTTP/1.1 401 ", b"HTTP/1.1 401 "]
    assert house.figures.refused == {("audiohook", "replay"): 2}


@pytest.mark.parametrize("age_s, status", [(-4, 401), (-3, 101), (13, 101), (14, 401)])
async def test_a_signature_is_young(house: House, autojump_clock: MockClock, age_s: float, status: int) -> None:
    house.at += age_s
    assert (await ask(house, GOOD))[0].startswith(b"HTTP/1.1 %d " % status)


async def test_refusals_wait_beside_each_other(house: House, autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(ask, house, BARE)
    assert trio.current_time() == pytest.approx(0.5)


@pytest.mark.parametrize("header", ["x-api-key", "apikey"])
async def test_a_key_without_a_secret_is_used_unsigned(house: House, autojump_clock: MockClock, header: str) -> None:
    request = having(having(BARE, x_api_key=None), **{header.replace("-", "_"): house.key("other")})
    assert (await ask(house, request))[0].startswith(b"HTTP/1.1 101 ")


async def test_a_key_with_a_secret_is_not(house: House, autojump_clock: MockClock) -> None:
    assert (await ask(house, BARE))[0].startswith(b"HTTP/1.1 401 ")
    assert house.figures.refused == {("audiohook", "unsigned"): 1}


async def test_a_key_whose_secret_does_not_open_is_refused_and_not_used_unsigned(tmp_path: Path, autojump_clock: MockClock) -> None:
    with consumers(tmp_path) as house:
        house.key("acme", SECRET, KEY)
        with house.database.write() as connection:
            connection.execute("UPDATE hook_secrets SET sealed = zeroblob(60)")
        house.authority.refresh()
        for request in (BARE, GOOD):
            assert (await ask(house, request))[0].startswith(b"HTTP/1.1 401 ")
        assert house.figures.refused == {("audiohook", "sealed"): 2}


async def test_a_revoked_key_is_refused(house: House, autojump_clock: MockClock) -> None:
    revoke_key(house.database, keys(house.database)[0].key_id, house.at)
    house.authority.refresh()
    for request in (BARE, GOOD):
        assert (await ask(house, request))[0].startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("name", [name for name, _ in IDS])
@pytest.mark.parametrize("value", [None, "", "1", "aaaaaaaa-bbbb-9ccc-8ddd-eeeeeeeeeeee"])
async def test_ids_are_wanted_of_those_who_may_come_in(house: House, autojump_clock: MockClock, name: str, value: str | None) -> None:
    request = having(BARE, x_api_key=house.key("other"), **{name.replace("-", "_"): value})
    assert (await ask(house, request))[0].startswith(b"HTTP/1.1 400 ")
    assert [refusal.fault.code for refusal in house.book.refusals] == ["VS1741"]


# ---- the dialogue


class Guest:
    """One AudioHook client over a WebSocket, which counts as it must."""

    def __init__(self, websocket: WebSocketConnection) -> None:
        self._websocket = websocket
        self._seq = self._serverseq = 0

    async def say(self, kind: str, parameters: object = None) -> None:
        self._seq += 1
        await self._websocket.send_message(hook.text(kind, parameters or {}, self._seq, self._serverseq))

    async def speak(self, frames: bytes) -> None:
        await self._websocket.send_message(frames)

    async def hear(self) -> tuple[str, Any]:
        message = json.loads(await self._websocket.get_message())
        self._serverseq += 1
        assert message["seq"] == self._serverseq
        return message["type"], message["parameters"]

    async def open(self, **changed: object) -> tuple[str, Any]:
        await self.say("open", hook.opening(**changed))
        return await self.hear()

    async def ping(self) -> None:
        await self.say("ping")
        assert await self.hear() == ("pong", {})

    async def leave(self) -> None:
        await self.say("close", {"reason": "end"})
        assert await self.hear() == ("closed", {})


@asynccontextmanager
async def guest(house: House, key: str) -> AsyncIterator[Guest]:
    async with house.visit(AUDIOHOOK_PATH, ("x-api-key", key), *IDS) as websocket:
        yield Guest(websocket)


async def test_a_session_from_open_to_closed(house: House, autojump_clock: MockClock) -> None:
    ear = Ear(hook.CONVERSATION, wanted=16_000)
    house.switchboard.ask("acme", ear)
    async with guest(house, house.key("acme")) as client:
        assert (await client.open())[0] == "opened"
        await client.ping()
        for _ in range(10):
            await client.speak(b"\xff" * 1600)
        assert await client.hear() == ("disconnect", {"reason": "completed"})
        await client.speak(b"\xff" * 1600)  # under way already
        await client.leave()
    assert len(ear.heard) == 16_000
    assert ear.calls[0].account == hook.ORGANIZATION
    assert b"voicestream_audiohook_opened_seconds_count 1.0" in page(house)
    house.switchboard.release("acme", ear)


async def test_a_stream_that_nobody_asks_for_pauses_and_goes_on_when_somebody_does(house: House, autojump_clock: MockClock) -> None:
    async with guest(house, house.key("acme")) as client:
        await client.open()
        await client.ping()
        await client.speak(b"\0" * 1600)
        assert await client.hear() == ("pause", {})
        await client.say("paused")
        await trio.sleep(20)
        ear = Ear(hook.CONVERSATION, wanted=1600)
        house.switchboard.ask("acme", ear)
        assert await client.hear() == ("resume", {})
        await client.say("resumed", {"start": "PT5S", "discarded": "PT20S"})
        await client.speak(b"\xff" * 1600)
        assert await client.hear() == ("disconnect", {"reason": "completed"})
        await client.leave()
    assert bytes(ear.heard) == b"\xff" * 1600  # what came before the pause is forgotten
    house.switchboard.release("acme", ear)


async def test_the_same_stream_serves_a_later_session(tmp_path: Path, autojump_clock: MockClock) -> None:
    with consumers(tmp_path, audiohook_after_result="pause") as house:
        first, second = Ear(hook.CONVERSATION, wanted=1600), Ear(hook.CONVERSATION, wanted=1600)
        house.switchboard.ask("acme", first)
        async with guest(house, house.key("acme")) as client:
            await client.open()
            await client.ping()
            await client.speak(b"\xff" * 1600)
            assert await client.hear() == ("pause", {})
            await client.say("paused")
            house.switchboard.release("acme", first)
            house.switchboard.ask("acme", second)
            assert await client.hear() == ("resume", {})
            await client.say("resumed", {"start": "PT1S", "discarded": "PT1S"})
            await client.speak(b"\x7f" * 1600)
            assert await client.hear() == ("pause", {})
            await client.leave()
        assert bytes(second.heard) == b"\x7f" * 1600
        house.switchboard.release("acme", second)


async def test_a_second_session_of_a_call_is_refused_and_the_first_goes_on(house: House, autojump_clock: MockClock) -> None:
    key, ear = house.key("acme"), Ear(hook.CONVERSATION, wanted=1600)
    house.switchboard.ask("acme", ear)
    async with guest(house, key) as first, guest(house, key) as second:
        await first.open()
        await second.open()
        await second.ping()
        assert await second.hear() == ("disconnect", {"reason": "unauthorized"})
        await second.leave()
        await first.ping()
        await first.speak(b"\xff" * 1600)
        assert await first.hear() == ("disconnect", {"reason": "completed"})
        await first.leave()
    house.switchboard.release("acme", ear)


async def test_another_tenants_call_is_a_call_that_nobody_asks_for(house: House, autojump_clock: MockClock) -> None:
    ear = Ear(hook.CONVERSATION)
    house.switchboard.ask("acme", ear)
    async with guest(house, house.key("evil")) as client:
        await client.open()
        await client.ping()
        await client.speak(b"\xff" * 1600)
        assert await client.hear() == ("pause", {})
        await client.leave()
    assert (ear.calls, bytes(ear.heard), ear.lost) == ([], b"", [])
    house.switchboard.release("acme", ear)


async def test_a_probe_is_answered_and_no_call(house: House, autojump_clock: MockClock) -> None:
    participant = {"id": hook.NIL, "ani": "", "aniName": "", "dnis": ""}
    async with guest(house, house.key("acme")) as client:
        assert await client.open(conversationId=hook.NIL, participant=participant) == ("opened", {"media": [], "startPaused": False})
        await client.ping()
        assert house.switchboard.empty
        await client.leave()


async def test_a_session_of_the_agents_voice_alone_is_counted(house: House, autojump_clock: MockClock) -> None:
    async with guest(house, house.key("acme")) as client:
        await client.open(media=[hook.media("internal")])
        await client.leave()
    assert house.figures.internal == 1


async def test_a_large_message_is_told_in_the_dialogue_and_a_larger_one_ends_the_connection(
    house: House, autojump_clock: MockClock
) -> None:
    async with guest(house, house.key("acme")) as client:
        await client.open()
        await client._websocket.send_message(" " * 65_536)
        assert await client.hear() == ("disconnect", {"reason": "error", "info": "Client Error: Text message too large"})
    async with guest(house, house.key("acme")) as client:
        await client.speak(b"\xff" * 65_537)
        with pytest.raises(ConnectionClosed) as caught:
            await client.hear()
        assert caught.value.reason is not None
        assert caught.value.reason.code == 1009


async def test_no_pings_of_the_websocket_are_sent(house: House, autojump_clock: MockClock) -> None:
    ear = Ear(hook.CONVERSATION)
    house.switchboard.ask("acme", ear)
    async with open_stream(house.listener) as stream:
        await stream.send_all(opening(AUDIOHOOK_PATH, f"x-api-key: {house.key('acme')}", *(f"{name}: {value}" for name, value in IDS)))
        await stream.receive_some()
        await stream.send_all(masked(TEXT, hook.text("open", hook.opening(), 1).encode()))
        for seq in range(2, 12):
            await trio.sleep(25)
            await stream.send_all(masked(TEXT, hook.text("ping", {}, seq).encode()))
        await wait_all_tasks_blocked()
        assert {opcode for opcode, _ in split(bytes(await stream.receive_some(1 << 20)))} == {TEXT}
    house.switchboard.release("acme", ear)


# ---- refused in the dialogue


async def test_a_refusal_may_be_told_in_answer_to_open(tmp_path: Path, autojump_clock: MockClock) -> None:
    with consumers(tmp_path, audiohook_refusal="open") as house:
        ear = Ear(hook.CONVERSATION)
        house.switchboard.ask("acme", ear)
        async with guest(house, "wrong") as client:
            assert trio.current_time() == pytest.approx(0.5)
            assert await client.open() == ("disconnect", {"reason": "unauthorized"})
            await client.speak(b"\xff" * 1600)
            await client.leave()
        assert ear.calls == []
        house.switchboard.release("acme", ear)


async def test_and_before_the_upgrade_where_there_can_be_no_dialogue(tmp_path: Path, autojump_clock: MockClock) -> None:
    with consumers(tmp_path, audiohook_refusal="open") as house:
        told, waited_s = await ask(house, having(BARE, audiohook_session_id="x"))
        assert (told[:13], waited_s) == (b"HTTP/1.1 401 ", pytest.approx(0.5))


def page(house: House) -> bytes:
    from voicestream.server.metrics import Metrics

    metrics = Metrics("1", {})
    metrics.include(house.figures)
    return metrics.page()[0]
