"""Attacks beside good streams for a minute, then an end that somebody tries to hold up: does anybody notice?

    python -m benchmarks.soak [--seconds S] [--streams N]

Three processes: the server with its defaults (but many connections from one address), good streams over the six
endpoints with recorded speech (benchmarks/good_stream.py), and all attacks of the table in loops
(benchmarks/attacker.py). Each second the server's memory, descriptors and tasks are noted. At the end it gets SIGTERM
while one peer does not read. Exit code 1 when a criterion is missed.
"""

import argparse
import json
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.attacks.peer import BINARY, TEXT, frame, opening
from benchmarks.house import House, house
from benchmarks.measure import Report, raise_file_limit, rss_bytes
from voicestream.cli.prompt import FOLDER, speakers

SETTINGS = {"connections_per_address": 2000}
SETTLE_S = 60.0  # all good streams are under way by then
DRAIN_S = 30.0
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Sample:
    """The server at one moment."""

    at_s: float
    rss_bytes: int
    files: int
    tasks: int
    cpu_s: float
    waited_s: float  # ready to run, but other processes had the cores: the machine's fault, not the server's


@dataclass(frozen=True, slots=True)
class Criterion:
    """Something that must hold, and what was seen."""

    name: str
    met: bool
    seen: str


def sample(server: House, began: float) -> Sample:
    tasks = round(server.gauge("voicestream_tasks"))
    ran_ns, waited_ns = (int(field) for field in Path(f"/proc/{server.pid}/schedstat").read_text().split()[:2])
    return Sample(time.monotonic() - began, rss_bytes(server.pid), server.files(), tasks, ran_ns / 1e9, waited_ns / 1e9)


def watch(server: House, began: float, seconds: float) -> list[Sample]:
    """A sample each second, as far as /metrics answers in time."""
    seen = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen.append(sample(server, began))
        time.sleep(max(0.0, min(1.0, end - time.monotonic())))
    return seen


def deaf_peer(port: int) -> socket.socket:
    """A stream whose answers fill every buffer and are never read."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.connect(("127.0.0.1", port))
    peer.sendall(opening("/speech_summary_stream") + frame(TEXT, b"8000"))
    peer.settimeout(1.0)
    with suppress(TimeoutError):
        peer.sendall(frame(BINARY, bytes(4800)) * 1500)
    return peer


def child(running: ExitStack, module: str, *arguments: object) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    running.callback(process.wait)
    running.callback(process.kill)
    return process


def outcome(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """End a child's input; its last line."""
    lines = process.communicate(timeout=DRAIN_S + 60)[0].splitlines()
    return dict(json.loads(lines[-1])) if lines else {}


def slope(samples: list[Sample]) -> float:
    """Growth of the resident memory, MiB per minute."""
    if len(samples) < 2:
        return 0.0
    fit = statistics.linear_regression([seen.at_s for seen in samples], [seen.rss_bytes / _MIB for seen in samples])
    return fit.slope * 60


def settled(server: House, began: float, files: int, tasks: int) -> Sample:
    """The server once the attackers are gone: at most 30 s later it holds no more than the good streams need."""
    end = time.monotonic() + 30
    while True:
        seen = sample(server, began)
        if (seen.files <= files and seen.tasks <= tasks) or time.monotonic() > end:
            return seen
        time.sleep(0.5)


