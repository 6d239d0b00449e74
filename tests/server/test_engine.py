"""The driver of Engine.IO and Socket.IO in memory, on a clock that jumps: what is due comes when it is due, and nothing is left."""

import json
from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed

from tests.server.engine_house import DEFAULT, SUITE, Journal, engine_house, suite
from voicestream.protocols import socketio
from voicestream.protocols.engineio_event import Ending
from voicestream.server.engine import Options

# ---- polling, WebSocket, upgrade ----------------------------------------------------------------


async def test_a_client_that_polls(autojump_clock: MockClock) -> None:
    async with engine_house() as house:
        sid = await house.handshake()
        assert (await house.post(sid, '40{"token":"t"}')).text == "ok"
        connected, auth = await house.packets(sid, 2)
        assert connected.startswith('40{"sid":"')
        assert auth == '42["auth",{"token":"t"}]'
        await house.post(sid, '42["message",1]\x1e42["message",2]')
        assert await house.packets(sid, 2) == ['42["message-back",1]', '42["message-back",2]']


async def test_a_get_is_held_until_something_is_due(autojump_clock: MockClock) -> None:
    async with engine_house(Journal(), DEFAULT) as house:
        sid = await house.joined()
        began = trio.current_time()
        assert (await house.get(sid)).text == "2"
        assert trio.current_time() == pytest.approx(began + 25, abs=0.01)


async def test_a_client_on_websocket(autojump_clock: MockClock) -> None:
    async with engine_house() as house, house.websocket() as websocket:
        opening = json.loads((await websocket.get_message())[1:])
        assert opening["upgrades"] == []
        await websocket.send_message("40/custom")
        assert (await websocket.get_message()).startswith("40/custom,{")
        assert await websocket.get_message() == '42/custom,["auth",{}]'


async def test_bytes_travel_both_ways(autojump_clock: MockClock) -> None:
    async with engine_house() as house, house.websocket() as websocket:
        await websocket.get_message()
        await websocket.send_message("40")
        await websocket.send_message('451-["message",{"_placeholder":true,"num":0}]')
        await websocket.send_message(b"\0\xff")
        said = [await websocket.get_message() for _ in range(4)]
        assert said[2:] == ['451-["message-back",{"_placeholder":true,"num":0}]', b"\0\xff"]


