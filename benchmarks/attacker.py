"""Attackers in a process of their own: every attack of the table, over and over, at bounded rates, against loopback only.

python -m benchmarks.attacker PORT TEMPLATE        ends at the end of its input, with a JSON line of what came of each
"""

import json
import os
import random
import sys
from collections import Counter, defaultdict

import trio

from benchmarks.attacks import ATTACKS, Attack, Target

_SLOW_AT_ONCE = 3  # attackers of each slow kind
_REST = 8  # a quick attack rests so many times as long as it lasted, at least a second
_ADDRESS = "127.0.0.2"


class Mob:
    """All attackers and their book."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.surprises: defaultdict[str, Counter[str]] = defaultdict(Counter)

    async def attack(self, attack: Attack) -> None:
        """For ever."""
        await trio.sleep(random.random() * 2)
        while True:
            began = trio.current_time()
            try:
                outcome = await attack.run(self._target)
            except (OSError, ValueError, trio.TooSlowError) as error:
                outcome = f"{type(error).__name__}: {error}"
            self.outcomes[attack.name][outcome] += 1
            if outcome not in attack.allowed:
                self.surprises[attack.name][outcome] += 1
            if not attack.slow:
                await trio.sleep(random.uniform(0.5, 1.5) * max(1.0, _REST * (trio.current_time() - began)))


async def run(target: Target) -> Mob:
    """Attack until somebody closes our input."""
    mob = Mob(target)
    async with trio.open_nursery() as nursery:
        for attack in ATTACKS:
            for _ in range(_SLOW_AT_ONCE if attack.slow else 1):
                nursery.start_soon(mob.attack, attack)
        await trio.to_thread.run_sync(sys.stdin.read)
        nursery.cancel_scope.cancel()
    return mob


def main() -> None:
    os.nice(10)  # on a small machine the good streams must not starve of the attackers' own work
    port, template = sys.argv[1:]
    mob = trio.run(run, Target(int(port), template, address=_ADDRESS))
    attacks = sum(sum(counter.values()) for counter in mob.outcomes.values())
    print(json.dumps({"attacks": attacks, "kinds": len(mob.outcomes), "surprises": mob.surprises}), flush=True)


if __name__ == "__main__":
    main()
