"""What Prometheus may know: counts and durations, never a measurement."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

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
        self._sessions = Gauge("kiosk_sessions", "Stored sessions.", ["state"], registry=self.registry)

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        # a client may invent methods; labels must stay few
        self._requests.labels(method if method in KNOWN else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_sessions(self, by_state: Mapping[str, int] | None) -> None:
        """Set the number of sessions; None where the database does not tell."""
        self._sessions.clear()
        for state in ("open", "ended", "closed") if by_state is not None else ():
            self._sessions.labels(state).set((by_state or {}).get(state, 0))

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)
