"""What an application of Socket.IO may do, and what its defects cost: its own connection."""

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from trio_websocket import ConnectionClosed, WebSocketConnection

from tests.server.engine_house import Journal, ear, engine_house, suite
from tests.transport.wire import TEXT, masked, opening
from voicestream.errors import MisuseError
from voicestream.protocols.engineio_event import Ending, Message
from voicestream.protocols.engineio_event import Event as EngineEvent
from voicestream.protocols.socketio import SocketIO
from voicestream.protocols.socketio_event import Connecting, Emitted, Event
from voicestream.server.engine import Options
from voicestream.server.engine_connection import Connection


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
    journal = Journal()
    async with engine_house(journal) as house:
        async with house.websocket() as websocket:
            await websocket.get_message()
        await journal.ending()
        with pytest.raises(MisuseError):
            await journal.connections[0].listen()


async def test_what_is_said_after_the_end_is_lost_and_harms_nobody(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with engine_house(journal) as house:
        async with house.websocket() as websocket:
            await websocket.get_message()
        await journal.ending()
        connection = journal.connections[0]
        connection.emit("/", "late")
        assert not connection.accept("/")
        assert not connection.acknowledge("/", 1)
        connection.leave("/")
        connection.finish()


async def test_the_application_knows_the_handshake(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with engine_house(journal) as house, house.websocket(headers=[(b"Authorization", b"Bearer t")]) as websocket:
        await websocket.get_message()
        await house.get(collected_audio="result")
        await wait_all_tasks_blocked()
        first, second = journal.connections
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


async def test_a_burst_in_one_segment_is_heard_whole(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with engine_house(journal) as house:
        stream = await house.dial()
        await stream.send_all(opening("/socket.io/?EIO=4&transport=websocket") + masked(TEXT, b"40"))
        await wait_all_tasks_blocked()
        await stream.send_all(b"".join(masked(TEXT, b'42["e",%d]' % number) for number in range(300)))
        await wait_all_tasks_blocked()
        assert [event.arguments[0] for event in journal.heard if isinstance(event, Emitted)] == list(range(300))


async def test_events_that_are_taken_may_be_as_many_as_they_like(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with engine_house(journal, Options(unheard_bytes=1_000)) as house, house.websocket() as websocket:
        await websocket.send_message("40")
        for _ in range(20):
            await websocket.send_message('42["e"]')
            await wait_all_tasks_blocked()
        assert len(journal.heard) == 21


class DeafDialect(SocketIO):
    """A dialect with a defect of ours: it hears nothing but CONNECT, not even the end."""

    __slots__ = ()

    def receive(self, event: EngineEvent, now: float) -> Sequence[Event]:
        if isinstance(event, Message) and event.data == "0":
            return super().receive(event, now)
        raise RuntimeError("a defect")


class LateDialect(SocketIO):
    """One whose clock is broken."""

    __slots__ = ()

    def tick(self, now: float) -> Sequence[Event]:
        if now >= self.deadline:
            raise RuntimeError("a defect")
        return ()


async def test_a_defect_while_a_message_is_heard_ends_one_connection(autojump_clock: MockClock) -> None:
    async with engine_house(speak=DeafDialect) as house, house.websocket() as websocket:
        await websocket.get_message()
        await websocket.send_message("40")
        assert await websocket.get_message()
        assert await websocket.get_message()
        await websocket.send_message('42["e"]')
        with pytest.raises(ConnectionClosed) as caught:
            await websocket.get_message()
        assert caught.value.reason.code == 1011
        assert house.book.escapes
        await trio.sleep(31)
        assert house.server.connections == 0
        assert (await house.get()).status_code == 200


async def test_a_defect_of_the_clock_ends_one_connection(autojump_clock: MockClock) -> None:
    async with engine_house(speak=LateDialect) as house, house.websocket() as websocket:
        await websocket.get_message()
        with pytest.raises(ConnectionClosed) as caught:
            await websocket.get_message()
        assert caught.value.reason.code == 1011
        assert house.figure('faults_total{code="VS5000"}') == 1
        assert house.server.connections == 0
        assert (await house.get()).status_code == 200


async def test_a_client_that_reads_too_slowly_loses_the_droppable_first(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with engine_house(journal) as house:
        sid = await house.joined()
        for number in range(100):
            journal.connections[0].emit("/", "status", number, droppable=True)
        journal.connections[0].emit("/", "result")
        packets = await house.packets(sid, 32)
        assert packets[-1] == '42["result"]'
        assert packets[0] == '42["status",69]'


async def test_a_client_that_does_not_read_is_given_up_at_two_megabytes(autojump_clock: MockClock) -> None:
    journal = Journal()
    async with engine_house(journal) as house:
        await house.joined()
        for _ in range(3):
            journal.connections[0].emit("/", "large", "x" * 900_000)
        assert await journal.ending() is Ending.UNREAD