async def test_an_upgrade_answers_the_get_first_and_keeps_the_order(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with engine_house(journal) as house, trio.open_nursery() as nursery:
        sid = await house.joined()
        held: list[str] = []

        async def hold() -> None:
            held.append((await house.get(sid)).text)

        nursery.start_soon(hold)
        await wait_all_tasks_blocked()
        async with house.websocket(sid) as websocket:
            await websocket.send_message("2probe")
            assert await websocket.get_message() == "3probe"
            journal.connections[0].emit("/", "while", 1)
            await wait_all_tasks_blocked()
            await trio.sleep(0.2)
            assert held == ["6"]
            await websocket.send_message("5")
            assert await websocket.get_message() == '42["while",1]'
            assert (await house.get(sid)).status_code == 400
            assert (house.active("polling"), house.active("websocket")) == (0, 1)


async def test_a_second_websocket_is_accepted_and_closed_and_the_first_lives(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with engine_house(journal) as house:
        sid = await house.joined()
        async with house.websocket(sid) as first:
            await first.send_message("2probe")
            await first.send_message("5")
            assert await first.get_message() == "3probe"
            async with house.websocket(sid) as second:
                with pytest.raises(ConnectionClosed):
                    await second.get_message()
            journal.connections[0].emit("/", "still")
            assert await first.get_message() == '42["still"]'


# ---- clients that are lost ----------------------------------------------------------------------


async def test_a_client_that_leaves_its_get_is_gone(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with engine_house(journal) as house:
        sid = await house.joined()
        with trio.move_on_after(1):
            await house.get(sid)
        assert await journal.ending() is Ending.TRANSPORT
        assert (await house.get(sid)).json() == {"code": 1, "message": "Session ID unknown"}


async def test_a_client_that_leaves_its_post_is_gone(autojump_clock: MockClock) -> None:
    journal = Journal()

    async def half() -> AsyncIterator[bytes]:
        yield b"42["
        await trio.sleep_forever()

    async with engine_house(journal) as house:
        sid = await house.joined()
        with trio.move_on_after(1):
            await house.post(sid, half())
        assert await journal.ending() is Ending.TRANSPORT


async def test_a_websocket_that_breaks_ends_its_connection(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with engine_house(journal) as house:
        async with house.websocket() as websocket:
            await websocket.get_message()
            await websocket.aclose()
        assert await journal.ending() is Ending.TRANSPORT
        assert house.book.escapes == []


async def test_a_new_socket_that_breaks_leaves_polling_as_it_was(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with engine_house(journal) as house:
        sid = await house.joined()
        async with house.websocket(sid) as websocket:
            await websocket.send_message("2probe")
            await websocket.get_message()
            await websocket.aclose()
        journal.connections[0].emit("/", "still")
        assert await house.packets(sid, 1) == ['42["still"]']


async def test_an_upgrade_that_is_not_finished_is_dropped_after_ten_seconds(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with engine_house(journal) as house:
        sid = await house.joined()
        began = trio.current_time()
        async with house.websocket(sid) as websocket:
            with pytest.raises(ConnectionClosed):
                await websocket.get_message()
        assert trio.current_time() == pytest.approx(began + 10, abs=0.01)
        journal.connections[0].emit("/", "still")
        assert await house.packets(sid, 1) == ['42["still"]']


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_a_client_that_sends_no_pong_is_dead_after_45_s(transport: str, autojump_clock: MockClock) -> None:
    journal = Journal()
    async with engine_house(journal, DEFAULT) as house:
        began = trio.current_time()
        if transport == "polling":
            await house.joined()
            assert await journal.ending() is Ending.PING_TIMEOUT
        else:
            async with house.websocket() as websocket:
                await websocket.get_message()
                await websocket.send_message("40")
                assert await journal.ending() is Ending.PING_TIMEOUT
        assert trio.current_time() == pytest.approx(began + 45, abs=0.01)


async def test_a_client_that_connects_to_nothing_is_gone_after_the_connect_time(autojump_clock: MockClock) -> None:
    async with engine_house(suite, Options(engine=SUITE, socket=socketio.Options(connect_s=0.25))) as house, house.websocket() as websocket:
        await websocket.get_message()
        began = trio.current_time()
        with pytest.raises(ConnectionClosed):
            await websocket.get_message()
        assert trio.current_time() == pytest.approx(began + 0.25, abs=0.01)


async def test_two_gets_at_once_end_the_session(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with engine_house(journal) as house:
        sid = await house.joined()
        first: list[str] = []

        async def hold() -> None:
            first.append((await house.get(sid)).text)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold)
            await wait_all_tasks_blocked()
            second = await house.get(sid)
            assert (second.status_code, second.content) == (400, b"")
        assert first == ["1"]
        assert await journal.ending() is Ending.OVERLAP


async def test_a_body_that_does_not_come_in_time_ends_the_session(autojump_clock: MockClock) -> None:
    journal = Journal()

    async def half() -> AsyncIterator[bytes]:
        yield b"42["
        await trio.sleep_forever()

    async with engine_house(journal, Options(body_s=7)) as house:
        sid = await house.joined()
        began = trio.current_time()
        assert (await house.post(sid, half())).status_code == 408
        assert trio.current_time() == pytest.approx(began + 7, abs=0.01)
        assert await journal.ending() is Ending.TRANSPORT
        assert house.figure('faults_total{code="VS1408"}') == 1


async def test_the_next_ping_comes_one_interval_after_the_pong(autojump_clock: MockClock) -> None:
    async with engine_house(Journal(), DEFAULT) as house, house.websocket() as websocket:
        await websocket.get_message()
        await websocket.send_message("40")
        await websocket.get_message()
        for _ in range(3):
            assert await websocket.get_message() == "2"
            await websocket.send_message("3")
        assert trio.current_time() == pytest.approx(75, abs=0.1)
