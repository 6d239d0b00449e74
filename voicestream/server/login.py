"""Clients at the door: known ones at once, others after one argon2 hash on a thread, guessers slower and slower."""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import structlog
import trio

from voicestream.errors import CLIENT_REFUSED, LOGINS_FAILED, PeerError
from voicestream.protocols.oauth2 import Presented
from voicestream.server.http.services import Runner
from voicestream.store.client import Client
from voicestream.store.throttle import Throttle

if TYPE_CHECKING:
    from voicestream.store.authority import Authority  # brings cryptography: not for those who only serve IDVoice

_log = structlog.get_logger(__name__)

_QUEUE: Final = "argon2"  # the name under which hashes wait for threads
_REFRESH_S: Final = 1.0  # so late is known what the command line changed


class Login:
    """Authenticates clients against one authority; `clock` gives Unix seconds."""

    def __init__(self, authority: Authority, runner: Runner, clock: Callable[[], float] = time.time) -> None:
        self.authority = authority
        self.clock = clock
        self._runner = runner
        self._by_client = Throttle(tries=10, per_s=60)
        self._by_address = Throttle(tries=60, per_s=60)
        self._under_way: dict[bytes, trio.Event] = {}  # by digest: a hash that somebody waits for is not made twice

    async def client(self, presented: Presented, address: str) -> Client:
        """The client with these credentials. PeerError VS1808, VS1809, or VS1503 when no thread is free in time."""
        network = _network(address)
        pair = f"{network} {presented.client_id}"
        digest = self.authority.digest(presented.client_id, presented.secret)
        while (other := self._under_way.get(digest)) is not None:
            await other.wait()
        now = trio.current_time()
        wait_s = self._wait_s(pair, network, now)
        if wait_s > 0:
            raise PeerError(LOGINS_FAILED, f"{math.ceil(wait_s)}")
        found = self.authority.recognise(presented.client_id, digest, self.clock(), now)
        if found is not None:
            return found
        self._by_client.count(pair, now)
        self._by_address.count(network, now)
        try:
            found = await self._hashed(presented, digest)
        except PeerError:  # no thread was free: nothing was tried
            self._forgive(pair, network)
            raise
        if found is None:
            _log.info("client refused", code=CLIENT_REFUSED.code)
            raise PeerError(CLIENT_REFUSED)
        self._forgive(pair, network)
        return found

    def known(self, presented: Presented, address: str) -> Client | None:
        """As client(), of credentials that are remembered, from an address that has not been guessing; else None."""
        network = _network(address)
        now = trio.current_time()
        if self._wait_s(f"{network} {presented.client_id}", network, now) > 0:
            return None
        digest = self.authority.digest(presented.client_id, presented.secret)
        return self.authority.recognise(presented.client_id, digest, self.clock(), now)

    def _wait_s(self, pair: str, network: str, now: float) -> float:
        return max(self._by_client.wait_s(pair, now), self._by_address.wait_s(network, now))

    async def watch_loop(self) -> None:
        """Notice what other processes write, for ever."""
        while True:
            await trio.sleep(_REFRESH_S)
            try:
                await trio.to_thread.run_sync(self.authority.refresh)
            except PeerError as error:
                _log.warning(error.fault.sentence, code=error.fault.code)

    def _forgive(self, pair: str, network: str) -> None:
        now = trio.current_time()
        self._by_client.forgive(pair, now)
        self._by_address.forgive(network, now)

    async def _hashed(self, presented: Presented, digest: bytes) -> Client | None:
        self._under_way[digest] = trio.Event()
        try:
            encoded = await self._runner.run(lambda: self.authority.hash(presented.client_id, presented.secret), _QUEUE)
            return self.authority.check(presented.client_id, digest, encoded, self.clock(), trio.current_time())
        finally:
            self._under_way.pop(digest).set()


def _network(address: str) -> str:
    """Whom failures are counted against: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
