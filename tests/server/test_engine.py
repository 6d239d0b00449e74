"""The driver of Engine.IO and Socket.IO in memory, on a clock that jumps: what is due comes when it is due, and nothing is left."""

import json
from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed, WebSocketConnection

from tests.server.engine_house import SUITE, ear, engine_house, suite
from tests.transport.wire import opening
from voicestream.errors import MisuseError
from voicestream.protocols import engineio, socketio
from voicestream.protocols.base import Goodbye
from voicestream.protocols.engineio_event import Ending
from voicestream.protocols.engineio_request import UNAUTHORIZED
from voicestream.protocols.socketio_event import Connecting, Emitted, Ended, Event
from voicestream.server.engine import Options
from voicestream.server.engine_connection import Connection

DEFAULT = Options()


class Book:
    """An application that writes down what it hears, and tells when all is over."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.connections: list[Connection] = []
        self.returned = trio.Event()

    async def __call__(self, connection: Connection) -> None:
        self.connections.append(connection)
        while not self.heard or not isinstance(self.heard[-1], Ended):
            for event in await connection.listen():
                self.heard.append(event)
                if isinstance(event, Connecting):
                    connection.accept(event.namespace)
        self.returned.set()

    async def ending(self) -> Ending:
        await self.returned.wait()
        assert isinstance(self.heard[-1], Ended)
        return self.heard[-1].ending


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
    async with engine_house(Book(), DEFAULT) as house:
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
    book = Book()
    async with engine_house(book) as house, trio.open_nursery() as nursery:
        sid = await house.joined()
        held: list[str] = []

        async def hold() -> None:
            held.append((await house.get(sid)).text)

        nursery.start_soon(hold)
        await wait_all_tasks_blocked()
        async with house.websocket(sid) as websocket:
            await websocket.send_message("2probe")
            assert await websocket.get_message() == "3probe"
            book.connections[0].emit("/", "while", 1)
            await wait_all_tasks_blocked()
            await trio.sleep(0.2)
            assert held == ["6"]
            await websocket.send_message("5")
            assert await websocket.get_message() == '42["while",1]'
            assert (await house.get(sid)).status_code == 400
            assert (house.active("polling"), house.active("websocket")) == (0, 1)


async def test_a_second_websocket_is_accepted_and_closed_and_the_first_lives(autojump_clock: MockClock) -> None:
    book = Book()
    async with engine_house(book) as house:
        sid = await house.joined()
        async with house.websocket(sid) as first:
            await first.send_message("2probe")
            await first.send_message("5")
            assert await first.get_message() == "3probe"
            async with house.websocket(sid) as second:
                with pytest.raises(ConnectionClosed):
                    await second.get_message()
            book.connections[0].emit("/", "still")
            assert await first.get_message() == '42["still"]'


# ---- clients that are lost ----------------------------------------------------------------------


async def test_a_client_that_leaves_its_get_is_gone(autojump_clock: MockClock) -> None:
    book = Book()
    async with engine_house(book) as house:
        sid = await house.joined()
        with trio.move_on_after(1):
            await house.get(sid)
        assert await book.ending() is Ending.TRANSPORT
        assert (await house.get(sid)).json() == {"code": 1, "message": "Session ID unknown"}


async def test_a_client_that_leaves_its_post_is_gone(autojump_clock: MockClock) -> None:
    book = Book()

    async def half() -> AsyncIterator[bytes]:
        yield b"42["
        await trio.sleep_forever()

    async with engine_house(book) as house:
        sid = await house.joined()
        with trio.move_on_after(1):
            await house.post(sid, half())
        assert await book.ending() is Ending.TRANSPORT


async def test_a_websocket_that_breaks_ends_its_connection(autojump_clock: MockClock) -> None:
    book = Book()
    async with engine_house(book) as house:
        async with house.websocket() as websocket:
            await websocket.get_message()
            await websocket.aclose()
        assert await book.ending() is Ending.TRANSPORT
        assert house.book.escapes == []


async def test_a_new_socket_that_breaks_leaves_polling_as_it_was(autojump_clock: MockClock) -> None:
    book = Book()
    async with engine_house(book) as house:
        sid = await house.joined()
        async with house.websocket(sid) as websocket:
            await websocket.send_message("2probe")
            await websocket.get_message()
            await websocket.aclose()
        book.connections[0].emit("/", "still")
        assert await house.packets(sid, 1) == ['42["still"]']


async def test_an_upgrade_that_is_not_finished_is_dropped_after_ten_seconds(autojump_clock: MockClock) -> None:
    book = Book()
    async with engine_house(book) as house:
        sid = await house.joined()
        began = trio.current_time()
        async with house.websocket(sid) as websocket:
            with pytest.raises(ConnectionClosed):
                await websocket.get_message()
        assert trio.current_time() == pytest.approx(began + 10, abs=0.01)
        book.connections[0].emit("/", "still")
        assert await house.packets(sid, 1) == ['42["still"]']


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_a_client_that_sends_no_pong_is_dead_after_45_s(transport: str, autojump_clock: MockClock) -> None:
    book = Book()
    async with engine_house(book, DEFAULT) as house:
        began = trio.current_time()
        if transport == "polling":
            await house.joined()
            assert await book.ending() is Ending.PING_TIMEOUT
        else:
            async with house.websocket() as websocket:
                await websocket.get_message()
                await websocket.send_message("40")
                assert await book.ending() is Ending.PING_TIMEOUT
        assert trio.current_time() == pytest.approx(began + 45, abs=0.01)


async def test_a_client_that_connects_to_nothing_is_gone_after_the_connect_time(autojump_clock: MockClock) -> None:
    async with engine_house(suite, Options(engine=SUITE, socket=socketio.Options(connect_s=0.25))) as house, house.websocket() as websocket:
        await websocket.get_message()
        began = trio.current_time()
        with pytest.raises(ConnectionClosed):
            await websocket.get_message()
        assert trio.current_time() == pytest.approx(began + 0.25, abs=0.01)


async def test_two_gets_at_once_end_the_session(autojump_clock: MockClock) -> None:
    book = Book()
    async with engine_house(book) as house, trio.open_nursery() as nursery:
        sid = await house.joined()
        first: list[str] = []

        async def hold() -> None:
            first.append((await house.get(sid)).text)

        nursery.start_soon(hold)
        await wait_all_tasks_blocked()
        second = await house.get(sid)
        assert (second.status_code, second.content) == (400, b"")
        assert await book.ending() is Ending.OVERLAP
        assert first == ["1"]


async def test_a_body_that_does_not_come_in_time_ends_the_session(autojump_clock: MockClock) -> None:
    book = Book()

    async def half() -> AsyncIterator[bytes]:
        yield b"42["
        await trio.sleep_forever()

    async with engine_house(book, Options(body_s=7)) as house:
        sid = await house.joined()
        began = trio.current_time()
        assert (await house.post(sid, half())).status_code == 408
        assert trio.current_time() == pytest.approx(began + 7, abs=0.01)
        assert await book.ending() is Ending.TRANSPORT
        assert house.figure('faults_total{code="VS1408"}') == 1


# ---- the application ------------------------------------------------------------------------------


async def test_an_application_that_raises_ends_its_connection_alone(autojump_clock: MockClock) -> None:
    async def fragile(connection: Connection) -> None:
        for event in await connection.listen():
            if isinstance(event, Connecting) and event.auth:
                raise ValueError("a defect")
        await suite(connection)

    async with engine_house(fragile) as house, house.websocket() as good, house.websocket() as bad:
        await good.get_message()
        await bad.get_message()
        await good.send_message("40")
        await bad.send_message('40{"fall":1}')
        with pytest.raises(ConnectionClosed) as caught:
            await bad.get_message()
        assert caught.value.reason.code == 1011
        await good.send_message("40/custom")
        assert (await good.get_message()).startswith("40/custom,")
        assert house.figure('faults_total{code="VS5000"}') == 1


async def test_an_application_that_returns_ends_its_connection(autojump_clock: MockClock) -> None:
    async def short(connection: Connection) -> None:
        await connection.listen()
        connection.refuse("/", "invalid token")

    async with engine_house(short) as house, house.websocket() as websocket:
        await websocket.get_message()
        await websocket.send_message("40")
        assert await websocket.get_message() == '44{"message":"invalid token"}'
        with pytest.raises(ConnectionClosed) as caught:
            await websocket.get_message()
        assert caught.value.reason.code == 1000


async def test_an_application_that_does_not_return_is_cancelled_30_s_after_the_end(autojump_clock: MockClock) -> None:
    cancelled_at: list[float] = []

    async def deaf(connection: Connection) -> None:
        try:
            await trio.sleep_forever()
        finally:
            cancelled_at.append(trio.current_time())

    async with engine_house(deaf) as house:
        async with house.websocket() as websocket:
            await websocket.get_message()
            await websocket.aclose()
        gone_at = trio.current_time()
        assert house.server.connections == 1
        await trio.sleep(31)
        assert cancelled_at == [pytest.approx(gone_at + 30, abs=0.01)]
        assert house.server.connections == 0


async def test_whoever_listens_after_the_end_has_a_defect(autojump_clock: MockClock) -> None:
    book = Book()
    async with engine_house(book) as house:
        async with house.websocket() as websocket:
            await websocket.get_message()
        await book.ending()
        with pytest.raises(MisuseError):
            await book.connections[0].listen()


async def test_what_is_said_after_the_end_is_lost_and_harms_nobody(autojump_clock: MockClock) -> None:
    book = Book()
    async with engine_house(book) as house:
        async with house.websocket() as websocket:
            await websocket.get_message()
        await book.ending()
        connection = book.connections[0]
        connection.emit("/", "late")
        assert not connection.accept("/")
        assert not connection.acknowledge("/", 1)
        connection.leave("/")
        connection.finish()


async def test_the_application_knows_the_handshake(autojump_clock: MockClock) -> None:
    book = Book()
    async with engine_house(book) as house, house.websocket(headers=[(b"Authorization", b"Bearer t")]) as websocket:
        await websocket.get_message()
        await house.get(collected_audio="result")
        first, second = book.connections
        assert first.fields["authorization"] == "Bearer t"
        assert first.address == "192.0.2.1"
        assert second.query["collected_audio"] == "result"


async def flood(websocket: WebSocketConnection) -> None:
    for _ in range(100):
        await websocket.send_message('42["e"]')
    await websocket.get_message()


async def test_events_that_nobody_takes_end_the_connection_before_they_fill_the_memory(autojump_clock: MockClock) -> None:
    async def busy(connection: Connection) -> None:
        await connection.listen()
        connection.accept("/")
        await trio.sleep(5)
        await ear(connection)

    async with engine_house(busy, Options(unheard_bytes=10_000)) as house, house.websocket() as websocket:
        await websocket.get_message()
        await websocket.send_message("40")
        await websocket.get_message()
        with pytest.raises(ConnectionClosed) as caught:
            await flood(websocket)
        assert caught.value.reason.code == 1013
        assert house.figure('faults_total{code="VS1654"}') == 1


async def test_a_long_burst_is_heard_whole(autojump_clock: MockClock) -> None:
    book = Book()
    async with engine_house(book) as house, house.websocket() as websocket:
        await websocket.get_message()
        await websocket.send_message("40")
        for number in range(300):
            await websocket.send_message(f'42["e",{number}]')
        await websocket.aclose()
        await book.ending()
        numbers = [event.arguments[0] for event in book.heard if isinstance(event, Emitted)]
        assert numbers == list(range(300))


# ---- limits, drain, idleness ----------------------------------------------------------------------


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


async def test_the_next_ping_comes_one_interval_after_the_pong(autojump_clock: MockClock) -> None:
    options = Options(engine=engineio.Options(ping_interval_s=25, ping_timeout_s=20))
    async with engine_house(Book(), options) as house, house.websocket() as websocket:
        await websocket.get_message()
        await websocket.send_message("40")
        await websocket.get_message()
        for _ in range(3):
            assert await websocket.get_message() == "2"
            await websocket.send_message("3")
        assert trio.current_time() == pytest.approx(75, abs=0.1)
