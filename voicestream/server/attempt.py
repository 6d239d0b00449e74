"""How often a voice may be tried in vain, over all of das-Peak's doors together: so nobody climbs a score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import trio

from voicestream.errors import CALL_ATTEMPTS, PeerError
from voicestream.sessions.vocabulary import Template
from voicestream.store.throttle import Throttle

_PER_S: Final = 600.0


class Attempts:
    """Rejected verifications of each voice of a tenant: `most` in ten minutes; 0: any number.

    An attempt counts from its beginning, so that many at once do not slip through, and is taken back unless it was rejected.
    """

    def __init__(self, most: int) -> None:
        self._throttle = Throttle(most, _PER_S) if most else None

    def begin(self, tenant: str, *voices: Template) -> Attempt:
        """Try whether somebody is one of `voices`. PeerError VS1714, its detail the seconds to wait, where one was tried too often."""
        if self._throttle is None:
            return Attempt(None, ())
        keys = {f"{tenant} {voice.vector.tobytes().hex()}" for voice in voices}
        now = trio.current_time()
        wait_s = max((self._throttle.wait_s(key, now) for key in keys), default=0.0)
        if wait_s > 0:
            raise PeerError(CALL_ATTEMPTS, f"{math.ceil(wait_s)}")
        for key in keys:
            self._throttle.count(key, now)
        return Attempt(self._throttle, [*keys])


class Attempt:
    """One try, which ends with end() or its block; `rejected` then says whether it counts."""

    def __init__(self, throttle: Throttle | None, keys: Sequence[str]) -> None:
        self.rejected = False
        self._throttle = throttle
        self._keys = keys

    def end(self) -> None:
        if self._throttle is not None and not self.rejected:
            for key in self._keys:
                self._throttle.forgive(key, trio.current_time())

    def __enter__(self) -> Attempt:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
