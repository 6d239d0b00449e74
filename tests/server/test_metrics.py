"""Counts reach the page, and Prometheus' own parser reads it."""

import math

import trio
from prometheus_client.parser import text_string_to_metric_families
from trio.testing import MockClock, wait_all_tasks_blocked

from voicestream.server.metrics import Histogram, Metrics


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    page, content_type = metrics.page()
    assert content_type.startswith("text/plain")
    families = text_string_to_metric_families(page.decode())
    return {
        (sample.name.removeprefix("voicestream_"), frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return samples(metrics).get((name, frozenset(labels.items())))


def test_a_live_session_is_counted_while_it_lives_and_after() -> None:
    metrics = Metrics("1.0", {})
    where = {"protocol": "idvoice", "operation": "summary"}
    tally, other = metrics.begin(**where), metrics.begin(**where)
    tally.messages_in += 3
    tally.audio_s += 1.5
    other.messages_in += 4
    assert value(metrics, "sessions_active", **where) == 2
    assert value(metrics, "messages_total", direction="in", **where) == 7
    metrics.end(tally, "completed", 1000, by_us=False)
    assert value(metrics, "sessions_active", **where) == 1
    assert value(metrics, "messages_total", direction="in", **where) == 7
    assert value(metrics, "audio_seconds_total", **where) == 1.5
    assert value(metrics, "sessions_total", outcome="completed", **where) == 1
    assert value(metrics, "closes_total", side="peer", code="1000") == 1
    metrics.end(other, "timeout", 1008, by_us=True)
    assert value(metrics, "sessions_active", **where) == 0
    assert value(metrics, "messages_total", direction="in", **where) == 7
    assert value(metrics, "closes_total", side="server", code="1008") == 1


def test_refusals_by_reason_and_code() -> None:
    metrics = Metrics("1.0", {})
    metrics.handshake_refused("overload")
    metrics.fault("VS1203")
    metrics.fault("VS1203")
    metrics.template_refused("VS3001")
    assert value(metrics, "handshakes_refused_total", reason="overload") == 1
    assert value(metrics, "faults_total", code="VS1203") == 2
    assert value(metrics, "templates_refused_total", code="VS3001") == 1


def test_work_waits_and_scores() -> None:
    metrics = Metrics("1.0", {})
    metrics.job_queued("mfcc")
    assert value(metrics, "jobs_waiting", model="mfcc") == 1
    metrics.job_started("mfcc", 0.2)
    metrics.scored("mfcc", 0.55, 0.003)
    assert value(metrics, "jobs_waiting", model="mfcc") == 0
    assert value(metrics, "job_wait_seconds_bucket", model="mfcc", le="0.1") == 0
    assert value(metrics, "job_wait_seconds_bucket", model="mfcc", le="0.25") == 1
    assert value(metrics, "score_bucket", model="mfcc", le="0.5") == 0
    assert value(metrics, "score_bucket", model="mfcc", le="0.6") == 1
    assert value(metrics, "score_latency_seconds_sum", model="mfcc") == 0.003


def test_a_histogram_counts_a_bound_as_below_and_keeps_what_is_beyond() -> None:
    histogram = Histogram((1.0, 2.0))
    for number in (0.5, 1.0, 1.5, 99.0):
        histogram.observe(number)
    assert histogram.cumulative() == ([("1.0", 2.0), ("2.0", 3.0), ("+Inf", 4.0)], 102.0)


def test_the_build_says_which_weights_run() -> None:
    assert value(Metrics("1.2", {"mfcc": "ab"}), "build_info", version="1.2", model="mfcc", model_hash="ab") == 1


async def test_a_blocked_loop_shows_as_lag(mock_clock: MockClock) -> None:
    metrics = Metrics("1.0", {})
    async with trio.open_nursery() as nursery:
        await nursery.start(metrics.watch_loop)
        await wait_all_tasks_blocked()
        mock_clock.jump(0.25 + 0.3)  # the sleeper wanted to wake at 0.25 s
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    late = value(metrics, "loop_lag_seconds_sum")
    assert late is not None
    assert math.isclose(late, 0.3)
