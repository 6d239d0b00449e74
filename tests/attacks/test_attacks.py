"""Everything bad a peer may do: its own refusal, a numbered error in the log, and nobody else notices."""

from typing import Any

import pytest
import trio

from benchmarks.attacks import ATTACKS, Attack, Target
from benchmarks.house import House
from tests.attacks.conftest import Witness


async def logged(server: House, begin: int, code: str) -> list[dict[str, Any]]:
    """The log since `begin`, once it holds the number; the server may write it just after it has told the peer."""
    with trio.move_on_after(3):
        while not any(str(entry.get("code", "")).startswith(code) for entry in server.log(begin)):  # noqa: ASYNC110 - a file does not tell
            await trio.sleep(0.01)
    return server.log(begin)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_an_attack_comes_to_nothing(attack: Attack, target: Target, server: House, witness: Witness) -> None:
    began = server.log_end()
    assert await attack.run(target) in attack.allowed
    log = await logged(server, began, attack.code) if attack.code else server.log(began)
    assert {str(entry["code"])[: len(attack.code)] for entry in log if "code" in entry} in ({attack.code}, set())
    assert attack.code == "" or any("code" in entry for entry in log)
    assert [entry for entry in log if entry.get("level") == "error" or entry["event"] == "no JSON"] == []
