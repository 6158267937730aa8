"""Metrics for Prometheus."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0, generate_latest

CONTENT_TYPE = CONTENT_TYPE_PLAIN_1_0_0

_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The server's metrics, in their own registry.

    Args:
      waiting: returns the number of calls waiting for a thread.

    Attributes:
      images: classified images, by model.
      reloads: reloaded models, by model and outcome ("ok" or "failed").
      open_requests: requests being handled.
    """

    def __init__(self, waiting: Callable[[], float]) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "clearcnn_requests", "Requests.", ("method", "route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "clearcnn_request_seconds",
            "From a request's head to the end of its response.",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.images = Counter(
            "clearcnn_images", "Images classified.", ("model",), registry=registry
        )
        self.reloads = Counter(
            "clearcnn_reloads", "Models reloaded.", ("model", "outcome"), registry=registry
        )
        self.open_requests = Gauge(
            "clearcnn_open_requests", "Requests being handled.", registry=registry
        )
        queue = Gauge("clearcnn_queue_waiting", "Calls waiting for a thread.", registry=registry)
        queue.set_function(waiting)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a completed request.

        Args:
          method: the HTTP method; unknown ones are counted as "other", as clients may send any.
          route: the route's template, such as "/v2/models/{model}/infer".
          status: the HTTP status.
          seconds: its duration.
        """
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def write(self) -> bytes:
        """Return all metrics in Prometheus's text format."""
        return generate_latest(self._registry)
