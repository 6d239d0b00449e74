"""What the server counts, as plain numbers, and the page that tells them to Prometheus.

Counting must cost nothing at 25,000 messages/s: a live session adds to the attributes of its own `Tally`,
events of lower rate add to dicts, and the families of the exposition format are built when somebody asks.
Everything here is touched by the trio thread alone, so there are no locks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

import trio
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SCORE = tuple(round(-1 + 0.1 * step, 1) for step in range(21))
_LAG_PERIOD_S = 0.25
_Labels = TypeVar("_Labels", bound=tuple[str, ...])


@dataclass(slots=True, eq=False)  # by identity: two sessions with equal counts are two sessions
class Tally:
    """Counts of one live session; the conversation loop adds to them directly."""

    protocol: str
    operation: str
    messages_in: int = 0
    messages_out: int = 0
    audio_s: float = 0.0
    speech_s: float = 0.0


class Histogram:
    """How often a value fell under each bound; `observe` is a bisection and two additions."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def cumulative(self) -> tuple[list[tuple[str, float]], float]:
        """The `le` buckets as Prometheus wants them, each counting all below, and the sum of all values."""
        names = [*map(str, self._bounds), "+Inf"]
        return list(zip(names, map(float, accumulate(self._counts)), strict=True)), self._sum


