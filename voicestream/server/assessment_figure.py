"""What is counted of assessments: how they ended, how much was heard, and how long their clients waited for the last word."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from voicestream.server.metrics import LATENCY_S, Histogram

_WAITS_S = (*LATENCY_S, 30.0, 60.0, 120.0)


class AssessmentFigures(Collector):
    """One server's; touched by the trio thread alone."""

    def __init__(self) -> None:
        self._outcomes: Counter[str] = Counter()
        self._heard_s = 0.0
        self._wait_s = Histogram(_WAITS_S)

    def ended(self, outcome: str, heard_s: float, wait_s: float | None) -> None:
        """An assessment is over: `success`, `failed` or `cancelled`. wait_s: from its last audio, None where nothing was scored."""
        self._outcomes[outcome] += 1
        self._heard_s += heard_s
        if wait_s is not None:
            self._wait_s.observe(wait_s)

    def collect(self) -> Iterator[Metric]:
        ended = CounterMetricFamily("voicestream_assessments", "Assessments that ended", labels=["outcome"])
        for outcome, count in self._outcomes.items():
            ended.add_metric([outcome], count)
        yield ended
        yield CounterMetricFamily("voicestream_assessment_audio_seconds", "Audio heard for them", value=self._heard_s)
        wait = HistogramMetricFamily("voicestream_assessment_wait_seconds", "From the end of the audio to the result")
        wait.add_metric([], *self._wait_s.cumulative())
        yield wait
