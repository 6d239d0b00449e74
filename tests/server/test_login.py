"""Clients at the door: who waits for argon2, who does not, and how guessing is slowed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import trio
from trio.testing import MockClock

from voicestream.errors import CLIENT_REFUSED, LOGINS_FAILED, OVERLOADED, Fault, PeerError
from voicestream.protocols.oauth2 import Presented
from voicestream.server.login import Login
from voicestream.store.authority import Authority
from voicestream.store.client import revoke_client
from voicestream.store.database import FILE_NAME, Database

T = TypeVar("T")

AT = 1_795_255_200.0


class SlowRunner:
    """Takes a second for each work, and counts them; `busy`: no thread is free."""

    def __init__(self) -> None:
        self.runs = 0
        self.busy = False

    async def run(self, work: Callable[[], T], model: str) -> T:
        self.runs += 1
        await trio.sleep(1)
        if self.busy:
            raise PeerError(OVERLOADED)
        return work()


class Door:
    """A login with its own memory, its runner, and somebody who may come in."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority.open(folder, "https://voice.example", 3600)
        first = self.authority.first_start(AT)
        assert first is not None
        self.good = Presented(first.client_id, first.client_secret)
        self.runner = SlowRunner()
        self.login = Login(self.authority, self.runner, lambda: AT)

    async def refused(self, presented: Presented, address: str = "192.0.2.1") -> Fault | None:
        try:
            await self.login.client(presented, address)
        except PeerError as error:
            return error.fault
        return None

    def wrong(self, number: int = 0) -> Presented:
        return Presented(self.good.client_id, f"wrong {number}")


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    door = Door(tmp_path)
    yield door
    door.authority.close()


async def test_a_known_client_needs_one_hash(door: Door, autojump_clock: MockClock) -> None:
    for _ in range(100):
        assert (await door.login.client(door.good, "192.0.2.1")).client_id == door.good.client_id
    assert door.runner.runs == 1
    await trio.sleep(600)
    assert await door.refused(door.good) is None
    assert door.runner.runs == 2


async def test_a_crowd_of_one_client_waits_for_one_hash(door: Door, autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(200):
            nursery.start_soon(door.login.client, door.good, "192.0.2.1")
    assert door.runner.runs == 1
    assert trio.current_time() == pytest.approx(1)


async def test_unknown_and_wrong_cost_one_hash_each(door: Door, autojump_clock: MockClock) -> None:
    assert await door.refused(door.wrong()) is CLIENT_REFUSED
    assert await door.refused(Presented("nobody", "x")) is CLIENT_REFUSED
    assert door.runner.runs == 2


async def test_ten_wrong_secrets_then_one_in_six_seconds(door: Door, autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:  # at once, so that none sees another's outcome
        told: list[Fault | None] = []

        async def guess(number: int) -> None:
            told.append(await door.refused(door.wrong(number)))

        for number in range(30):
            nursery.start_soon(guess, number)
    assert (told.count(CLIENT_REFUSED), told.count(LOGINS_FAILED)) == (10, 20)
    assert door.runner.runs == 10
    assert await door.refused(door.good) is LOGINS_FAILED  # or else the right guess would be told from the others
    assert await door.refused(door.good, "192.0.2.2") is None
    await trio.sleep(6)
    assert await door.refused(door.good) is None


async def test_changing_the_client_id_does_not_help(door: Door, autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        at_once: list[Fault | None] = []

        async def guess(number: int) -> None:
            at_once.append(await door.refused(Presented(f"d{number}", "x"), "192.0.2.9"))

        for number in range(200):
            nursery.start_soon(guess, number)
    assert (at_once.count(CLIENT_REFUSED), at_once.count(LOGINS_FAILED)) == (60, 140)


async def test_nor_does_changing_the_address_within_a_network(door: Door, autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        told: list[Fault | None] = []

        async def guess(number: int) -> None:
            told.append(await door.refused(door.wrong(number), f"2001:db8:1:2::{number:x}"))

        for number in range(20):
            nursery.start_soon(guess, number)
    assert told.count(LOGINS_FAILED) == 10


@pytest.mark.parametrize("address", ["2001:db8:1:3::1", "192.0.2.1", "::ffff:192.0.2.1", "", "a socket"])
async def test_another_network_is_not_slowed(door: Door, autojump_clock: MockClock, address: str) -> None:
    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(door.refused, door.wrong(number), "2001:db8:1:2::1")
    assert await door.refused(door.good, address) is None


async def test_success_does_not_count(door: Door, autojump_clock: MockClock) -> None:
    for number in range(50):
        door.authority._cache._known.clear()
        assert await door.refused(door.good) is None, number


async def test_no_free_thread_does_not_count(door: Door, autojump_clock: MockClock) -> None:
    door.runner.busy = True
    async with trio.open_nursery() as nursery:
        for number in range(10):
            nursery.start_soon(door.refused, door.wrong(number))
    door.runner.busy = False
    assert await door.refused(door.good) is None


async def test_whoever_gives_up_does_not_lock_the_others(door: Door, autojump_clock: MockClock) -> None:
    with trio.move_on_after(0.5):
        await door.login.client(door.good, "192.0.2.1")
    assert await door.refused(door.good) is None


async def test_what_the_command_line_changes_is_known_after_a_second(door: Door, autojump_clock: MockClock, tmp_path: Path) -> None:
    assert await door.refused(door.good) is None
    outside = Database(tmp_path / FILE_NAME)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(door.login.watch_loop)
        revoke_client(outside, door.good.client_id, AT)
        await trio.sleep(1.5)
        nursery.cancel_scope.cancel()
    assert await door.refused(door.good) is CLIENT_REFUSED
    outside.close()
