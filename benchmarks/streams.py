"""The whole path: live streams of recorded speech through the real server, beside the same services written the usual way.

    python -m benchmarks.streams [--streams N] [--rounds N] [--seconds S] [--quick]

Each stream sends 20 ms of PCM16 at 16 kHz every 20 ms and gets an answer to each; phases are spread evenly, every
stream is at another place of the recording. The server has core 0, the generator core 1. First 200 streams on
both, which both can bear: CPU per message side by side. Then the number asked for: is every message answered, and how
late; the peer may be overloaded there. The peer is peers/services.py: websockets (asyncio), webrtcvad, kaldi-native-fbank, numpy, json.
"""

import argparse
import json
import sys
import tempfile
import urllib.request
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from websockets.sync.client import connect

from benchmarks.fleet import Generator, Server, generator, peer, voicestream
from benchmarks.load import Job, Outcome
from benchmarks.measure import Report, median, raise_file_limit
from voicestream.cli.prompt import FOLDER, speakers
from voicestream.dsp.resample import resample

RATE_HZ = 16_000
MESSAGE_BYTES = 640
INTERVAL_S = 0.02
PEER = "benchmarks.peers.services"
COMPARED_STREAMS = 200
SETTLED_S = 4.5  # every stream has its first window by then
MANY = {"connections": 10_000, "connections_per_address": 10_000}


def recording() -> NDArray[np.int16]:
    """About a minute of several people's speech with pauses, 16 kHz int16; ends the program when it is not installed."""
    people = speakers()
    if not people:
        sys.exit(f"no recorded speech in {FOLDER}: apt-get install asterisk-core-sounds-en-wav")
    parts = [resample((person.test.samples / 32768).astype(np.float32), person.test.rate_hz, RATE_HZ) for person in people]
    return (np.clip(np.concatenate(parts), -1, 1) * 32767).astype(np.int16)


