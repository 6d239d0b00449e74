"""The load generator, a process of its own: connects, drives and measures as told, one JSON job per line of its input.

    python -m benchmarks.load < jobs        {"port": 8080, "path": "/", "pid": 4711, "connections": 1000, ...} -> one JSON line each

Handshakes are plain Python; what must be fast is in load_kernel.py. A job and its answer are the two
dataclasses below. The measured process's CPU time is read at both ends of the window.
"""

import json
import select
import socket
import sys
import time
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks import load_kernel
from benchmarks.load_kernel import masked
from benchmarks.measure import LOAD_CORE, cpu_ns, pin, raise_file_limit, rss_bytes

SAMPLES = 4_000_000  # latencies kept per job
_KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # the example of RFC 6455: a generator needs no secret


@dataclass(frozen=True, slots=True)
class Job:
    """One measurement. Saturated with `ahead` > 0, paced with `interval_s` > 0, only connected with neither."""

    port: int
    pid: int  # the process whose CPU and memory are measured
    connections: int
    path: str = "/"
    size_bytes: int = 320
    payloads: str = ""  # file of equal messages of `size_bytes`, sent in turn; "": noise
    texts: list[str] = field(default_factory=list)  # sent after the opening, each answered before the next
    per_answer: int = 1  # messages to one answer
    ahead: int = 0
    interval_s: float = 0.0
    warmup_s: float = 0.5
    window_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was seen. Counts without a note are of the window; times in ms from a message's send to its answer."""

    cpu_us_per_message: float
    cpu_share: float  # CPU seconds of the server per second
    messages_per_s: float
    answer_p50_ms: float
    answer_p99_ms: float
    answer_max_ms: float
    sent: int  # messages, whole job
    answered: int  # answers, whole job
    missing: int  # answers that had not come 5 s after the end
    gone: int  # connections the server ended
    late_share: float  # messages sent over 1 ms after their date: the generator's own fault
    received_bytes: int  # whole job
    connect_s: float
    rss_before_bytes: int  # server, before the first connection
    rss_open_bytes: int  # all connected
    rss_end_bytes: int  # at the end of the window


