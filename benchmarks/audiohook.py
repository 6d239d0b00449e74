"""How long an AudioHook client waits for `opened` while many streams run: Genesys gives up after 5 s, we promise 250 ms.

    python -m benchmarks.audiohook [--streams N] [--opens N]

Four processes: the server, two with half of the streams each (200 ms of audio five times a second), and one that opens sessions
and times them. The server's share of a core and the time it waited for one stand beside: latencies are the whole machine's.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import trio
from trio_websocket import open_websocket

from benchmarks.house import house
from benchmarks.measure import Report, cpu_ns, raise_file_limit
from voicestream.store.api_key import add_key
from voicestream.store.database import FILE_NAME, Database

_PATH = "/daspeak-stream/v1/audiohook"
_MEDIA = {"type": "audio", "format": "PCMU", "channels": ["external"], "rate": 8000}
_PACE_S = 0.02  # between the openings of one process
_PIECE = b"\xff" * 1600
_SETTLE_S = 1.0
_SETTINGS = {"call_hold_s": 600, "connections_per_address": 5000}  # held, not asked for: nobody pauses them


async def _session(port: int, key: str, waits_s: list[float], over: trio.Event) -> None:
    """Open, be timed, be pinged, and stream until all is over."""
    session, somebody = str(uuid.uuid4()), str(uuid.uuid4())
    ids = {"Organization": somebody, "Session": session, "Correlation": somebody}
    fields = [(f"Audiohook-{name}-Id".encode(), value.encode()) for name, value in ids.items()]
    participant = {"id": somebody, "ani": "", "aniName": "", "dnis": ""}
    opening = {"organizationId": somebody, "conversationId": str(uuid.uuid4()), "participant": participant, "media": [_MEDIA]}
    envelope = {"version": "2", "id": session, "position": "PT0S"}
    async with open_websocket("127.0.0.1", port, _PATH, use_ssl=False, extra_headers=[*fields, (b"X-API-KEY", key.encode())]) as websocket:
        began = time.perf_counter()
        await websocket.send_message(json.dumps({**envelope, "type": "open", "seq": 1, "serverseq": 0, "parameters": opening}))
        assert '"opened"' in await websocket.get_message()
        waits_s.append(time.perf_counter() - began)
        await websocket.send_message(json.dumps({**envelope, "type": "ping", "seq": 2, "serverseq": 1, "parameters": {}}))
        assert '"pong"' in await websocket.get_message()
        while not over.is_set():
            await websocket.send_message(_PIECE)
            with trio.move_on_after(len(_PIECE) / 8000):
                await over.wait()


async def _crowd(port: int, key: str, count: int, stay_s: float) -> list[float]:
    """The waits of `count` sessions, in seconds, shortest first."""
    waits_s: list[float] = []
    over = trio.Event()
    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(_session, port, key, waits_s, over)
            await trio.sleep(_PACE_S)
        await trio.sleep(stay_s)
        over.set()
    return sorted(waits_s)


def _waited_ns(pid: int) -> int:
    """For how long the process was ready and others had the cores."""
    return sum(int((task / "schedstat").read_text().split()[1]) for task in Path(f"/proc/{pid}/task").iterdir())


def _measure(folder: Path, streams: int, opens: int, report: Report) -> None:
    database = Database(folder / FILE_NAME)
    _, key = add_key(database, "benchmark", "benchmark", time.time())
    database.close()
    with house(folder / "log", data_folder=folder, **_SETTINGS) as running:
        ramp_s, timed_s = streams / 2 * _PACE_S, opens * _PACE_S
        command = [sys.executable, "-m", "benchmarks.audiohook", "--crowd", f"{running.port} {key}"]
        stay = str(timed_s + 5 * _SETTLE_S)
        loads = [subprocess.Popen([*command, "--opens", str(streams // 2), "--stay", stay]) for _ in range(2)]
        time.sleep(ramp_s + 2 * _SETTLE_S)
        before, began = (cpu_ns(running.pid), _waited_ns(running.pid)), time.perf_counter()
        done = subprocess.run([*command, "--opens", str(opens), "--stay", "0"], capture_output=True, text=True, check=True)
        wall_ns = (time.perf_counter() - began) * 1e9
        busy, waited = cpu_ns(running.pid) - before[0], _waited_ns(running.pid) - before[1]
        for load in loads:
            load.wait()
    waits_ms = [1000 * wait_s for wait_s in json.loads(done.stdout)]
    report.line(
        streams=streams,
        opens=len(waits_ms),
        opened_ms_p50=round(waits_ms[len(waits_ms) // 2], 2),
        opened_ms_p99=round(waits_ms[len(waits_ms) * 99 // 100], 2),
        server_cpu_share=round(busy / wall_ns, 3),
        server_waited_share=round(waited / wall_ns, 3),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--opens", type=int, default=200)
    parser.add_argument("--crowd", help=argparse.SUPPRESS)  # port and key: this process is a crowd
    parser.add_argument("--stay", type=float, default=0.0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    raise_file_limit()
    if options.crowd is None:
        with tempfile.TemporaryDirectory() as folder:
            _measure(Path(folder), options.streams, options.opens, Report("audiohook"))
        return
    port, key = options.crowd.split()
    waits_s = trio.run(_crowd, int(port), key, options.opens, options.stay)
    if options.stay == 0:
        print(json.dumps(waits_s))


if __name__ == "__main__":
    main()
