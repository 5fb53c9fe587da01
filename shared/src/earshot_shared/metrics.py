"""Every metric a service shows, in one literal registry with its kind and meaning.

Owns the names. Each `Metrics` has a registry of its own, so that two services (or two tests) in one process never meet. Labels are
names of topics, routes, codes and the like: never a person, an id or a text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

Kind = Literal["counter", "gauge", "histogram"]
CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4.encode()

_FAST_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SLICE: Final = (1, 10, 50, 100, 250, 500, 1000, 2000, 4000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric: its name (units in it), kind, meaning for whoever reads the dashboard, and label names."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = _FAST_S


REGISTRY: Final[tuple[Metric, ...]] = (
    Metric(name="http_requests_total", kind="counter", meaning="Answered requests.", labels=("route", "method", "status")),
    Metric(name="http_request_seconds", kind="histogram", meaning="Time from a request's headers to its answer.", labels=("route",)),
    Metric(name="http_in_flight", kind="gauge", meaning="Requests being served."),
    Metric(name="http_refused_total", kind="counter", meaning="Requests refused at the door, by code.", labels=("code",)),
    Metric(name="records_applied_total", kind="counter", meaning="Records folded into the view.", labels=("topic",)),
    Metric(name="records_duplicate_total", kind="counter", meaning="Records whose fact was known already.", labels=("topic",)),
    Metric(name="records_set_aside_total", kind="counter", meaning="Records put into the dead letters, by code.", labels=("topic", "code")),
    Metric(name="slices_fenced_total", kind="counter", meaning="Slices dropped because another owner had moved the position."),
    Metric(name="slices_retried_total", kind="counter", meaning="Slices tried again, by the code of what failed.", labels=("code",)),
    Metric(name="slice_records", kind="histogram", meaning="Records in one slice.", buckets=_SLICE),
    Metric(name="slice_seconds", kind="histogram", meaning="Time of one slice from fetch to commit."),
    Metric(name="partitions_paused", kind="gauge", meaning="Partitions stopped after many failures of our own code in a row."),
    Metric(name="consumer_lag_records", kind="gauge", meaning="Records of the input topics not yet applied.", labels=("topic",)),
    Metric(name="messages_published_total", kind="counter", meaning="Messages the relay has published.", labels=("topic",)),
    Metric(name="messages_restated_total", kind="counter", meaning="Messages written again after foreign records.", labels=("topic",)),
    Metric(name="outbox_rows", kind="gauge", meaning="Transactions whose messages wait for the relay."),
    Metric(name="outbox_age_seconds", kind="gauge", meaning="Age of the oldest transaction that waits for the relay."),
    Metric(name="relay_holds_lease", kind="gauge", meaning="1 when this process is the relay of its service."),
    Metric(name="config_reloads_total", kind="counter", meaning="Configuration files read anew.", labels=("file", "outcome")),
)


class Metrics:
    """The metrics of one service in one process. Unknown names raise KeyError, wrong labels ValueError: both are slips of ours."""

    def __init__(self, service: str, extra: Sequence[Metric] = ()) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        self._children: dict[tuple[str, ...], Counter | Gauge | Histogram] = {}
        for metric in (*REGISTRY, *extra):
            self._add(metric)
        info = Gauge("earshot_service", "Which service this is.", ("service",), registry=self._registry)
        info.labels(service).set(1)

    def count(self, name: str, *labels: str, amount: float = 1) -> None:
        """Add to a counter; labels in the order of the registry."""
        child = self._children.get((name, *labels))
        if child is None:
            child = self._child(self._counters[name], name, labels)
        child.inc(amount)  # type: ignore[union-attr]  # found under a counter's name

    def put(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge."""
        child = self._children.get((name, *labels))
        if child is None:
            child = self._child(self._gauges[name], name, labels)
        child.set(value)  # type: ignore[union-attr]  # found under a gauge's name

    def observe(self, name: str, value: float, *labels: str) -> None:
        """Add one value to a histogram."""
        child = self._children.get((name, *labels))
        if child is None:
            child = self._child(self._histograms[name], name, labels)
        child.observe(value)  # type: ignore[union-attr]  # found under a histogram's name

    def render(self) -> bytes:
        """Return everything as Prometheus reads it."""
        return generate_latest(self._registry)

    def _add(self, metric: Metric) -> None:
        name = f"earshot_{metric.name}"
        if metric.kind == "counter":
            self._counters[metric.name] = Counter(name, metric.meaning, metric.labels, registry=self._registry)
        elif metric.kind == "gauge":
            self._gauges[metric.name] = Gauge(name, metric.meaning, metric.labels, registry=self._registry)
        else:
            self._histograms[metric.name] = Histogram(name, metric.meaning, metric.labels, buckets=metric.buckets, registry=self._registry)

    def _child(self, parent: Counter | Gauge | Histogram, name: str, labels: tuple[str, ...]) -> Counter | Gauge | Histogram:
        child = parent.labels(*labels) if labels else parent
        self._children[(name, *labels)] = child
        return child