def open_websocket(port: int, path: str, texts: list[str], address: str = "127.0.0.1") -> socket.socket:
    """Connect, upgrade, and say `texts`, each answered before the next. ConnectionError when the server will not."""
    connection = socket.create_connection((address, port), timeout=20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(
        b"GET %b HTTP/1.1\r\nHost: localhost:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: %b\r\nSec-WebSocket-Version: 13\r\n\r\n" % (path.encode(), port, _KEY)
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        if not piece:
            raise ConnectionError(f"no answer to the upgrade, only {head!r}")
        head += piece
    if b" 101 " not in head.partition(b"\r\n")[0]:
        raise ConnectionError(head.decode("ascii", "replace"))
    for text in texts:
        payload = np.frombuffer(text.encode(), np.uint8)[None]
        connection.sendall(masked(payload, opcode=1).tobytes())
        answer = connection.recv(64)
        if answer != b"\x81\x03200":
            raise ConnectionError(f"{path} answered {answer!r}")
    return connection


class Crowd:
    """Open connections and where each of them stands."""

    def __init__(self, job: Job, bank: NDArray[np.uint8]) -> None:
        self.job = job
        self.bank = bank
        self.sockets = [open_websocket(job.port, job.path, job.texts) for _ in range(job.connections)]
        self.epoll = select.epoll()
        self.fds = np.array([connection.fileno() for connection in self.sockets], np.int32)
        self.row_of_fd = np.zeros(int(self.fds.max()) + 1, np.int64)
        for row, connection in enumerate(self.sockets):
            connection.setblocking(False)
            self.epoll.register(connection, select.EPOLLIN)
            self.row_of_fd[connection.fileno()] = row
        # Streams begin at places of the recording that have nothing to do with each other.
        self.first = (np.arange(job.connections, dtype=np.int64) * 7919) % len(bank)
        self.state = np.zeros((job.connections, load_kernel.COLUMNS), np.int64)
        self.dates_ns = np.zeros((job.connections, load_kernel.RING), np.int64)
        self.totals = np.zeros(8, np.int64)
        self.begin_ns = 0

    def drive(self, seconds: float, latencies_s: NDArray[np.float32], *, send: bool = True) -> None:
        """Go on for so long; without `send`, until every message is answered at most."""
        now_ns = time.monotonic_ns()
        self.begin_ns = self.begin_ns or now_ns
        ahead, interval_ns = (self.job.ahead, round(self.job.interval_s * 1e9)) if send else (0, 0)
        load_kernel.drive(
            self.epoll.fileno(), self.row_of_fd, self.fds, self.bank, self.first, ahead, interval_ns, self.job.per_answer,
            self.begin_ns, now_ns + round(seconds * 1e9), self.state, self.dates_ns, latencies_s, self.totals,
        )  # fmt: skip

    def close(self) -> None:
        self.epoll.close()
        for connection in self.sockets:
            # A reset, so that thousands of connections in TIME_WAIT do not use up the ports.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()


def frames_of(job: Job) -> NDArray[np.uint8]:
    """The messages of a job as masked frames (frames, bytes) uint8."""
    if job.payloads:
        data = np.fromfile(job.payloads, np.uint8)
        return masked(data[: len(data) // job.size_bytes * job.size_bytes].reshape(-1, job.size_bytes))
    return masked(np.random.default_rng(1).integers(0, 256, (64, job.size_bytes), np.uint8))


def run(job: Job) -> Outcome:
    """Do it; ConnectionError when the server does not take part."""
    bank = frames_of(job)
    rss_before = rss_bytes(job.pid)
    began = time.monotonic()
    crowd = Crowd(job, bank)
    connect_s = time.monotonic() - began
    try:
        none, latencies_s = np.empty(0, np.float32), np.empty(SAMPLES, np.float32)
        rss_open = rss_bytes(job.pid)
        crowd.drive(job.warmup_s, none)
        before, cpu_before, began = crowd.totals.copy(), cpu_ns(job.pid), time.monotonic()
        crowd.drive(job.window_s, latencies_s)
        cpu, seconds = cpu_ns(job.pid) - cpu_before, time.monotonic() - began
        during = crowd.totals - before
        rss_end = rss_bytes(job.pid)
        crowd.drive(5.0, none, send=False)
    finally:
        crowd.close()
    totals = crowd.totals
    messages = int(during[load_kernel.T_ANSWERED]) * job.per_answer
    seen_ms = np.sort(latencies_s[: during[load_kernel.T_LATENCIES]]) * 1e3
    p50, p99, highest = (float(np.quantile(seen_ms, q, method="higher")) if len(seen_ms) else 0.0 for q in (0.5, 0.99, 1.0))
    return Outcome(
        cpu_us_per_message=cpu / 1e3 / max(messages, 1),
        cpu_share=cpu / 1e9 / seconds,
        messages_per_s=messages / seconds,
        answer_p50_ms=p50,
        answer_p99_ms=p99,
        answer_max_ms=highest,
        sent=int(totals[load_kernel.T_SENT]),
        answered=int(totals[load_kernel.T_ANSWERED]),
        missing=int((crowd.state[:, load_kernel.SENT] // job.per_answer - crowd.state[:, load_kernel.ANSWERED]).sum()),
        gone=int(totals[load_kernel.T_GONE]),
        late_share=float(during[load_kernel.T_LATE] / max(during[load_kernel.T_SENT], 1)),
        received_bytes=int(totals[load_kernel.T_BYTES]),
        connect_s=connect_s,
        rss_before_bytes=rss_before,
        rss_open_bytes=rss_open,
        rss_end_bytes=rss_end,
    )


def main() -> None:
    pin(LOAD_CORE)
    raise_file_limit()
    for line in sys.stdin:
        print(json.dumps(asdict(run(Job(**json.loads(line))))), flush=True)


if __name__ == "__main__":
    main()
