"""WebSocket transport beside its peers: CPU us per message received, answer latency, memory per connection.

    python -m benchmarks.transport [--rounds N] [--quick] [--only NAME,NAME]

Receive-heavy, as audio is: 320-byte binary messages in, a 42-byte text out per 25 of them (peers/tally.py).
Saturated: at most 50 unanswered messages per connection. Paced: each connection 50 messages a second. Servers are
processes of their own on core 0, all alive at once and idle but one; the generator has core 1; rounds are
interleaved, medians reported. What is compared is CPU time of the server process, all threads; rates and
latencies depend on what else the machine does and are bounds only.
"""

import argparse
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import TypeAlias

import numpy as np
from websockets.sync.client import connect

from benchmarks.fleet import Generator, Server, generator, peer
from benchmarks.load import Job, Outcome
from benchmarks.measure import Report, median, raise_file_limit
from benchmarks.peers.tally import ANSWER_DIGITS, PER_ANSWER, SERVERS

OURS, SLOW, FAST = "voicestream", "trio-websocket", "picows"
AHEAD = 50
INTERVAL_S = 0.02
WARMUP_S = 1.8  # the slowest peer has its first answers out by then


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of the table."""

    name: str
    connections: int
    paced: bool = False


CELLS = (
    Cell("100 saturated", 100),
    Cell("1000 saturated", 1000),
    Cell("200 x 50/s", 200, paced=True),
    Cell("1000 x 50/s", 1000, paced=True),
)
IDLE_CONNECTIONS = 2000

Outcomes: TypeAlias = dict[tuple[str, str], list[Outcome]]  # by server and cell


def job(to: Server, cell: Cell, window_s: float) -> Job:
    how = {"interval_s": INTERVAL_S} if cell.paced else {"ahead": AHEAD}
    return Job(to.port, to.pid, cell.connections, per_answer=PER_ANSWER, warmup_s=WARMUP_S, window_s=window_s, **how)


def check_equal(port: int) -> None:
    """The server answers as every other does, for messages of all lengths of a frame header; AssertionError if not."""
    sizes = [0, 1, 125, 126, 320, 65_535, 65_536, *range(1000, 1043)]
    assert len(sizes) == 2 * PER_ANSWER
    with connect(f"ws://127.0.0.1:{port}/", compression=None, max_size=None) as client:
        for size in sizes:
            client.send(bytes(np.random.default_rng(size).integers(0, 256, size, np.uint8)))
        for answer in (1, 2):
            expected = str(sum(sizes[: answer * PER_ANSWER])).zfill(ANSWER_DIGITS)
            received = client.recv(timeout=10)
            assert received == expected, f"{received!r} where {expected!r} was due"


def memory_job(to: Server) -> Job:
    """Connect and do nothing: 'idle' is after the opening handshake."""
    return Job(to.port, to.pid, IDLE_CONNECTIONS, per_answer=PER_ANSWER, warmup_s=0.0, window_s=0.5)


def measure(names: list[str], rounds: int, window_s: float, cells: tuple[Cell, ...], report: Report) -> Outcomes:
    outcomes: Outcomes = {}
    with ExitStack() as running:
        load = running.enter_context(generator())
        servers = {name: running.enter_context(peer("benchmarks.peers.tally", name)) for name in names}
        for to in servers.values():
            check_equal(to.port)
        report.say(f"all {len(names)} servers answer equally\n")
        for name, to in servers.items():  # first: a server that has been busy reuses memory it has already
            outcomes[name, "idle"] = [load.run(memory_job(to))]
        for count in range(rounds):
            for cell in cells:
                for name, to in servers.items():
                    outcome = one(load, to, name, cell, window_s)
                    outcomes.setdefault((name, cell.name), []).append(outcome)
                    report.line(cell=cell.name, server=name, round=count, **asdict(outcome))
    return outcomes


def one(load: Generator, to: Server, name: str, cell: Cell, window_s: float) -> Outcome:
    outcome = load.run(job(to, cell, window_s))
    if outcome.gone:
        raise RuntimeError(f"{name} ended {outcome.gone} connections of {cell.name}")
    return outcome


def show(names: list[str], cells: tuple[Cell, ...], outcomes: Outcomes, report: Report) -> None:
    cpu = {key: median([o.cpu_us_per_message for o in each]) for key, each in outcomes.items()}
    report.say("CPU us per message, median")
    report.table(["server", *(cell.name for cell in cells)], ([name, *(f"{cpu[name, cell.name]:.1f}" for cell in cells)] for name in names))
    report.say("answer latency ms, p50 / p99, median of rounds; in brackets answers that never came, and the share sent over 1 ms late")
    report.table(
        ["server", *(cell.name for cell in cells if cell.paced)],
        ([name, *(latency(outcomes[name, cell.name]) for cell in cells if cell.paced)] for name in names),
    )
    idle = {name: outcomes[name, "idle"][0] for name in names}
    report.say(f"memory, {IDLE_CONNECTIONS} idle connections (RSS of the process, no kernel buffers)")
    report.table(
        ["server", "empty MB", "KiB per connection", "connects/s"],
        ([n, f"{o.rss_before_bytes / 1e6:.0f}", f"{kib(o):.1f}", f"{IDLE_CONNECTIONS / o.connect_s:.0f}"] for n, o in idle.items()),
    )
    for name in names:
        report.line(cell="idle", server=name, kib_per_connection=kib(idle[name]))
        for cell in cells:
            report.line(cell=cell.name, server=name, median_cpu_us_per_message=cpu[name, cell.name])
    shown = next(cell.name for cell in cells if cell.connections == 1000 and not cell.paced)
    for other in (SLOW, FAST):
        if OURS in names and other in names:
            ours, theirs = cpu[OURS, shown], cpu[other, shown]
            report.say(f"{shown}: {OURS} {ours:.2f} us, {other} {theirs:.2f} us, ratio {ours / theirs:.2f}")


def kib(outcome: Outcome) -> float:
    return (outcome.rss_open_bytes - outcome.rss_before_bytes) / IDLE_CONNECTIONS / 1024


def latency(outcomes: list[Outcome]) -> str:
    p50, p99 = median([o.answer_p50_ms for o in outcomes]), median([o.answer_p99_ms for o in outcomes])
    return f"{p50:.1f} / {p99:.1f} ({sum(o.missing for o in outcomes)} missing, {median([o.late_share for o in outcomes]):.0%} late)"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transport", description="WebSocket transport beside its peers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one short round of 1000 saturated connections")
    parser.add_argument("--only", default=",".join(SERVERS), help="names of servers, with commas")
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - set(SERVERS):
        sys.exit(f"no such server: {', '.join(unknown)}; there are {', '.join(SERVERS)}")
    raise_file_limit()
    report = Report("transport")
    cells = tuple(cell for cell in CELLS if cell.name == "1000 saturated") if options.quick else CELLS
    rounds, window_s = (1, 1.0) if options.quick else (options.rounds, 2.0)
    show(names, cells, measure(names, rounds, window_s, cells, report), report)


if __name__ == "__main__":
    main()
