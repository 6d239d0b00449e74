"""How soon an assessment is there after somebody stopped speaking, what it costs, and whether many at once come through.

    scripts/bench assessment [latency|crowd|worker] [--shared FOLDER] [--speed 4] [--runs 20]

    latency   recordings of 30 s, one after another and as fast as they were spoken, to a server with one worker, both on one core:
              from `ELSA:end_stream` to the result
    crowd     20 recordings at once to a server with two workers: each result is the same as alone; --kill: one worker is killed
              in the middle, and its stream alone fails
    worker    seconds and memory that a worker takes to start

The first two are clients of the whole server, over WebSockets, with the vendor's packets: half seconds with a header each.
Speech: learners of `eval/pronunciation`, each recording one speaker's sentences with half a second between them. `--speed 4`
sends those of the crowd in a quarter of their time, which makes it harder and not easier.
"""

import argparse
import json
import os
import signal
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
import trio
from numpy.typing import NDArray

from benchmarks.house import House, house
from voicestream.cli.assessment.conversation import Speech, converse
from voicestream.cli.assessment.talk import FreeTalk
from voicestream.errors import PeerError
from voicestream.models.vad import compact
from voicestream.server.assessor import FACTORY, RATE_HZ, Assessor
from voicestream.server.config import Settings
from voicestream.server.worker_pool import WorkerPool
from voicestream.store.api_key import add_key
from voicestream.store.database import FILE_NAME, Database

LENGTH_S = 30.0
PACKET = RATE_HZ // 2
GAP = np.zeros(RATE_HZ // 2, np.int16)

Recording = NDArray[np.int16]


def recordings(shared: Path) -> Iterator[Recording]:
    """Of 30 s each, for ever."""
    folder = shared / "eval" / "pronunciation"
    clips = {
        speaker.name: [soundfile.read(clip, dtype="int16")[0] for clip in sorted(speaker.glob("*.flac"))]
        for speaker in sorted(folder.iterdir())
        if speaker.is_dir()
    }
    start = 0
    while True:
        for said in clips.values():
            turned = [*said[start % len(said) :], *said[: start % len(said)]] * 3
            yield np.concatenate([part for clip in turned for part in (clip, GAP)])[: int(LENGTH_S * RATE_HZ)]
        start += 1


async def ready(pool: WorkerPool, workers: int) -> None:
    pool.wake()
    while len(pool.pids) < workers:
        pool.check()
        await trio.sleep(0.05)


def cpu_s(pids: Iterable[int]) -> float:
    """Of these processes."""
    fields = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids)
    return sum(int(field[11]) + int(field[12]) for field in fields) / os.sysconf("SC_CLK_TCK")


async def latency(options: argparse.Namespace) -> None:
    source, cores = recordings(options.shared), sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-1:])  # of the server, too, and of its worker
    with TemporaryDirectory(prefix="voicestream-") as place, serving(Path(place), workers=1) as (server, key):
        os.sched_setaffinity(0, cores[:1])
        url = f"http://127.0.0.1:{server.port}"
        await talk(url, key, next(source), 1000.0)
        pids = (server.pid, *workers_of(server.pid))
        before, waits = cpu_s(pids), []
        for _ in range(options.runs):
            said, waited_s = await talk(url, key, next(source), 1.0)
            waits.append(waited_s)
            print(f"{waited_s:.3f} s after ELSA:end_stream, {said.count('nativeness_score')} scores", flush=True)
        tell(
            "latency",
            median_s=np.median(waits),
            worst_s=max(waits),
            cpu_s_per_s=(cpu_s(pids) - before) / options.runs / LENGTH_S,
            load=os.getloadavg()[0],
        )
    os.sched_setaffinity(0, cores)


