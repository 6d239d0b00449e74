"""Twilio streams at the door and behind it: whose they are, what becomes of the call, how they end."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed, WebSocketConnection

from tests.protocols.test_twilio_signature import HTTPS, PORT, SIGNATURES, SLASH, TOKEN, URL
from tests.server.consumer import TWILIO_PATH, Ear, House, consumers
from tests.transport.live import HOST
from voicestream.errors import CALL_REFUSED, CALL_UNKNOWN
from voicestream.store.twilio_account import accounts, revoke_account

CALL = "4fd9e9af-0000-4000-8000-000000000001"
REFUSED = b'{"message": "Invalid authentication credentials"}'
SECOND = b"\xff" * 8000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with consumers(tmp_path, public_url=f"https://{HOST}") as house:
        yield house


def start(call_id: str = CALL, **parameters: str) -> str:
    return json.dumps({"event": "start", "start": {"callSid": call_id, "customParameters": parameters}})


def media(payload: bytes) -> str:
    return json.dumps({"event": "media", "media": {"payload": base64.b64encode(payload).decode()}})


async def push(client: WebSocketConnection, pieces: list[bytes]) -> None:
    for piece in pieces:
        await client.send_message(media(piece))


async def ending(websocket: WebSocketConnection) -> int:
    with pytest.raises(ConnectionClosed) as caught:
        await websocket.get_message()
    assert caught.value.reason is not None
    return int(caught.value.reason.code)


# ---- the door


@pytest.mark.parametrize("header", ["apikey", "x-api-key", "ApiKey"])
async def test_a_key_in_a_header_decides_the_tenant(house: House, autojump_clock: MockClock, header: str) -> None:
    key, ear = house.key("acme"), Ear(CALL, wanted=8000)
    house.switchboard.ask("acme", ear)
    async with house.visit(TWILIO_PATH, (header, key)) as client:
        await client.send_message(start())
        await client.send_message(media(SECOND))
        assert await ending(client) == 1000
    assert (bytes(ear.heard), ear.calls[0].call_id) == (SECOND, CALL)
    house.switchboard.release("acme", ear)


async def test_a_wrong_key_in_a_header_is_refused_before_the_upgrade_whatever_else_is_right(
    house: House, autojump_clock: MockClock
) -> None:
    house.twilio("acme", TOKEN)
    told, waited_s = await house.answer(TWILIO_PATH, {"Host": HOST, "apikey": "wrong", "X-Twilio-Signature": SIGNATURES[URL]})
    assert told.startswith(b"HTTP/1.1 401 ")
    assert told.endswith(REFUSED)
    assert waited_s == pytest.approx(0.5)
    assert house.figures.refused == {("twilio", "key"): 1}


async def test_twilios_signature_decides_the_tenant(house: House, autojump_clock: MockClock) -> None:
    house.twilio("other", TOKEN[::-1])
    house.twilio("acme", TOKEN)
    ear = Ear(CALL, wanted=1)
    house.switchboard.ask("acme", ear)
    async with house.visit(TWILIO_PATH, ("X-Twilio-Signature", SIGNATURES[URL])) as client:
        await client.send_message(start(apikey=house.key("other")))  # which does not count
        await client.send_message(media(SECOND))
        assert await ending(client) == 1000
    house.switchboard.release("acme", ear)


FORGED = {
    "https": {"x-twilio-signature": SIGNATURES[HTTPS]},
    "a slash": {"x-twilio-signature": SIGNATURES[SLASH]},
    "nothing": {"x-twilio-signature": ""},
    "twice": {"x-twilio-signature": f"{SIGNATURES[URL]}, {SIGNATURES[URL]}"},
    "no Latin": {"x-twilio-signature": "é"},
    "forwarded": {"x-twilio-signature": SIGNATURES[HTTPS], "x-forwarded-proto": "https", "x-forwarded-host": HOST},
    "another host, forged to be ours": {"x-twilio-signature": SIGNATURES[SLASH], "host": HOST, "x-forwarded-uri": TWILIO_PATH + "/"},
}


@pytest.mark.parametrize("forgery", FORGED)
async def test_a_forged_signature_is_refused(house: House, autojump_clock: MockClock, forgery: str) -> None:
    house.twilio("acme", TOKEN)
    told, waited_s = await house.answer(TWILIO_PATH, {"host": HOST} | FORGED[forgery])
    assert (told[:13], told.endswith(REFUSED), waited_s) == (b"HTTP/1.1 403 ", True, pytest.approx(0.5))


@pytest.mark.parametrize("url, path", [(URL, TWILIO_PATH), (PORT, TWILIO_PATH), (URL, TWILIO_PATH + "/"), (URL, TWILIO_PATH + "?a=b")])
async def test_the_configured_url_is_signed_whatever_the_request_says(house: House, autojump_clock: MockClock, url: str, path: str) -> None:
    house.twilio("acme", TOKEN)
    told, _ = await house.answer(path, {"Host": "10.0.0.7:8080", "X-Twilio-Signature": SIGNATURES[url]})
    assert told.startswith(b"HTTP/1.1 101 ")


async def test_the_origin_does_not_matter(house: House, autojump_clock: MockClock) -> None:
    told, _ = await house.answer(TWILIO_PATH, {"Host": HOST, "Origin": "https://elsewhere.example", "apikey": house.key()})
    assert told.startswith(b"HTTP/1.1 101 ")


async def test_without_a_public_url_a_signature_cannot_be_checked(tmp_path: Path, autojump_clock: MockClock) -> None:
    with consumers(tmp_path) as house:
        house.twilio("acme", TOKEN)
        told, _ = await house.answer(TWILIO_PATH, {"Host": HOST, "X-Twilio-Signature": SIGNATURES[URL]})
        assert (told[:13], house.book.refusals[0].fault.code) == (b"HTTP/1.1 403 ", "VS1742")


async def test_a_revoked_account_signs_nothing(house: House, autojump_clock: MockClock) -> None:
    house.twilio("other", TOKEN[::-1])
    house.twilio("acme", TOKEN)
    [acme] = [one for one in accounts(house.database) if one.tenant == "acme"]
    revoke_account(house.database, acme.account_id, house.at)
    house.authority.refresh()
    told, _ = await house.answer(TWILIO_PATH, {"Host": HOST, "X-Twilio-Signature": SIGNATURES[URL]})
    assert told.startswith(b"HTTP/1.1 403 ")


async def test_a_key_inside_the_stream_decides_the_tenant_where_nobody_has_an_account(house: House, autojump_clock: MockClock) -> None:
    key, ear = house.key("acme"), Ear(CALL, wanted=1)
    house.switchboard.ask("acme", ear)
    async with house.visit(TWILIO_PATH, ("X-Twilio-Signature", "of an account we do not know")) as client:
        await client.send_message(start(apikey=key))
        await client.send_message(media(SECOND))
        assert await ending(client) == 1000
    house.switchboard.release("acme", ear)


@pytest.mark.parametrize("parameters, reason", [({}, "no key"), ({"apikey": "wrong"}, "key")])
async def test_a_wrong_key_inside_the_stream_is_refused(
    house: House, autojump_clock: MockClock, parameters: dict[str, str], reason: str
) -> None:
    async with house.visit(TWILIO_PATH) as client:
        await client.send_message(start(**parameters))
        assert await ending(client) == 1008
    assert house.figures.refused == {("twilio", reason): 1}
    assert house.account.faults == [CALL_REFUSED]


async def test_a_client_that_never_says_start_is_closed_after_five_seconds(house: House, autojump_clock: MockClock) -> None:
    async with house.visit(TWILIO_PATH) as client:
        assert await ending(client) == 1008
        assert trio.current_time() == pytest.approx(5)


# ---- the call


async def test_audio_before_the_question_is_kept(house: House, autojump_clock: MockClock) -> None:
    key, ear = house.key("acme"), Ear(CALL)
    async with house.visit(TWILIO_PATH, ("apikey", key)) as client:
        await client.send_message(start())
        await client.send_message(media(SECOND))
        await trio.sleep(4)
        house.switchboard.ask("acme", ear)
        await client.send_message(media(SECOND))
        await client.send_message('{"event":"stop"}')
        assert await ending(client) == 1000
    assert (len(ear.heard), ear.lost) == (16_000, [None])
    house.switchboard.release("acme", ear)


async def test_a_whole_stream_before_the_question_is_kept_too(house: House, autojump_clock: MockClock) -> None:
    key, ear = house.key("acme"), Ear(CALL)
    async with house.visit(TWILIO_PATH, ("apikey", key)) as client:
        for message in (start(), media(SECOND), '{"event":"stop"}'):
            await client.send_message(message)
        await trio.sleep(4.9)
        house.switchboard.ask("acme", ear)
        assert await ending(client) == 1000
    assert bytes(ear.heard) == SECOND
    house.switchboard.release("acme", ear)


async def test_nobody_asks(house: House, autojump_clock: MockClock) -> None:
    async with house.visit(TWILIO_PATH, ("apikey", house.key("acme"))) as client:
        await client.send_message(start())
        assert await ending(client) == 1008
        assert trio.current_time() == pytest.approx(5)
    assert house.account.faults == [CALL_UNKNOWN]


async def test_another_tenants_call_is_a_call_that_nobody_asks_for(house: House, autojump_clock: MockClock) -> None:
    ear = Ear(CALL)
    house.switchboard.ask("acme", ear)
    async with house.visit(TWILIO_PATH, ("apikey", house.key("evil"))) as client:
        await client.send_message(start())
        await client.send_message(media(SECOND))
        assert await ending(client) == 1008
        assert trio.current_time() == pytest.approx(5)
    assert (ear.calls, bytes(ear.heard), ear.lost) == ([], b"", [])
    house.switchboard.release("acme", ear)


async def test_a_second_stream_of_a_call_is_refused_and_the_first_goes_on(house: House, autojump_clock: MockClock) -> None:
    key, ear = house.key("acme"), Ear(CALL, wanted=16_000)
    house.switchboard.ask("acme", ear)
    async with house.visit(TWILIO_PATH, ("apikey", key)) as first:
        await first.send_message(start())
        await first.send_message(media(SECOND))
        await wait_all_tasks_blocked()
        async with house.visit(TWILIO_PATH, ("apikey", key)) as second:
            await second.send_message(start())
            await second.send_message(media(b"\0" * 8000))
            assert await ending(second) == 1008
        await first.send_message(media(SECOND))
        assert await ending(first) == 1000
    assert bytes(ear.heard) == 2 * SECOND
    house.switchboard.release("acme", ear)


async def test_a_client_that_vanishes_is_told_to_the_asker(house: House, autojump_clock: MockClock) -> None:
    ear = Ear(CALL)
    house.switchboard.ask("acme", ear)
    async with house.visit(TWILIO_PATH, ("apikey", house.key("acme"))) as client:
        await client.send_message(start())
        await client.send_message(media(SECOND))
        await wait_all_tasks_blocked()
    assert ear.lost == [None]
    house.switchboard.release("acme", ear)


async def test_nothing_of_a_flood_ahead_of_the_question_is_lost(house: House, autojump_clock: MockClock) -> None:
    key, ear = house.key("acme"), Ear(CALL)
    pieces = [bytes([number]) * 768 for number in range(200)]  # 19 s

    async def speak(client: WebSocketConnection) -> None:
        await client.send_message(start())
        await push(client, pieces)
        await client.send_message('{"event":"stop"}')

    async with house.visit(TWILIO_PATH, ("apikey", key)) as client, trio.open_nursery() as nursery:
        nursery.start_soon(speak, client)
        await trio.sleep(3)
        house.switchboard.ask("acme", ear)
        assert await ending(client) == 1000
    assert bytes(ear.heard) == b"".join(pieces)
    house.switchboard.release("acme", ear)


async def test_a_client_that_is_still_pushing_sees_a_clean_close(house: House, autojump_clock: MockClock) -> None:
    key, ear = house.key("acme"), Ear(CALL, wanted=768)
    house.switchboard.ask("acme", ear)
    async with house.visit(TWILIO_PATH, ("apikey", key)) as client:
        await client.send_message(start())
        with pytest.raises(ConnectionClosed) as caught:
            await push(client, [b"\xff" * 768] * 1000)
        assert caught.value.reason is not None
        assert caught.value.reason.code == 1000
    house.switchboard.release("acme", ear)


async def test_gaps_of_the_sequence_are_counted(house: House, autojump_clock: MockClock) -> None:
    async with house.visit(TWILIO_PATH, ("apikey", house.key("acme"))) as client:
        for number in (1, 2, 5, 6, 9):
            await client.send_message(json.dumps({"event": "mark", "sequenceNumber": str(number)}))
        await client.send_message('{"event":"stop"}')
        assert await ending(client) == 1000
    assert house.figures.gaps == 2


@pytest.mark.parametrize("told, code", [(b"binary", 1003), ("{", 1007), (" " * 70_000, 1009), (media(SECOND), 1007)])
async def test_what_cannot_be_understood_ends_the_stream(house: House, autojump_clock: MockClock, told: str | bytes, code: int) -> None:
    async with house.visit(TWILIO_PATH, ("apikey", house.key("acme"))) as client:
        await client.send_message(told)
        assert await ending(client) == code
