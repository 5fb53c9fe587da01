"""Every metric a service shows, in one literal registry with its kind and meaning.

Owns the names. Each `Metrics` has a registry of its own, so that two services (or two tests) in one process never meet. Labels are
names of topics, routes, codes and the like: never a person, an id or a text.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric as PrometheusMetric
from prometheus_client.registry import Collector

Kind = Literal["counter", "gauge", "histogram"]
CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4.encode()

_FAST_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


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
    Metric(name="records_applied_total", kind="counter", meaning="Records folded into the view."),
    Metric(name="records_set_aside_total", kind="counter", meaning="Records put into the dead letters."),
    Metric(name="records_duplicate_total", kind="counter", meaning="Items and records that came again and were known already."),
    Metric(name="records_redelivered_total", kind="counter", meaning="Records fetched again from below the position, and passed over."),
    Metric(name="slices_applied_total", kind="counter", meaning="Slices committed; records_applied_total by it is their mean size."),
    Metric(name="dead_letters", kind="gauge", meaning="Records that are set aside now, as the service's relay sees them."),
    Metric(name="outbox_age_seconds", kind="gauge", meaning="How long the oldest transaction waits to be published, as the relay sees it."),
    Metric(name="slices_fenced_total", kind="counter", meaning="Slices dropped because another owner had moved the position."),
    Metric(name="slices_retried_total", kind="counter", meaning="Slices tried again because Kafka or Postgres was not ready."),
    Metric(name="partitions_paused", kind="gauge", meaning="Partitions stopped after many failures of our own code in a row."),
    Metric(name="consumer_lag_records", kind="gauge", meaning="Records of this replica's partitions not yet applied."),
    Metric(name="relay_holds_lease", kind="gauge", meaning="1 when this process is the relay of its service."),
    Metric(name="config_reloads_total", kind="counter", meaning="Configuration files read anew.", labels=("file", "outcome")),
    Metric(name="config_refused", kind="gauge", meaning="1 while the configuration file has faults and its last good version is in use."),
)


class _Followed(Collector):
    """One value that is read when it is asked for."""

    def __init__(self, metric: Metric, read: Callable[[], float]) -> None:
        self._metric = metric
        self._read = read

    def collect(self) -> Iterable[PrometheusMetric]:
        """Return the value now."""
        family = CounterMetricFamily if self._metric.kind == "counter" else GaugeMetricFamily
        yield family(f"earshot_{self._metric.name}", self._metric.meaning, value=self._read())


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
        self._followed: dict[str, _Followed] = {}
        self._specs = {metric.name: metric for metric in (*REGISTRY, *extra)}
        for metric in self._specs.values():
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

    def follow(self, name: str, read: Callable[[], float]) -> None:
        """Let a counter or gauge without labels be read from ``read`` whenever somebody looks: nothing is paid meanwhile."""
        shown: Collector = self._followed.get(name) or self._counters.get(name) or self._gauges[name]
        self._registry.unregister(shown)
        self._followed[name] = _Followed(self._specs[name], read)
        self._registry.register(self._followed[name])

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
