"""A crowd of calls: as many as asked for at any moment, a new one for each that ends, and an AudioHook session now and then.

One thread, one core, no waiting: what is due is sent, what has come is read, for ever in turn.
"""

import gc
import heapq
import time
import uuid
from dataclasses import dataclass

from benchmarks.call_access import Access
from benchmarks.call_audio import INTERVAL_S, Script
from benchmarks.call_client import Diary, HookCall, Media, Signalling
from benchmarks.call_wire import Poll

_AT_ONCE = 32  # messages sent before the sockets are looked at


@dataclass(frozen=True, slots=True)
class Plan:
    """What the crowd does. access None: streams alone, without signalling, as the peer takes them."""

    port: int
    access: Access | None
    calls: int
    wanted_s: float  # of net speech in each session
    ramp_s: float  # in which the calls begin, evenly
    hooks_per_s: float = 0.0


class Crowd:
    """Calls that go on, with `scripts` in turn; `diary` is what they see."""

    def __init__(self, plan: Plan, scripts: list[Script]) -> None:
        self.diary = Diary()
        self._plan = plan
        self._scripts = scripts
        self._poll = Poll()
        self._live: set[Signalling | Media] = set()
        self._begun = 0
        self._due: list[tuple[float, int, Media]] = []  # a heap: streams by their next message
        self._start = time.monotonic()
        self._hook_due = self._start
        self._open = True  # new calls begin

    def drive(self, seconds: float) -> None:
        """Go on for so long."""
        gc.disable()  # a collection would be 50 ms in which nothing is sent
        try:
            before = time.monotonic()
            end = before + seconds
            while (now := time.monotonic()) < end:
                self.diary.stall_s = max(self.diary.stall_s, now - before)
                before = now
                self._begin(now)
                self._send(now)
                self._poll.look()
        finally:
            gc.enable()

    def behind_s(self) -> float:
        """Send nothing until every stream has a pong: how far the server was behind; at most 10 s."""
        asked = [media for _, _, media in self._due if media.live]
        for media in asked:
            media.ping()
        began = now = time.monotonic()
        while any(media.pings and media.live for media in asked) and now < began + 10:
            self._poll.look()
            now = time.monotonic()
        return now - began

    def settle(self, seconds: float) -> int:
        """Begin no more calls: how many of the sessions that have all their audio now have no result so long after."""
        self._open = False
        heard = {
            call for call in self._live if isinstance(call, Signalling) and call.media and call.media.script.ends and not call.media.live
        }
        self.drive(seconds)
        return len(heard & self._live)

    def hang_up(self) -> None:
        """Everybody goes."""
        for call in self._live:
            call.hang_up()

    def _begin(self, now: float) -> None:
        plan = self._plan
        wanted = min(plan.calls, int(plan.calls * (now - self._start) / plan.ramp_s) + 1)
        if self._open and len(self._live) < wanted:
            self._live.add(self._call())
        if plan.hooks_per_s and plan.access is not None and now >= self._hook_due:
            self._hook_due += 1 / plan.hooks_per_s
            HookCall(self._poll, plan.port, plan.access.hook_key, plan.access.hook_secret, self.diary)

    def _call(self) -> Signalling | Media:
        plan, script = self._plan, self._scripts[self._begun % len(self._scripts)]
        self._begun += 1
        if plan.access is None:
            return Media(self._poll, plan.port, "", str(uuid.uuid4()), script, self.diary, self._stream)
        api_key = plan.access.api_key

        def stream(call_id: str) -> Media:
            return Media(self._poll, plan.port, api_key, call_id, script, self.diary, self._stream)

        return Signalling(self._poll, plan.port, plan.access.token, plan.wanted_s, self.diary, stream, self._live.discard)

    def _stream(self, media: Media) -> None:
        """It may send: at a phase that has nothing to do with the others'."""
        media.due = time.monotonic() + INTERVAL_S * (self._begun * 0.618 % 1)
        heapq.heappush(self._due, (media.due, id(media), media))

    def _send(self, now: float) -> None:
        due = self._due
        for _ in range(_AT_ONCE):
            if not due or due[0][0] > now:
                return
            media = due[0][2]
            if media.live:
                media.send_next(now)
                media.due += INTERVAL_S
                heapq.heapreplace(due, (media.due, id(media), media))
            else:
                heapq.heappop(due)
            now = time.monotonic()
