"""What every benchmark here shares: figures of a process, pinning, medians, one JSON line per figure."""

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

SERVER_CORE, LOAD_CORE = 0, 1


def cpu_ns(pid: int) -> int:
    """CPU time of all threads of a process, in ns: the scheduler's own count."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile
            continue
    return total


def thread_cpu_ns(pid: int) -> int:
    """CPU time of a process's first thread, in ns."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0])


def rss_bytes(pid: int) -> int:
    """Resident memory of a process: RSS of smaps_rollup, without kernel socket buffers."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    raise LookupError("smaps_rollup has no Rss line")


def pin(core: int) -> None:
    """Keep this process on one core; where there is only one, it stays as it is."""
    if core in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {core})


def raise_file_limit() -> None:
    """As many descriptors as the system allows this process."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def commit() -> str:
    """Short hash of the tree's commit, with a + when files differ from it."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+", "--abbrev=10", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def machine() -> str:
    """Processor, cores, kernel and Python, in words."""
    names = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    name = names[0] if names else platform.machine()
    return f"{name}, {os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}"


class Report:
    """Prints a JSON line per figure to standard output, and tables to standard error for the reader."""

    def __init__(self, benchmark: str) -> None:
        self._fixed = {"benchmark": benchmark, "commit": commit(), "machine": machine()}

    def line(self, **figures: object) -> None:
        print(json.dumps(self._fixed | figures), flush=True)

    def say(self, text: str = "") -> None:
        print(text, file=sys.stderr, flush=True)

    def table(self, head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
        """Columns as wide as their widest cell; the first to the left, the others to the right."""
        lines = [[str(cell) for cell in row] for row in (head, *rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        for line in lines:
            cells = [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
            self.say("  ".join(cells).rstrip())
        self.say()


def median(values: Iterable[float]) -> float:
    return statistics.median(values)
