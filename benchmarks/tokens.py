"""The token endpoint: verifications of known credentials per second, and whether a refusal's time tells who exists.

    python -m benchmarks.tokens [--connections N] [--seconds S] [--tries N] [--quick]

Keep-alive connections ask for tokens as fast as they are given them, server on core 0, clients on core 1; beside it the same
HTTP server with an empty view, which is what the endpoint cannot beat. Then an unknown client and a wrong secret take
turns from addresses of their own, so that nobody is slowed down for guessing.
"""

import argparse
import select
import socket
import tempfile
import time
import urllib.parse
from contextlib import ExitStack
from pathlib import Path

from benchmarks.call_access import PUBLIC_URL, Credentials
from benchmarks.fleet import Server, peer, voicestream
from benchmarks.measure import LOAD_CORE, Report, cpu_ns, median, pin, raise_file_limit

PATH = "/oauth2/token"
PEER = "benchmarks.peers.empty_view"
WARM_S = 1.0
MANY = {"connections": 10_000, "connections_per_address": 10_000}


def request(client_id: str, secret: str) -> bytes:
    """A token request, kept alive."""
    body = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret})
    form = "application/x-www-form-urlencoded"
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {form}\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


class Asker:
    """A connection that asks again as soon as it is answered."""

    def __init__(self, port: int, asked: bytes, address: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(address, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._asked = asked
        self._heard = b""

    def ask(self) -> None:
        self.socket.sendall(self._asked)

    def heard(self) -> tuple[int, bytes] | None:
        """Status and body of the answer, when it is whole."""
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError("the server closed a connection that is kept alive")
        self._heard += data
        head, end, body = self._heard.partition(b"\r\n\r\n")
        if not end:
            return None
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        if len(body) < length:
            return None
        self._heard = body[length:]
        return int(head[9:12]), body[:length]


def rate(server: Server, asked: bytes, connections: int, seconds: float) -> tuple[float, float]:
    """Answers per second, all 200, and CPU us of the server for each."""
    first = Asker(server.port, asked)
    first.ask()  # alone: from now on the client's secret is remembered
    while first.heard() is None:
        pass
    first.socket.close()
    epoll = select.epoll()
    askers = {one.socket.fileno(): one for one in (Asker(server.port, asked) for _ in range(connections))}
    for number, asker in askers.items():
        epoll.register(number, select.EPOLLIN)
        asker.ask()
    answers, counted, cpu, began = 0, 0, 0, 0.0
    end = time.monotonic() + WARM_S
    while (now := time.monotonic()) < end or not began:
        if now >= end:
            counted, cpu, began = answers, cpu_ns(server.pid), now
            end = now + seconds
        for number, _ in epoll.poll(0.1):
            answer = askers[number].heard()
            if answer is not None:
                assert answer[0] == 200, answer
                answers += 1
                askers[number].ask()
    answers -= counted
    cpu = cpu_ns(server.pid) - cpu
    took = time.monotonic() - began
    epoll.close()
    for asker in askers.values():
        asker.socket.close()
    return answers / took, cpu / 1e3 / answers


def refusals_ms(server: Server, known: str, tries: int) -> dict[str, list[float]]:
    """How long an unknown client and a wrong secret took to be refused, in turns."""
    asked = {"unknown client": request("c" + 19 * "0", "no secret"), "wrong secret": request(known, "no secret")}
    seen: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(tries):
        for name in list(asked)[:: 1 if number % 2 else -1]:  # neither is always the second
            asker = Asker(server.port, asked[name], f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}")
            began = time.monotonic()
            asker.ask()
            while (answer := asker.heard()) is None:
                pass
            seen[name].append((time.monotonic() - began) * 1e3)
            assert answer[0] == 401, answer
            asker.socket.close()
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tokens", description="the token endpoint")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tries", type=int, default=2000, help="refusals of each kind")
    parser.add_argument("--quick", action="store_true", help="one round of two seconds, 50 refusals")
    options = parser.parse_args()
    rounds, seconds, tries = (1, 2.0, 50) if options.quick else (options.rounds, options.seconds, options.tries)
    raise_file_limit()
    report = Report("tokens")
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory())) / "data"
        credentials = Credentials.make(folder)
        ours = running.enter_context(voicestream(data_folder=folder, public_url=PUBLIC_URL, **MANY))
        empty = {f"empty {name}": running.enter_context(peer(PEER, name)) for name in ("quart", "asgi")}
        pin(LOAD_CORE)  # not before the servers have started, who would inherit it
        asked = request(credentials.client_id, credentials.client_secret)
        seen: dict[str, list[tuple[float, float]]] = {}
        for count in range(rounds):
            for name, server in {"voicestream": ours, **empty}.items():
                per_s, us = rate(server, asked, options.connections, seconds)
                seen.setdefault(name, []).append((per_s, us))
                report.line(server=name, round=count, connections=options.connections, per_s=per_s, cpu_us=us)
        rows = [[name, f"{median(s for s, _ in all_):.0f}", f"{median(us for _, us in all_):.0f}"] for name, all_ in seen.items()]
        report.say(f"{options.connections} connections, median of {rounds}")
        report.table(["server", "answers/s", "CPU us"], rows)
        medians = {name: median(times) for name, times in refusals_ms(ours, credentials.client_id, tries).items()}
        apart_ms = abs(medians["unknown client"] - medians["wrong secret"])
        report.line(tries=tries, apart_ms=apart_ms, **{f"{name} median_ms": value for name, value in medians.items()})
        told = ", ".join(f"{name} {value:.2f} ms" for name, value in medians.items())
        report.say(f"median of a refusal: {told}; {apart_ms:.2f} apart")


if __name__ == "__main__":
    main()