async def crowd(options: argparse.Namespace) -> None:
    """The whole server in a process of its own, and a client for each recording."""
    source = recordings(options.shared)
    heard = [next(source) for _ in range(options.runs)]
    outcomes: dict[int, str] = {}
    waits: list[float] = []

    with TemporaryDirectory(prefix="voicestream-") as place, serving(Path(place), workers=2) as (server, key):
        url = f"http://127.0.0.1:{server.port}"

        async def one(number: int) -> None:
            try:
                outcomes[number], waited_s = await talk(url, key, heard[number], options.speed)
                waits.append(waited_s)
            except PeerError as error:
                outcomes[number] = str(error)

        alone = [(await talk(url, key, recording, 1000.0))[0] for recording in heard]
        pids = (server.pid, *workers_of(server.pid))
        before, began = cpu_s(pids), trio.current_time()
        async with trio.open_nursery() as speakers:
            for number in range(options.runs):
                speakers.start_soon(one, number)
            if options.kill:
                await trio.sleep(LENGTH_S / options.speed / 2)
                os.kill(await trio.to_thread.run_sync(busy_worker, server.pid), signal.SIGKILL)
        taken = trio.current_time() - began
        tell(
            "crowd",
            at_once=options.runs,
            same_as_alone=sum(outcomes[number] == alone[number] for number in range(options.runs)),
            failed=[told for number, told in outcomes.items() if told != alone[number]],
            took_s=taken,
            worst_wait_s=max(waits, default=float("nan")),
            median_wait_s=np.median(waits or [float("nan")]),
            cpu_s=cpu_s(pids) - before if not options.kill else float("nan"),
            load=os.getloadavg()[0],
            log=[entry.get("code") for entry in server.log() if entry.get("level") in ("warning", "error")],
        )


async def talk(url: str, key: str, recording: Recording, speed: float) -> tuple[str, float]:
    """What was said, utterance by utterance and word by word with its times, and the seconds from its end to the result."""
    ended = 0.0

    async def packets() -> AsyncGenerator[bytes]:
        nonlocal ended
        began = trio.current_time()
        for at in range(0, len(recording), PACKET):
            await trio.sleep_until(began + (at + PACKET) / RATE_HZ / speed)  # when all of it is spoken
            yield recording[at : at + PACKET].astype("<i2").tobytes()
        ended = trio.current_time()

    speech = Speech(packets(), RATE_HZ, trio.Event(), lambda packet: None)
    told = await converse(url, f"ELSA {key}", FreeTalk("premium"), speech, lambda answer, news: None)
    return json.dumps(told["speakers"]), trio.current_time() - ended


@contextmanager
def serving(folder: Path, workers: int) -> Iterator[tuple[House, str]]:
    """A server with so many workers and the installed models, and a key to it."""
    (folder / "models").symlink_to(Settings().data_path() / "models")
    with closing(Database(folder / FILE_NAME)) as database:
        _, key = add_key(database, "benchmark", "benchmark", time.time())
    with house(folder / "log", data_folder=folder, assessment_workers=workers) as server:
        yield server, key


def workers_of(pid: int) -> list[int]:
    """Processes that it has started."""
    return [int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]


def busy_worker(pid: int) -> int:
    """A worker of this server that computes at this moment; waits until there is one."""
    while True:
        for worker in workers_of(pid):
            if Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()[0] == "R":
                return worker
        time.sleep(0.001)


async def worker(options: argparse.Namespace) -> None:
    pool, source = made_pool(1), recordings(options.shared)
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        await nursery.start(pool.serve)
        await ready(pool, 1)
        started_s, spent = trio.current_time() - began, cpu_s(pool.pids)
        fresh = memory_mb(pool.pids[0])
        with Assessor(pool, compact.load, runs=1, backlog=10).begin() as run:
            run.hear(next(source))
            await run.finish()
        tell("worker", start_s=started_s, start_cpu_s=spent, fresh=fresh, after_30_s=memory_mb(pool.pids[0]))
        nursery.cancel_scope.cancel()


def memory_mb(pid: int) -> dict[str, int]:
    lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) // 1024 for words in lines if words[0] in ("VmRSS:", "VmHWM:", "VmData:", "RssAnon:")}


def made_pool(workers: int) -> WorkerPool:
    return WorkerPool(FACTORY, str(Settings().data_path()).encode(), workers, 60.0)


def tell(what: str, **figures: object) -> None:
    print(
        json.dumps(
            {
                "benchmark": f"assessment {what}",
                **{name: round(float(value), 4) if isinstance(value, float) else value for name, value in figures.items()},
            }
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["latency", "crowd", "worker"])
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--speed", type=float, default=4.0)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--kill", action="store_true", help="crowd: kill a worker in the middle")
    options = parser.parse_args()
    for name, run in {"worker": worker, "latency": latency, "crowd": crowd}.items():
        if options.what in (None, name):
            trio.run(run, options)


if __name__ == "__main__":
    main()
