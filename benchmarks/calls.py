"""Calls through the whole server: Twilio streams with their signalling, beside their audio side written the usual way.

    python -m benchmarks.calls [--streams N] [--rounds N] [--seconds S] [--set NAME=VALUE ...] [--quick]

Each call is a Socket.IO session and a stream of 20 ms of mu-law every 20 ms (call_audio.py); its caller speaks an eighth of
the time. The server has core 0, the generator core 1. First 200 calls that do not end, on both: CPU per media
message side by side. Then the number asked for, the same way: the server must be in time. Then with ends: a session that
has its 5 s of voice is judged, and another call begins; AudioHook sessions are opened meanwhile. Peer: peers/call_service.py.
"""

import argparse
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.call_access import PUBLIC_URL, Credentials
from benchmarks.call_audio import INTERVAL_S, Script, scripts
from benchmarks.call_load import Crowd, Plan
from benchmarks.fleet import Server, peer, voicestream
from benchmarks.measure import LOAD_CORE, Report, cpu_ns, median, pin, raise_file_limit, rss_bytes, thread_cpu_ns
from voicestream.models.registry import vad_front

PEER = "benchmarks.peers.call_service"
PEERS = {"usual way": (), "usual way, voice alone": ("voice",)}
COMPARED_CALLS, COMPARED_S = 200, 10.0
SCRIPTS = 28
WANTED_S = 5.0
ENDLESS_S = 60.0  # of voice, which no script has
SCRIPT_S = 120.0
SETTLE_S = 3.0  # from the last beginning of a call to the window, and from its end to the last result
RAMP_S = 6.0  # of calls that do not end
HOOKS_PER_S = 10.0
MANY = {"connections": 10_000, "connections_per_address": 10_000, "call_sessions": 5_000, "socketio_connections": 5_000}
LATE_MS = 100.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Figures of one window. Delays in ms, from the message (or word) that asks for it to the answer's arrival."""

    calls: int
    messages_per_s: float  # media messages
    cpu_us_per_message: float  # of the whole process
    loop_us_per_message: float  # of its trio thread
    job_cpu_ms_per_result: float  # of its other threads
    cpu_share: float
    behind_ms: float  # what was sent in the window took so long after its end to be read
    statuses: int
    status_p50_ms: float
    status_p99_ms: float
    status_max_ms: float
    collected_p99_ms: float
    collected_max_ms: float
    results: int
    results_per_s: float
    result_p50_ms: float
    result_p99_ms: float
    result_max_ms: float
    session_mean_s: float
    without_result: int  # sessions whose audio was all there, some seconds after the end
    opened: int
    opened_p50_ms: float
    opened_p99_ms: float
    opened_max_ms: float
    late_share: float  # messages sent over 1 ms after they fell due: the generator's own fault
    stall_ms: float  # the longest time in which the generator neither sent nor read: as much of a delay may be its own
    stuck: int  # messages that the socket did not take at once
    rss_bytes: int
    defects: list[str]  # the first of them

    @property
    def in_time(self) -> bool:
        """No status and no end of a stream came later than 100 ms, and every session has its result."""
        return max(self.status_max_ms, self.collected_max_ms) <= LATE_MS and not self.without_result and not self.defects


def quantiles_ms(delays_s: list[float]) -> tuple[float, float, float]:
    """Median, 99th percentile and highest; zeros of none."""
    if not delays_s:
        return 0.0, 0.0, 0.0
    p50, p99, highest = np.quantile(np.array(delays_s) * 1e3, (0.5, 0.99, 1.0), method="higher").tolist()
    return p50, p99, highest


def measure(server: Server, plan: Plan, script: list[Script], window_s: float) -> Outcome:
    """One crowd from its beginning to its end."""
    crowd = Crowd(plan, script)
    crowd.drive(plan.ramp_s + SETTLE_S)
    before = crowd.diary.turn()
    cpu, loop = cpu_ns(server.pid), thread_cpu_ns(server.pid)
    crowd.drive(window_s)
    behind_s = crowd.behind_s()
    cpu, loop = cpu_ns(server.pid) - cpu, thread_cpu_ns(server.pid) - loop
    rss = rss_bytes(server.pid)
    seen = crowd.diary.turn()
    without_result = crowd.settle(SETTLE_S)
    defects = before.defects + seen.defects + crowd.diary.defects
    crowd.hang_up()
    return Outcome(
        plan.calls,
        seen.sent / window_s,
        cpu / 1e3 / max(seen.sent, 1),
        loop / 1e3 / max(seen.sent, 1),
        (cpu - loop) / 1e6 / max(len(seen.results_s), 1),
        cpu / 1e9 / window_s,
        behind_s * 1e3,
        len(seen.statuses_s),
        *quantiles_ms(seen.statuses_s),
        *quantiles_ms(seen.collected_s)[1:],
        len(seen.results_s),
        len(seen.results_s) / window_s,
        *quantiles_ms(seen.results_s),
        float(np.mean(seen.lengths_s)) if seen.lengths_s else 0.0,
        without_result,
        len(seen.opened_s),
        *quantiles_ms(seen.opened_s),
        seen.late / max(seen.sent, 1),
        seen.stall_s * 1e3,
        seen.stuck,
        rss,
        sorted(set(defects))[:5],
    )