class Metrics(Collector):
    """The numbers of one server. `models`: name -> SHA-256 of the weights in hex, for the build information."""

    def __init__(self, version: str, models: Mapping[str, str]) -> None:
        self._version = version
        self._models = dict(models)
        self._live: set[Tally] = set()
        self._ended: dict[tuple[str, str], Tally] = {}  # totals of sessions that are over, by protocol and operation
        self._outcomes: Counter[tuple[str, str, str]] = Counter()
        self._closes: Counter[tuple[str, str]] = Counter()
        self._calls: Counter[tuple[str, str]] = Counter()
        self._handshakes_refused: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._templates_refused: Counter[str] = Counter()
        self._jobs_waiting: Counter[str] = Counter()
        self._job_wait_s: dict[str, Histogram] = {}
        self._score_latency_s: dict[str, Histogram] = {}
        self._score: dict[str, Histogram] = {}
        self._loop_lag_s = Histogram(LATENCY_S)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    # ---- sessions

    def begin(self, protocol: str, operation: str) -> Tally:
        """A session has begun; the caller counts in the Tally and hands it to `end`."""
        tally = Tally(protocol, operation)
        self._live.add(tally)
        return tally

    def end(self, tally: Tally, outcome: str, close_code: int | None = None, *, by_us: bool = False) -> None:
        """The session is over: `outcome` a fixed word (`completed`, `failed`, `timeout`, ...).

        close_code: of its WebSocket, None where there was none or it is counted elsewhere; by_us: it was ours.
        """
        self._live.remove(tally)
        key = (tally.protocol, tally.operation)
        _add(self._ended.setdefault(key, Tally(*key)), tally)
        self._outcomes[*key, outcome] += 1
        if close_code is not None:
            self._closes["server" if by_us else "peer", str(close_code)] += 1

    def call_ended(self, kind: str, outcome: str) -> None:
        """A das-Peak session has ended: register or verify, and a fixed word (`approved`, `spoof`, `failed`, ...)."""
        self._calls[kind, outcome] += 1

    def handshake_refused(self, reason: str) -> None:
        """An upgrade got an HTTP refusal; `reason` a fixed word (`overload`, `origin`, `path`, `head`, ...)."""
        self._handshakes_refused[reason] += 1

    def fault(self, code: str) -> None:
        """A peer was refused something with this numbered code."""
        self._faults[code] += 1

    def template_refused(self, code: str) -> None:
        """A template was not accepted, for the reason with this numbered code."""
        self._templates_refused[code] += 1

    # ---- work

    def job_queued(self, model: str) -> None:
        self._jobs_waiting[model] += 1

    def job_started(self, model: str, waited_s: float) -> None:
        """A queued Job got its thread (or gave up waiting: it no longer waits either way)."""
        self._jobs_waiting[model] -= 1
        _histogram(self._job_wait_s, model, LATENCY_S).observe(waited_s)

    def scored(self, model: str, score: float, latency_s: float) -> None:
        """A window was scored, `latency_s` after the audio that completed it arrived."""
        _histogram(self._score, model, _SCORE).observe(score)
        _histogram(self._score_latency_s, model, LATENCY_S).observe(latency_s)

    async def watch_loop(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Measure for ever how late the event loop wakes a sleeper."""
        task_status.started()
        while True:
            due = trio.current_time() + _LAG_PERIOD_S
            await trio.sleep_until(due)
            self._loop_lag_s.observe(trio.current_time() - due)

    # ---- the page

    def include(self, figures: Collector) -> None:
        """Show these on the page too."""
        self._registry.register(figures)

    def page(self) -> tuple[bytes, str]:
        """The page `/metrics` and its content type (Prometheus text exposition format)."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def collect(self) -> Iterator[Metric]:
        active = Counter((tally.protocol, tally.operation) for tally in self._live)
        totals = {key: Tally(*key) for key in self._ended | dict.fromkeys(active)}
        for tally in [*self._ended.values(), *self._live]:
            _add(totals[tally.protocol, tally.operation], tally)
        where = ["protocol", "operation"]

        # A kind of session that was ever seen stays at 0: a series that vanishes cannot be alerted on.
        yield _gauge("sessions_active", "Sessions going on", where, {key: active[key] for key in totals})
        yield _counter("sessions", "Sessions that ended", [*where, "outcome"], self._outcomes)
        yield _counter("closes", "WebSocket closes by who closed and with which code", ["side", "code"], self._closes)
        yield _counter("calls", "das-Peak sessions that ended", ["kind", "outcome"], self._calls)
        yield _counter("handshakes_refused", "Refused upgrades", ["reason"], _one_label(self._handshakes_refused))
        messages = {(*key, "in"): tally.messages_in for key, tally in totals.items()}
        messages |= {(*key, "out"): tally.messages_out for key, tally in totals.items()}
        yield _counter("messages", "WebSocket messages", [*where, "direction"], messages)
        yield _counter("audio_seconds", "Audio received", where, {key: tally.audio_s for key, tally in totals.items()})
        yield _counter("speech_seconds", "Speech found in it", where, {key: tally.speech_s for key, tally in totals.items()})
        yield _counter("faults", "Refusals by numbered code", ["code"], _one_label(self._faults))
        yield _counter("templates_refused", "Templates not accepted", ["code"], _one_label(self._templates_refused))
        yield _gauge("jobs_waiting", "Heavy work waiting for a thread", ["model"], _one_label(self._jobs_waiting))
        yield _histograms("job_wait_seconds", "Wait of heavy work for a thread", self._job_wait_s)
        yield _histograms("score_latency_seconds", "From the completing audio to the score", self._score_latency_s)
        yield _histograms("score", "Cosine scores of verified windows", self._score)
        lag = HistogramMetricFamily("voicestream_loop_lag_seconds", "How late the event loop woke a sleeper")
        lag.add_metric([], *self._loop_lag_s.cumulative())
        yield lag
        if trio.lowlevel.in_trio_run():
            tasks = trio.lowlevel.current_statistics().tasks_living
            yield GaugeMetricFamily("voicestream_tasks", "Tasks of the event loop: about two per connection", value=tasks)
        build = GaugeMetricFamily("voicestream_build_info", "What is running", labels=["version", "model", "model_hash"])
        for model, digest in self._models.items():
            build.add_metric([self._version, model, digest], 1)
        yield build


def _add(total: Tally, tally: Tally) -> None:
    total.messages_in += tally.messages_in
    total.messages_out += tally.messages_out
    total.audio_s += tally.audio_s
    total.speech_s += tally.speech_s


def _histogram(table: dict[str, Histogram], label: str, bounds: tuple[float, ...]) -> Histogram:
    return table.get(label) or table.setdefault(label, Histogram(bounds))


def _one_label(counts: Mapping[str, int]) -> dict[tuple[str, ...], int]:
    return {(label,): count for label, count in counts.items()}


def _counter(name: str, text: str, labels: list[str], values: Mapping[_Labels, float]) -> Metric:
    family = CounterMetricFamily(f"voicestream_{name}", text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _gauge(name: str, text: str, labels: list[str], values: Mapping[_Labels, float]) -> Metric:
    family = GaugeMetricFamily(f"voicestream_{name}", text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _histograms(name: str, text: str, table: Mapping[str, Histogram]) -> Metric:
    family = HistogramMetricFamily(f"voicestream_{name}", text, labels=["model"])
    for model, histogram in table.items():
        family.add_metric([model], *histogram.cumulative())
    return family
