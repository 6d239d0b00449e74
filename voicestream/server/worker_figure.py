"""What is told of the workers that assess: how many there are and work, what became of their work, and what waits for them."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from voicestream.server.assessor import Assessor
from voicestream.server.worker_pool import OUTCOMES


class WorkerFigures(Collector):
    """One server's: read from its assessor when somebody asks."""

    def __init__(self, assessor: Assessor) -> None:
        self._assessor = assessor

    def collect(self) -> Iterator[Metric]:
        pool = self._assessor.pool
        workers = GaugeMetricFamily("voicestream_workers", "Worker processes that have loaded", labels=["state"])
        workers.add_metric(["busy"], pool.busy)
        workers.add_metric(["idle"], pool.loaded - pool.busy)
        yield workers
        yield CounterMetricFamily("voicestream_worker_restarts", "Worker processes that ended and were replaced", value=pool.ended)
        work = CounterMetricFamily("voicestream_worker_work", "Pieces of work by what became of them", labels=["outcome"])
        for outcome in OUTCOMES:
            work.add_metric([outcome], pool.outcomes[outcome])
        yield work
        yield GaugeMetricFamily("voicestream_worker_queue", "Pieces of work that wait for a worker", value=pool.waiting)
        yield GaugeMetricFamily("voicestream_assessments_active", "Assessments under way", value=self._assessor.live)
        yield CounterMetricFamily("voicestream_assessments_refused", "Assessments refused: too much to do", value=self._assessor.refused)