def template_of(server: Server, samples: NDArray[np.int16]) -> str:
    """A voice template, made by the server from samples at RATE_HZ."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/voice_template_factory/create_voice_template_from_samples?sample_rate={RATE_HZ}",
        samples.tobytes(),
        {"Content-Type": "application/octet-stream"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer))


def check_equal(server: Server, path: str, texts: list[str], audio: bytes) -> None:
    """One answer per message, of the shape and the counts that the specification fixes; AssertionError if not."""
    with connect(f"ws://127.0.0.1:{server.port}{path}", compression=None) as client:
        for text in texts:
            client.send(text)
            assert client.recv(timeout=10) == "200", f"{path} refuses a parameter"
        answers = []
        for start in range(0, len(audio), MESSAGE_BYTES):
            client.send(audio[start : start + MESSAGE_BYTES])
            answers.append(json.loads(client.recv(timeout=10)))
    samples = len(audio) // 2
    if "summary" in path:
        last = answers[-1]["current_speech_summary"]
        assert len(last["vad_result"]["frames"]) == samples * 100 // (3 * RATE_HZ)
        assert abs(last["total_length"] - samples / RATE_HZ) < 1e-3
        assert answers[-1]["speech_events"][0]["audio_interval"]["start_sample"] == 0
    else:
        elements = [element for answer in answers for element in answer]
        assert [element["audio_interval"]["end_time"] for element in elements] == list(range(3000, samples * 1000 // RATE_HZ + 1, 1000))
        assert all(-1 <= element["verify_result"]["score"] <= 1 for element in elements)


class Bench:
    """The servers, the generator and the audio."""

    def __init__(self, running: ExitStack, seconds: float, report: Report) -> None:
        self.report = report
        self.seconds = seconds
        self.load: Generator = running.enter_context(generator())
        self.ours = running.enter_context(voicestream(**MANY))
        self.theirs = running.enter_context(peer(PEER))
        samples = recording()
        self._payloads = Path(running.enter_context(tempfile.TemporaryDirectory())) / "payloads"
        self._payloads.write_bytes(samples.tobytes())
        self.texts = {
            "/speech_summary_stream": [str(RATE_HZ)],
            "/voice_verify_stream": [template_of(self.ours, samples[: 20 * RATE_HZ]), str(RATE_HZ), "10", "3"],
        }
        for path, texts in self.texts.items():
            for server in (self.ours, self.theirs):
                check_equal(server, path, texts, samples[: 6 * RATE_HZ].tobytes())
        report.say("both servers answer every message, with equal counts\n")

    def run(self, server: Server, path: str, streams: int) -> Outcome:
        job = Job(
            server.port, server.pid, streams, path=path, size_bytes=MESSAGE_BYTES, payloads=str(self._payloads), texts=self.texts[path],
            interval_s=INTERVAL_S, warmup_s=SETTLED_S, window_s=self.seconds,
        )  # fmt: skip
        outcome = self.load.run(job)
        if outcome.gone:
            raise RuntimeError(f"{path}: the server ended {outcome.gone} of {streams} streams")
        return outcome

    def compare(self, rounds: int) -> None:
        """CPU us per message of both, interleaved."""
        seen: dict[tuple[str, str], list[float]] = {}
        for count in range(rounds):
            for path in self.texts:
                for name, server in (("voicestream", self.ours), ("usual way", self.theirs)):
                    outcome = self.run(server, path, COMPARED_STREAMS)
                    seen.setdefault((path, name), []).append(outcome.cpu_us_per_message)
                    self.report.line(server=name, path=path, streams=COMPARED_STREAMS, round=count, **asdict(outcome))
        rows = []
        for path in self.texts:
            ours, theirs = median(seen[path, "voicestream"]), median(seen[path, "usual way"])
            rows.append([path, f"{ours:.1f}", f"{theirs:.1f}", f"{theirs / ours:.2f}"])
            self.report.line(path=path, streams=COMPARED_STREAMS, median_ours_us=ours, median_usual_us=theirs, ratio=theirs / ours)
        self.report.say(f"CPU us per message, {COMPARED_STREAMS} streams, median of {rounds}")
        self.report.table(["service", "voicestream", "usual way", "ratio"], rows)

    def crowd(self, streams: int) -> None:
        """Both with that many streams: a fresh server for each row, so that memory is its own (templates are not sealed)."""
        rows = []
        for path in self.texts:
            for name, fresh in (("voicestream", voicestream(**MANY)), ("usual way", peer(PEER))):
                with fresh as server:
                    outcome = self.run(server, path, streams)
                kib = (outcome.rss_end_bytes - outcome.rss_before_bytes) / streams / 1024
                self.report.line(server=name, path=path, streams=streams, kib_per_stream=kib, **asdict(outcome))
                answered = f"{outcome.answered} of {outcome.sent}"
                times = f"{outcome.answer_p50_ms:.1f} / {outcome.answer_p99_ms:.1f} / {outcome.answer_max_ms:.0f}"
                us, share, late = f"{outcome.cpu_us_per_message:.1f}", f"{outcome.cpu_share:.0%}", f"{outcome.late_share:.1%}"
                rows.append([f"{path}, {name}", answered, times, us, share, f"{kib:.0f}", late])
        self.report.say(f"{streams} streams on one core")
        head = ["service", "answered", "answer ms p50 / p99 / max", "CPU us/message", "core", "KiB/stream", "sent late"]
        self.report.table(head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streams", description="live streams through the whole server")
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="measured time of each run")
    parser.add_argument("--quick", action="store_true", help="one round of two seconds")
    options = parser.parse_args()
    rounds, seconds = (1, 2.0) if options.quick else (options.rounds, options.seconds)
    raise_file_limit()
    with ExitStack() as running:
        bench = Bench(running, seconds, Report("streams"))
        bench.compare(rounds)
        bench.crowd(options.streams)


if __name__ == "__main__":
    main()
