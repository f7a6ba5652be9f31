"""What Prometheus may know: counts and durations, never a measurement."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.audit import Auditor

KNOWN = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """One process's metrics, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "kiosk_http_requests", "Answered requests.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "kiosk_http_request_seconds", "Time to the end of an answer.", ["route"], registry=self.registry
        )
        self.live_clients = Gauge("kiosk_live_clients", "Open live connections.", registry=self.registry)
        self.live_sent = Counter("kiosk_live_messages_sent", "Live messages sent.", registry=self.registry)
        self.live_dropped = Counter(
            "kiosk_live_messages_dropped", "Live messages that a slow client missed.", registry=self.registry
        )
        self.live_refused = Counter(
            "kiosk_live_messages_refused", "Malformed messages on a live topic.", ["reason"], registry=self.registry
        )
        self._refusals = Counter(
            "kiosk_refusals", "Answers that refused somebody.", ["route", "status"], registry=self.registry
        )
        self._sessions = Gauge("kiosk_sessions", "Stored sessions.", ["state"], registry=self.registry)

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        # a client may invent methods; labels must stay few
        self._requests.labels(method if method in KNOWN else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_refusal(self, route: str, status: int) -> None:
        """Count an answer that nobody was known, or not allowed, or too often there."""
        self._refusals.labels(route, str(status)).inc()

    def watch(self, auditor: Auditor) -> None:
        """Tell of the audit whenever somebody asks."""
        self.registry.register(_AuditMetrics(auditor))

    def count_sessions(self, by_state: Mapping[str, int] | None) -> None:
        """Set the number of sessions; None where the database does not tell."""
        self._sessions.clear()
        for state in ("open", "ended", "closed") if by_state is not None else ():
            self._sessions.labels(state).set((by_state or {}).get(state, 0))

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)


class _AuditMetrics(Collector):
    """Reads the auditor's counts when it is asked."""

    def __init__(self, auditor: Auditor) -> None:
        self._auditor = auditor

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        counts = self._auditor.counts
        yield CounterMetricFamily("kiosk_audit_rows", "Accesses noted.", counts.rows)
        yield CounterMetricFamily("kiosk_audit_commits", "Commits that noted several accesses at once.", counts.commits)
        yield CounterMetricFamily("kiosk_audit_failures", "Commits of the audit that failed.", counts.failures)
        logins = CounterMetricFamily("kiosk_logins", "Attempts to log in.", labels=["outcome"])
        for outcome in ("done", "refused"):
            logins.add_metric([outcome], counts.logins[outcome])
        yield logins
        yield GaugeMetricFamily("kiosk_audit_waiting", "Accesses that wait to be noted.", self._auditor.waiting)
        yield GaugeMetricFamily("kiosk_audit_broken", "1: the audit's chain is not what it was.", int(counts.broken))
