"""How many Socket.IO connections there may be, how they end when the server does, and what they cost while nothing happens."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed

from tests.server.engine_house import DEFAULT, ear, engine_house
from tests.transport.wire import opening
from voicestream.protocols.base import Goodbye
from voicestream.protocols.engineio_request import UNAUTHORIZED
from voicestream.server.engine import Options


async def test_too_many_connections_are_told_to_come_back(autojump_clock: MockClock) -> None:
    async with engine_house(options=Options(sessions_max=2)) as house:
        await house.handshake()
        await house.handshake()
        answer = await house.get()
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json() == {"code": 4, "message": "VS1653 too many Socket.IO connections"}
        stream = await house.dial()
        await stream.send_all(opening("/socket.io/?EIO=4&transport=websocket"))
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 503 ")


async def test_one_address_cannot_take_all_connections(autojump_clock: MockClock) -> None:
    async with engine_house(options=Options(sessions_per_address=1)) as house:
        await house.handshake()
        assert (await house.get()).status_code == 429
        async with house.websocket() as elsewhere:
            assert await elsewhere.get_message()


async def test_a_place_is_free_again_when_a_client_has_died(autojump_clock: MockClock) -> None:
    async with engine_house(options=Options(sessions_max=1)) as house:
        await house.handshake()
        await trio.sleep(46)
        await house.handshake()


async def test_the_application_may_refuse_a_handshake(autojump_clock: MockClock) -> None:
    async with engine_house(admit=lambda handshake: None if "authorization" in handshake.fields else UNAUTHORIZED) as house:
        answer = await house.get()
        assert (answer.status_code, answer.json()) == (401, {"code": 4, "message": "Unauthorized"})
        async with house.websocket(headers=[(b"Authorization", b"Bearer t")]) as websocket:
            assert await websocket.get_message()


async def test_drain_says_goodbye_to_all_and_lets_no_one_in(autojump_clock: MockClock) -> None:
    async with engine_house(ear) as house, house.websocket() as websocket, trio.open_nursery() as nursery:
        await websocket.get_message()
        sid = await house.handshake()
        held: list[str] = []

        async def hold() -> None:
            held.append((await house.get(sid)).text)

        nursery.start_soon(hold)
        await wait_all_tasks_blocked()
        house.server.drain(Goodbye.DRAIN)
        with pytest.raises(ConnectionClosed) as caught:
            await websocket.get_message()
        assert caught.value.reason.code == 1001
        await wait_all_tasks_blocked()
        assert held == ["1"]
        answer = await house.get()
        assert (answer.status_code, answer.json()["message"]) == (503, "VS1112 server is going down")
        assert house.server.connections == 0


async def test_run_ends_when_all_are_gone_after_a_drain(autojump_clock: MockClock) -> None:
    async with engine_house() as house:
        server = house.server
        async with trio.open_nursery() as nursery:
            await nursery.start(server.run)
            await house.handshake()
            server.drain(Goodbye.DRAIN)  # nobody polls any more: 30 s are given
            began = trio.current_time()
        assert trio.current_time() == pytest.approx(began + 30, abs=0.01)


class Steps(trio.abc.Instrument):
    """Counts how often any task runs."""

    def __init__(self) -> None:
        self.count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.count += 1


async def test_idle_connections_do_nothing_between_two_pings(autojump_clock: MockClock) -> None:
    async with engine_house(ear, DEFAULT) as house:
        for _ in range(20):
            await house.handshake()
        await wait_all_tasks_blocked()
        steps = Steps()
        trio.lowlevel.add_instrument(steps)
        await trio.sleep(24)
        trio.lowlevel.remove_instrument(steps)
        assert steps.count == 1  # this test's own
