"""What Prometheus reads: this process's requests, and the state of inbox, worker and read model as seen
from here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.status import Status

_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The registry of one application."""

    def __init__(self, status: Callable[[], Status], states: Callable[[], dict[str, int]]) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "lotline_http_requests_total",
            "HTTP requests",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "lotline_http_request_seconds", "Time to answer", ["method", "route"], buckets=_BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self.registry.register(_StatusCollector(status, states))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request. ``route`` is the template, so that identifiers make no series of their own."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class _StatusCollector(Collector):
    """Gauges made when somebody asks."""

    def __init__(self, status: Callable[[], Status], states: Callable[[], dict[str, int]]) -> None:
        self._status = status
        self._states = states

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        status = self._status()
        jobs = GaugeMetricFamily("lotline_jobs", "Jobs in the inbox by state", labels=["state"])
        for state, number in self._states().items():
            jobs.add_metric([state], number)
        yield jobs
        set_aside = status.projector.quarantined
        text = "Records on the ledger that cannot be read and were set aside"
        yield CounterMetricFamily("lotline_quarantined", text, value=float(set_aside or 0))
        for name, text, value in (
            ("lotline_inbox_events", "Events that wait for the ledger", status.inbox.events),
            (
                "lotline_inbox_oldest_seconds",
                "Age of the oldest waiting job",
                status.inbox.oldest_age_seconds,
            ),
            ("lotline_healthy", "1 if the health is ok, 0 if it is degraded", float(status.status == "ok")),
            ("lotline_inbox_alarms", "Failed capture jobs that nobody has acknowledged", status.inbox.alarms),
            ("lotline_changed", "Changes behind the ledger's back that the watcher found", status.changed),
            ("lotline_ledger_stalled", "1 if jobs wait and nothing is committed", float(status.ledger.stalled)),
            (
                "lotline_ordering_stopped",
                "1 if too few orderers can be reached, or they have no leader",
                float(status.ledger.ordering is not None),
            ),
            (
                "lotline_projector_stuck",
                "1 if the read model is behind and does not move",
                float(status.projector.stuck),
            ),
            (
                "lotline_certificates_ending",
                "Certificates that have ended or will within 30 days",
                len(status.certificates),
            ),
            (
                "lotline_certificates_ended",
                "Certificates that have ended",
                sum(one.ended for one in status.certificates),
            ),
            (
                "lotline_worker_busy_seconds",
                "How long the worker has been busy with one thing",
                status.worker.busy_seconds,
            ),
            ("lotline_ledger_height", "Blocks on the ledger", status.ledger.height),
            ("lotline_projector_checkpoint", "Last block in the read model", status.projector.checkpoint),
            ("lotline_projector_lag_blocks", "Blocks not yet in the read model", status.projector.lag_blocks),
            ("lotline_worker_up", "1 if the worker is alive", float(status.worker.alive)),
            ("lotline_worker_failing_batches", "Batches being retried", len(status.worker.failing)),
        ):
            yield GaugeMetricFamily(name, text, value=0.0 if value is None else float(value))