class Bench:
    """The servers, the scripts and who calls."""

    def __init__(self, running: ExitStack, settings: dict[str, str], window_s: float, report: Report) -> None:
        self.report = report
        self.window_s = window_s
        folder = Path(running.enter_context(tempfile.TemporaryDirectory())) / "data"
        credentials = Credentials.make(folder)
        make_front = vad_front(settings.get("call_vad", "compact"))
        self.endless = scripts(SCRIPTS, SCRIPT_S, ENDLESS_S, make_front)
        self.ending = scripts(SCRIPTS, SCRIPT_S, WANTED_S, make_front)
        self.mean_s = float(np.mean([one.marks[-1] for one in self.ending])) * INTERVAL_S
        self.ours = running.enter_context(voicestream(data_folder=folder, public_url=PUBLIC_URL, **MANY, **settings))
        self.access = credentials.access(self.ours.port)
        self.theirs = {name: running.enter_context(peer(PEER, str(ENDLESS_S), *extra)) for name, extra in PEERS.items()}

    def run(self, server: Server, calls: int, *, ends: bool = False, window_s: float | None = None) -> Outcome:
        plan = Plan(
            server.port,
            self.access if server is self.ours else None,
            calls,
            WANTED_S if ends else ENDLESS_S,
            self.mean_s if ends else RAMP_S,
            HOOKS_PER_S if ends else 0.0,
        )
        return measure(server, plan, self.ending if ends else self.endless, window_s or self.window_s)

    def compare(self, rounds: int) -> None:
        """CPU us per media message of calls that do not end, of all, interleaved."""
        seen: dict[str, list[float]] = {}
        for count in range(rounds):
            for name, server in {"voicestream": self.ours, **self.theirs}.items():
                outcome = self.run(server, COMPARED_CALLS, window_s=COMPARED_S)
                if outcome.behind_ms > LATE_MS:
                    self.report.say(f"{name} was {outcome.behind_ms:.0f} ms behind: what it did at once cost it less")
                seen.setdefault(name, []).append(outcome.cpu_us_per_message)
                self.report.line(server=name, round=count, **asdict(outcome))
        ours = median(seen["voicestream"])
        rows = [[name, f"{median(us):.1f}", f"{median(us) / ours:.2f}"] for name, us in seen.items()]
        for name, us in seen.items():
            self.report.line(server=name, calls=COMPARED_CALLS, median_us=median(us), ratio=median(us) / ours)
        self.report.say(f"CPU us per media message, {COMPARED_CALLS} calls that do not end, median of {rounds}")
        self.report.table(["server", "us", "ratio"], rows)

    def crowd(self, calls: int, rounds: int, kinds: list[bool]) -> None:
        """That many at any moment, which end and do not."""
        rows = []
        for ends in kinds:
            for count in range(rounds):
                outcome = self.run(self.ours, calls, ends=ends)
                self.report.line(server="voicestream", ends=ends, round=count, in_time=outcome.in_time, **asdict(outcome))
                rows.append(_row("with ends" if ends else "endless", outcome))
                for defect in outcome.defects:
                    self.report.say(f"not as it should be: {defect}")
        self.report.say(f"{calls} calls on one core, {self.window_s:g} s; times in ms, p50 / p99 / max; mean call {self.mean_s:.1f} s")
        head = [
            "calls",
            "us/message",
            "loop us",
            "job ms",
            "core",
            "status",
            "stream closed",
            "results",
            "result",
            "opened",
            "sent late",
            "stall",
        ]
        self.report.table(head, rows)


def _row(name: str, seen: Outcome) -> list[str]:
    return [
        name,
        f"{seen.cpu_us_per_message:.1f}",
        f"{seen.loop_us_per_message:.1f}",
        f"{seen.job_cpu_ms_per_result:.1f}",
        f"{seen.cpu_share:.0%}",
        f"{seen.status_p50_ms:.1f} / {seen.status_p99_ms:.1f} / {seen.status_max_ms:.0f}",
        f"- / {seen.collected_p99_ms:.1f} / {seen.collected_max_ms:.0f}",
        f"{seen.results} ({seen.results_per_s:.1f}/s), {seen.without_result} without",
        f"{seen.result_p50_ms:.0f} / {seen.result_p99_ms:.0f} / {seen.result_max_ms:.0f}",
        f"{seen.opened_p50_ms:.1f} / {seen.opened_p99_ms:.1f} / {seen.opened_max_ms:.0f}",
        f"{seen.late_share:.1%}",
        f"{seen.stall_ms:.0f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calls", description="calls through the whole server")
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30.0, help="measured time of each run")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the server")
    parser.add_argument("--only", choices=("compare", "endless", "ending"), help="one part alone")
    parser.add_argument("--quick", action="store_true", help="one round of five seconds")
    options = parser.parse_args()
    rounds, seconds = (1, 5.0) if options.quick else (options.rounds, options.seconds)
    raise_file_limit()
    with ExitStack() as running:
        bench = Bench(running, dict(pair.split("=", 1) for pair in options.set), seconds, Report("calls"))
        pin(LOAD_CORE)  # not before the servers have started, who would inherit it
        if options.only in (None, "compare"):
            bench.compare(rounds)
        if options.only != "compare":
            bench.crowd(options.streams, rounds, [kind == "ending" for kind in ("endless", "ending") if options.only in (None, kind)])


if __name__ == "__main__":
    main()
