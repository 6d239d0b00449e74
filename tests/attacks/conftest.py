"""A real server in a process of its own, with deadlines short enough to wait for, and a good stream beside every attack."""

from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
import trio
from trio_websocket import open_websocket

from benchmarks.attacks import Target
from benchmarks.house import House, house
from benchmarks.rehearsal import rehearse

RATE_HZ = 16_000
DEADLINES = {
    "tls_handshake_s": 0.6, "request_head_s": 0.6, "body_s": 0.6, "write_s": 0.6, "ping_s": 0.6, "pong_s": 0.6, "idle_s": 1.8,
}  # fmt: skip


def voice(seconds: float) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    """Something like speech: harmonics of 120 Hz in syllables of 250 ms, with noise under it, (n,) int16 at RATE_HZ."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    harmonics = sum(np.sin(2 * np.pi * 120 * k * t) / k for k in range(1, 20))
    noise = np.random.default_rng(7).normal(0, 20, len(t))
    return (3000 * harmonics * (np.sin(2 * np.pi * 2 * t) > -0.5) + noise).astype(np.int16)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("attacked") / "log", min_voice=0, **DEADLINES) as running:
        yield running


@pytest.fixture(scope="session")
def target(server: House) -> Target:
    return Target(server.port, server.template_of(voice(6), RATE_HZ), drip_s=0.1)


class Witness:
    """A good client that streams speech all the while."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = trio.Event()
        self._messages: list[bytes] = []
        self.answers: list[str] = []

    async def stream(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        audio = voice(4).astype("<i2").tobytes()
        async with open_websocket("127.0.0.1", self._port, "/speech_summary_stream", use_ssl=False, max_message_size=1 << 24) as websocket:
            await websocket.send_message(str(RATE_HZ))
            self.answers.append(await websocket.get_message())
            task_status.started()
            while not self._over.is_set() or len(self._messages) < 20:
                at = 640 * len(self._messages) % len(audio)
                self._messages.append(audio[at : at + 640])
                await websocket.send_message(self._messages[-1])
                self.answers.append(await websocket.get_message())
                with trio.move_on_after(0.02):
                    await self._over.wait()

    def end(self) -> None:
        self._over.set()

    def check(self) -> None:
        """Every answer is the one that the same stream gets without anybody beside it."""
        assert self.answers == rehearse("/speech_summary_stream", [str(RATE_HZ)], self._messages)


@pytest.fixture
async def witness(server: House) -> AsyncIterator[Witness]:
    good = Witness(server.port)
    async with trio.open_nursery() as nursery:
        await nursery.start(good.stream)
        yield good
        good.end()
    good.check()
