"""Bytes through a real socket pair, at once and later."""

from collections.abc import AsyncIterator

import pytest
import trio

from voicestream.transport.pipe import SocketPipe, StreamPipe


@pytest.fixture
async def ends() -> AsyncIterator[tuple[trio.SocketStream, trio.SocketStream]]:
    ours, theirs = trio.socket.socketpair()
    async with trio.SocketStream(ours) as near, trio.SocketStream(theirs) as far:
        yield near, far


Ends = tuple[trio.SocketStream, trio.SocketStream]


async def read(pipe: SocketPipe | StreamPipe, into: bytearray) -> int:
    """One read: its count."""
    counts = []

    def take(count: int) -> bool:
        counts.append(count)
        return False

    await pipe.read(into, take)
    return counts[0]


async def test_what_is_there_is_read_in_order_and_to_the_end(ends: Ends) -> None:
    pipe, far = SocketPipe(ends[0]), ends[1]
    await far.send_all(bytes(range(100)))
    await far.send_eof()
    buffer, got = bytearray(40), b""
    while count := await read(pipe, buffer):
        got += buffer[:count]
    assert got == bytes(range(100))


async def test_a_read_waits_even_after_a_full_buffer(ends: Ends) -> None:
    pipe, far = SocketPipe(ends[0]), ends[1]
    await far.send_all(b"1234")
    buffer = bytearray(4)
    assert await read(pipe, buffer) == 4  # full: more may be there, but is not

    async def send_later() -> None:
        await trio.testing.wait_all_tasks_blocked()
        await far.send_all(b"5")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send_later)
        assert (await read(pipe, buffer), buffer[:1]) == (1, b"5")


async def test_a_write_takes_what_fits_and_the_rest_waits(ends: Ends) -> None:
    pipe, far = SocketPipe(ends[0]), ends[1]
    data = bytes(i * 11 & 0xFF for i in range(2_000_000))
    sent = pipe.write(data)
    assert 0 < sent < len(data)
    assert pipe.write(data[sent:]) == 0

    async def write_on() -> None:
        rest = data[sent:]
        while rest:
            rest = rest[await pipe.write_more(rest) :]
        await pipe.send_eof()

    received = bytearray()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(write_on)
        while piece := await far.receive_some():
            received += piece
    assert received == data


async def test_a_broken_connection_is_one_kind_of_error(ends: Ends) -> None:
    pipe = SocketPipe(ends[0])
    await ends[1].aclose()
    with pytest.raises(trio.BrokenResourceError):
        pipe.write(b"x")
    await pipe.send_eof()


async def test_a_reset_is_one_kind_of_error() -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    near = await trio.testing.open_stream_to_socket_listener(listener)
    far = await listener.accept()
    await near.send_all(b"unread")
    await far.aclose()  # over unread bytes: a reset
    with pytest.raises(trio.BrokenResourceError):
        await read(SocketPipe(near), bytearray(10))
    await near.aclose()
    await listener.aclose()


async def test_once_closed_it_does_not_touch_its_descriptor(ends: Ends) -> None:
    pipe = SocketPipe(ends[0])
    number = ends[0].socket.fileno()
    await pipe.aclose()
    other, peer = trio.socket.socketpair()
    assert number in (other.fileno(), peer.fileno())  # the number lives on
    await other.send(b"not for you")
    await peer.send(b"not for you")
    with pytest.raises(trio.ClosedResourceError):
        await read(pipe, bytearray(10))
    with pytest.raises(trio.BrokenResourceError):
        pipe.write(b"x")
    other.close()
    peer.close()


async def test_closing_wakes_the_reader(ends: Ends) -> None:
    pipe = SocketPipe(ends[0])

    async def read_on() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await read(pipe, bytearray(10))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read_on)
        await trio.testing.wait_all_tasks_blocked()
        await pipe.aclose()


async def test_any_stream_writes_later_a_tls_record_at_a_time() -> None:
    near, far = trio.testing.memory_stream_pair()
    pipe = StreamPipe(near)
    assert pipe.write(b"x") == 0
    assert await pipe.write_more(bytes(100_000)) == 16 * 1024
    await far.send_all(b"hello")
    buffer = bytearray(10)
    assert (await read(pipe, buffer), buffer[:5]) == (5, b"hello")
    await pipe.send_eof()
    await pipe.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await read(pipe, buffer)


async def test_the_end_that_comes_with_the_last_words_is_told(ends: Ends) -> None:
    pipe, far = SocketPipe(ends[0]), ends[1]
    counts = []

    def take(count: int) -> bool:
        counts.append(count)
        return count > 0

    async with trio.open_nursery() as nursery:
        nursery.start_soon(pipe.read, bytearray(10), take)
        await trio.testing.wait_all_tasks_blocked()
        far.socket._sock.send(b"words")  # both before the reader has its turn: one edge
        far.socket._sock.shutdown(1)
    assert counts == [5, 0]