def soak(seconds: float, streams: int, report: Report) -> list[Criterion]:
    """Run it all."""
    people = speakers()
    if not people:
        sys.exit(f"no recorded speech in {FOLDER}: apt-get install asterisk-core-sounds-en-wav")
    with ExitStack() as running:
        log = Path(running.enter_context(tempfile.TemporaryDirectory())) / "log"
        server = running.enter_context(house(log, **SETTINGS))
        template = server.template_of(people[0].enrol.samples, people[0].enrol.rate_hz)
        good = child(running, "benchmarks.good_stream", server.port, streams, template)
        assert good.stdout is not None
        report.say("rehearsing what the server must answer")
        good.stdout.readline()
        began = time.monotonic()
        while server.gauge("voicestream_tasks") < streams and time.monotonic() < began + SETTLE_S:
            time.sleep(0.2)
        alone = watch(server, began, 5.0)
        report.say(f"{streams} good streams; the attacks begin")
        attackers = child(running, "benchmarks.attacker", server.port, template)
        beside = watch(server, began, seconds)
        attacks = outcome(attackers)
        after = settled(server, began, max(seen.files for seen in alone) + 8, max(seen.tasks for seen in alone) + 16)
        report.say("the attackers are gone; SIGTERM, with a peer that does not read")
        deaf = deaf_peer(server.port)
        assert good.stdin is not None and good.stdout is not None  # noqa: PT018
        good.stdin.write("drain\n")
        good.stdin.flush()
        good.stdout.readline()
        told = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        try:
            code: int | None = server.process.wait(DRAIN_S + 5)
        except subprocess.TimeoutExpired:
            code = None
        drain_s = time.monotonic() - told
        deaf.close()
        told_good = outcome(good)
        entries = server.log()
    defects = [entry for entry in entries if entry.get("level") == "error" or entry["event"] == "no JSON"]
    middle = (beside[0].at_s + beside[-1].at_s) / 2
    first_half = [seen for seen in beside if seen.at_s <= middle]
    second_half = [seen for seen in beside if seen.at_s >= middle]
    show(report, alone, beside, after)
    kinds = sorted({entry["code"] for entry in entries if "code" in entry})
    report.line(
        seconds=seconds, streams=streams, good=told_good, attacks=attacks, refusals_by_kind=len(kinds), log_lines=len(entries),
        rss_alone_mib=round(alone[-1].rss_bytes / _MIB, 1), rss_max_mib=round(max(seen.rss_bytes for seen in beside) / _MIB, 1),
        rss_slope_mib_per_min=round(slope(second_half), 2), files=[alone[-1].files, max(seen.files for seen in beside), after.files],
        tasks=[alone[-1].tasks, max(seen.tasks for seen in beside), after.tasks],
        cpu_share=[share(alone, "cpu_s"), share(beside, "cpu_s")], waited_share=[share(alone, "waited_s"), share(beside, "waited_s")],
        drain_s=round(drain_s, 2), exit_code=code,
    )  # fmt: skip
    for entry in defects[:5]:
        report.say(json.dumps(entry, indent=1))
    # Floods come and go, so peaks are compared: what leaks adds to every one of them.
    growth = max(seen.rss_bytes for seen in second_half) / max(seen.rss_bytes for seen in first_half)
    return [
        Criterion("every good stream complete and correct", told_good["right"] > 0 and not told_good["wrong"], str(told_good)),
        Criterion("every good stream said goodbye to with 1001", told_good["goodbyes"] > 0.9 * streams, str(told_good["goodbyes"])),
        Criterion("every attack came to what it should", attacks["attacks"] > 0 and not attacks["surprises"], str(attacks)),
        Criterion("no defect in the log", not defects, f"{len(defects)} of {len(entries)} lines"),
        Criterion(
            "memory flat", growth < 1.1, f"peak x {growth:.3f} from the first half to the second, there {slope(second_half):+.1f} MiB/min"
        ),
        Criterion("descriptors back", after.files <= max(seen.files for seen in alone) + 8, f"{alone[-1].files} -> {after.files}"),
        Criterion("tasks back", after.tasks <= max(seen.tasks for seen in alone) + 16, f"{alone[-1].tasks} -> {after.tasks}"),
        Criterion("SIGTERM ends it within 30 s", code == 0 and drain_s <= DRAIN_S, f"{drain_s:.1f} s, exit code {code}"),
    ]


def share(samples: list[Sample], of: Literal["cpu_s", "waited_s"]) -> float:
    """Seconds of it per second."""
    return round((getattr(samples[-1], of) - getattr(samples[0], of)) / max(samples[-1].at_s - samples[0].at_s, 1e-9), 3)


def show(report: Report, alone: list[Sample], beside: list[Sample], after: Sample) -> None:
    rows = [
        ("alone", alone[-1]),
        *((f"attacked, {seen.at_s:.0f} s", seen) for seen in beside[:: max(len(beside) // 12, 1)]),
        ("after", after),
    ]
    report.table(
        ("", "RSS MiB", "descriptors", "tasks", "CPU s", "waited for a core s"),
        [
            (name, f"{seen.rss_bytes / _MIB:.1f}", seen.files, seen.tasks, f"{seen.cpu_s:.1f}", f"{seen.waited_s:.1f}")
            for name, seen in rows
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the attacks last")
    parser.add_argument("--streams", type=int, default=200, help="good streams beside them")
    given = parser.parse_args()
    raise_file_limit()
    report = Report("soak")
    criteria = soak(given.seconds, given.streams, report)
    report.table(("criterion", "", "seen"), [(each.name, "met" if each.met else "MISSED", each.seen[:200]) for each in criteria])
    sys.exit(0 if all(each.met for each in criteria) else 1)


if __name__ == "__main__":
    main()
