"""Prometheus metrics of the recorder's process."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from api.closing import ClosingCounts
from api.recorder import Counts


class RecorderMetrics(Collector):
    """Reads the counts when it is asked."""

    def __init__(self, counts: Counts, closing: ClosingCounts) -> None:
        self._counts, self._closing = counts, closing

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        counts, closing = self._counts, self._closing
        for name, words, value in (
            ("recorder_committed", "Messages committed.", counts.committed),
            ("recorder_samples", "Samples committed.", counts.samples),
            ("recorder_duplicates", "Messages that were there already.", counts.duplicates),
            ("recorder_dropped", "Messages that found the queue full; the outboxes send them again.", counts.dropped),
            ("recorder_failures", "Commits that failed.", counts.failures),
            ("analysis_failures", "Analyses that failed.", closing.failed),
        ):
            metric = CounterMetricFamily(f"kiosk_{name}", words)
            metric.add_metric([], value)
            yield metric
        refused = CounterMetricFamily("kiosk_recorder_refused", "Messages that were not taken.", labels=["reason"])
        for reason, value in sorted(counts.refused.items()):
            refused.add_metric([reason], value)
        closed = CounterMetricFamily("kiosk_sessions_closed", "Sessions closed.", labels=["outcome"])
        closed.add_metric(["complete"], closing.complete)
        closed.add_metric(["partial"], closing.partial)
        yield from (refused, closed)


def expose(counts: Counts, closing: ClosingCounts, port: int) -> None:
    """Serve the metrics on 127.0.0.1."""
    registry = CollectorRegistry()
    registry.register(RecorderMetrics(counts, closing))
    start_http_server(port, addr="127.0.0.1", registry=registry)
