"""Ten thousand races for a call_id: whose audio an asker hears, and that one stream of a call is heard and no other."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest
import trio
from trio.testing import MockClock

from tests.server.race import TENANTS, RaceHouse, Trial, Witness

AT_A_TIME = 25


async def races(folder: Path, count: int, seed: int) -> tuple[list[Trial], Witness]:
    house, random, trials = RaceHouse(folder), Random(seed), list[Trial]()
    async with house.running():
        for first in range(0, count, AT_A_TIME):
            async with trio.open_nursery() as nursery:
                for number in range(first, min(first + AT_A_TIME, count)):
                    nursery.start_soon(house.trial, number, Random(random.random()), trials)
    house.authority.close()
    house.database.close()
    assert house.book.escapes == []
    assert house.switchboard.empty
    assert isinstance(house.switchboard, Witness)
    return trials, house.switchboard


def judge(trials: list[Trial], witness: Witness) -> Counter[str]:
    """The law of every trial; how often each thing happened."""
    seen: Counter[str] = Counter()
    for trial in trials:
        owners = {stream.mark: stream.tenant for stream in trial.streams}
        endings = {stream.mark: stream.ending for stream in trial.streams}
        for tenant in TENANTS:
            ears = witness.heard.get((tenant, trial.call_id), [])
            marks = [mark for ear in ears for mark in ear]
            assert all(owners[mark] == tenant for mark in marks)
            assert all(len(ear) <= 1 for ear in ears)  # one stream per asker
            assert len(set(marks)) == len(marks)  # and one asker per stream
        for asker in trial.askers:
            seen[asker.ending] += 1
            if asker.ending == "result-success":
                (mark,) = asker.heard
                assert owners[mark] == asker.tenant
                assert endings[mark] in ("1000", "disconnect completed", "left"), endings[mark]
        seen.update(f"stream {stream.ending}" for stream in trial.streams)
    return seen


async def test_a_few_races(tmp_path: Path, autojump_clock: MockClock) -> None:
    seen = judge(*await races(tmp_path, 50, seed=1))
    assert seen["result-success"] > 10


@pytest.mark.slow
async def test_ten_thousand_races(tmp_path: Path, autojump_clock: MockClock) -> None:
    seen = judge(*await races(tmp_path, 10_000, seed=2))
    assert seen["result-success"] > 3000
    print(dict(seen))
