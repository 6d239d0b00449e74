"""What the audio consumers count, for the page /metrics. Touched by the trio thread alone."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from voicestream.server.metrics import LATENCY_S, Histogram


class ConsumerFigures(Collector):
    """One server's. refused: by consumer and reason, fixed words both; gaps: jumps of a Twilio sequenceNumber; internal: AudioHook
    sessions that offered the agent's voice only."""

    def __init__(self) -> None:
        self.refused: Counter[tuple[str, str]] = Counter()
        self.gaps = 0
        self.internal = 0
        self._opened_s = Histogram(LATENCY_S)

    def opened(self, latency_s: float) -> None:
        """An AudioHook session was opened, so long after its upgrade: the client's own time is in it."""
        self._opened_s.observe(latency_s)

    def collect(self) -> Iterator[Metric]:
        refused = CounterMetricFamily(
            "voicestream_call_streams_refused", "Streams of calls that may not come in", labels=["consumer", "reason"]
        )
        for labels, count in self.refused.items():
            refused.add_metric(labels, count)
        yield refused
        yield CounterMetricFamily("voicestream_twilio_gaps", "Jumps of sequenceNumber in Twilio streams", value=self.gaps)
        yield CounterMetricFamily(
            "voicestream_audiohook_internal", "AudioHook sessions that offered the agent's voice only", value=self.internal
        )
        opened = HistogramMetricFamily("voicestream_audiohook_opened_seconds", "From the upgrade of an AudioHook session to opened")
        opened.add_metric([], *self._opened_s.cumulative())
        yield opened
