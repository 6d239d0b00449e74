"""How many wrong secrets one may try: so many at once, then so many a minute, remembered in bounded memory."""

from collections import OrderedDict


class Throttle:
    """A leaky bucket per key: `tries` fit in, and it empties within `per_s`. Times are seconds of one monotonic clock.

    A try is counted before its outcome is known, so that many at once do not slip through, and taken back when it was good.
    """

    def __init__(self, tries: int, per_s: float, entries: int = 10_000) -> None:
        self._tries = tries
        self._leak_per_s = tries / per_s
        self._entries = entries
        self._level: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key -> level, when it was so

    def __len__(self) -> int:
        return len(self._level)

    def wait_s(self, key: str, now: float) -> float:
        """Seconds until `key` may try; 0 when it may now."""
        return max(0.0, (self._now(key, now) + 1 - self._tries) / self._leak_per_s)

    def count(self, key: str, now: float) -> None:
        """One try of `key`."""
        self._put(key, self._now(key, now) + 1, now)

    def forgive(self, key: str, now: float) -> None:
        """The try was good: it does not count."""
        self._put(key, self._now(key, now) - 1, now)

    def _now(self, key: str, now: float) -> float:
        level, at = self._level.get(key, (0.0, now))
        return max(0.0, level - (now - at) * self._leak_per_s)

    def _put(self, key: str, level: float, now: float) -> None:
        if level <= 0:
            self._level.pop(key, None)
            return
        self._level[key] = level, now
        self._level.move_to_end(key)
        while len(self._level) > self._entries:
            self._level.popitem(last=False)
