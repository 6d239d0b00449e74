"""What waits for a transport: bounded, in order, droppable packets first to go."""

import pytest

from voicestream.protocols.engineio_outbox import Outbox
from voicestream.protocols.engineio_packet import Packet, PacketType


def filled(*texts: str, droppable: bool = False) -> Outbox:
    """An outbox for three packets that holds `texts`."""
    outbox = Outbox(3, 1000)
    for text in texts:
        outbox.put(Packet(PacketType.MESSAGE, text), droppable)
    return outbox


def test_a_payload_of_just_the_largest_size_is_whole() -> None:
    assert filled("abc", "def").payload(9) == b"4abc\x1e4def"
    assert filled("abc", "def").payload(8) == b"4abc"


@pytest.mark.parametrize("polling", [True, False])
def test_what_was_taken_counts_no_more(polling: bool) -> None:
    outbox = filled("a", "b", droppable=True)
    assert outbox.payload(100) == b"4a\x1e4b" if polling else outbox.frames(100) == ["4a", "4b"]
    for text in "cdefg":
        outbox.put(Packet(PacketType.MESSAGE, text))
    assert not outbox.full
    assert outbox.frames(100) == ["4c", "4d", "4e", "4f", "4g"]


def test_a_droppable_packet_that_comes_too_late_is_the_one_to_go() -> None:
    outbox = filled("a", "b", "c")
    outbox.put(Packet(PacketType.MESSAGE, "status"), droppable=True)
    assert outbox.frames(100) == ["4a", "4b", "4c"]


def test_many_small_packets_fill_it_as_one_large_one_does() -> None:
    assert filled("x" * 1000).full
    assert filled(*"abcdefgh").full
    assert not filled(*"abcdefg").full


def test_an_emptied_outbox_is_empty() -> None:
    outbox = filled(*"abcdefgh", droppable=True)
    outbox.clear()
    assert (len(outbox), outbox.full, outbox.payload(100)) == (0, False, b"")
    outbox.put(Packet(PacketType.PING))
    assert outbox.frames(1) == ["2"]
